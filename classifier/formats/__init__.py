"""Read agent logs of any known format into transcripts.

Each format is a module of one shape, ignorant of the others; nothing is guessed: a payload that no
format recognises is an error that names what was tried. Files are read by
`classifier.formats.reading`, decoded JSON by `parse_payload` here.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from classifier.errors import UnknownFormatError
from classifier.formats import (
    agentic_misalignment,
    anthropic,
    inspect_log,
    native,
    openai_chat,
    plain,
)
from classifier.transcript import Source, Transcript


class LogFormat(Protocol):
    """The shape of a format's module."""

    @property
    def NAME(self) -> str:
        """What the caller writes to name it."""

    @property
    def TITLE(self) -> str:
        """One line for people."""

    def matches(self, payload: object) -> bool:
        """Whether a decoded payload is in this format: cheap, strict, never an error."""

    def parse(self, payload: object, *, source: Source, default_id: str) -> Iterator[Transcript]:
        """Read the transcripts of one payload."""


class Row(NamedTuple):
    """One of the records that a payload holds."""

    place: str
    """Where it stands in the payload; empty when it is the payload."""

    value: object


FORMATS: Final[tuple[LogFormat, ...]] = (
    agentic_misalignment,
    inspect_log,
    anthropic,
    native,
    openai_chat,
    plain,
)
"""In the order of detection: whatever only one format writes stands before what many share."""

NAMES: Final = tuple(module.NAME for module in FORMATS)
"""Names of the formats, in the order of detection."""


def named(name: str) -> LogFormat:
    """The format with a name.

    Raises:
        UnknownFormatError: If there is none.
    """
    for module in FORMATS:
        if name == module.NAME:
            return module
    raise UnknownFormatError(tried=NAMES, hint="no format has the name given")


def detect(payload: object) -> LogFormat:
    """The format of a decoded payload.

    Raises:
        UnknownFormatError: If no format recognises it.
    """
    for module in FORMATS:
        if module.matches(payload):
            return module
    raise UnknownFormatError(tried=NAMES)


def rows(payload: object) -> list[Row]:
    """Split a list of records; anything else is one record.

    A list of messages is one transcript, so a list is split only when none of its items has a role.
    """
    is_list_of_records = (
        isinstance(payload, list)
        and bool(payload)
        and all(isinstance(item, dict) and "role" not in item for item in payload)
    )
    if not is_list_of_records or not isinstance(payload, list):
        return [Row("", payload)]
    return [Row(f"[{index}]", item) for index, item in enumerate(payload)]


def parse_payload(
    payload: object,
    *,
    format: str | None = None,
    default_id: str,
    path: str | None = None,
    sample: str | None = None,
) -> list[Transcript]:
    """Read the transcripts of decoded JSON.

    Args:
        payload: One record, or a list of records.
        format: Name of its format; detected without.
        default_id: Id of a transcript that has none of its own; in a list, with the place added.
        path: File that it comes from. Only noted; nothing is opened.
        sample: Place in that file, e.g. `line 3`.

    Raises:
        UnknownFormatError: If the format has no such name, or none is recognised.
        MalformedTranscriptError: If a record breaks its format's rules.
    """
    module = named(format) if format is not None else None
    transcripts: list[Transcript] = []
    for row in rows(payload):
        reader = module or detect(row.value)
        place = ", ".join(filter(None, (sample, row.place))) or None
        source = Source(format=reader.NAME, path=path, sample=place)
        transcripts.extend(
            reader.parse(row.value, source=source, default_id=default_id + row.place)
        )
    return transcripts
