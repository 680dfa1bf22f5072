"""Read results of the agentic-misalignment experiments (`response.json`).

The response stands verbatim in one message of the agent's; splitting its scratchpad and its
`<tool_use:...>` blocks into channels is left to rendering, so that offsets point into the file's
own text. `parse` opens no file: only a caller that reads from disk adds the prompts.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from classifier.errors import SourceError
from classifier.formats.decoding import decode_utf8
from classifier.formats.fields import (
    Object,
    Place,
    expect_object,
    expect_str,
    metadata_of,
    optional_id,
    optional_str,
)
from classifier.transcript import Author, Message, Role, Source, Transcript

NAME: Final = "agentic_misalignment"
TITLE: Final = (
    "Agentic-misalignment results: response.json, with its prompts folder where it stands"
)

MAX_PROMPT_BYTES: Final = 1 << 24
"""Larger prompt files are refused: 16 MiB, far beyond any prompt of the experiments."""

_PROMPTS: Final = (
    ("system_prompt", Role.SYSTEM, Author.OPERATOR),
    ("user_prompt", Role.USER, Author.HUMAN),
    # The mailbox that the agent finds; the experiment puts it into the user's turn.
    ("email_content", Role.USER, Author.ENVIRONMENT),
)
_MAX_LEVELS: Final = 5
"""Folders above `response.json` among which the experiment's is looked for."""


def matches(payload: object) -> bool:
    """Whether the payload is in this format."""
    return isinstance(payload, dict) and "raw_response" in payload


def parse(payload: object, *, source: Source, default_id: str) -> Iterator[Transcript]:
    """Read one transcript.

    Raises:
        MalformedTranscriptError: If there is no response, as in the file of a failed run.
    """
    root = Place.root(NAME, source)
    result = expect_object(payload, root)
    response = expect_str(result.get("raw_response"), root.key("raw_response"))
    answer = Message.model_validate(
        {"id": "raw_response", "role": Role.ASSISTANT, "content": response}
    )
    kept = metadata_of(_metadata(result), root)
    yield Transcript(
        id=_id(result, root) or default_id,
        messages=(*_prompts(result.get("prompts"), root.key("prompts")), answer),
        source=source,
        metadata=kept.values,
        dropped=kept.dropped,
    )


def with_prompts(payload: object, path: Path) -> object:
    """Add the prompts that stand beside a result on disk, as `prompts`.

    Results stand in `<experiment>/[models/]<model>/<condition>/<sample>/response.json`, prompts in
    `<experiment>/prompts/<condition>/`.

    Raises:
        MalformedTranscriptError: If a prompt file is not UTF-8 or too large.
        SourceError: If a prompt file cannot be read.
    """
    folder = _prompts_folder(path)
    if folder is None or not isinstance(payload, dict) or "prompts" in payload:
        return payload
    prompts = {name: _read(folder / f"{name}.txt") for name, _, _ in _PROMPTS}
    return {**payload, "prompts": prompts}


def _prompts_folder(path: Path) -> Path | None:
    parents = path.resolve().parents
    if len(parents) < 2:
        return None
    candidates = (parent / "prompts" / parents[1].name for parent in parents[2:_MAX_LEVELS])
    return next((folder for folder in candidates if folder.is_dir()), None)


def _read(path: Path) -> str | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            raw = file.read(MAX_PROMPT_BYTES + 1)
    except OSError as error:
        raise SourceError(str(path), error.strerror or "unreadable") from error
    place = Place(NAME, path=f"prompts/{path.name}")
    if len(raw) > MAX_PROMPT_BYTES:
        raise place.error(f"larger than {MAX_PROMPT_BYTES} bytes")
    return decode_utf8(raw, format=NAME, where=place.path)


def _prompts(value: object, place: Place) -> Iterator[Message]:
    prompts = {} if value is None else expect_object(value, place)
    for name, role, author in _PROMPTS:
        text = optional_str(prompts.get(name), place.key(name))
        if text.strip():
            yield Message.model_validate(
                {"id": name, "role": role, "author": author, "content": text}
            )


def _metadata(result: Object) -> Object:
    """The file's own metadata, flat, and whatever else it says (the grader's verdict)."""
    own = result.get("metadata")
    rest = {key: item for key, item in result.items() if key not in ("raw_response", "prompts")}
    if not isinstance(own, dict):
        return rest
    del rest["metadata"]
    return {**own, **rest}


def _id(result: Object, root: Place) -> str | None:
    """`model/condition/sample_id`: files of one experiment are all called `response.json`."""
    own = result.get("metadata")
    if not isinstance(own, dict):
        return None
    place = root.key("metadata")
    parts = [
        optional_id(own.get(key), place.key(key)) for key in ("model", "condition", "sample_id")
    ]
    if any(part is None for part in parts):
        return None
    return "/".join(filter(None, parts))
