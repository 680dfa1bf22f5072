"""Scene files: how new labelled transcripts are written, and their compilation into rows.

A scene file is one group: a scenario told once, and many runs in it. `CONTRIBUTING.md` shows the
format. Compilation finds every quote in the text that the model will see, so that a row whose
evidence is not the agent's own words cannot be made.

    python -m training.scenes scenes/*.txt > rows.jsonl
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from classifier.formats import native
from classifier.labels import DEFAULT_TAXONOMY, Question, Stage
from classifier.rendering import Part, render
from classifier.transcript import Source
from training.labeled import LabeledTranscript

_SECTION = re.compile(r"^#(group|setup|run)\b *(.*)$")
_HEAD = re.compile(
    r"^(setup|voice|case|language|why|domain|scenario|"
    + "|".join(DEFAULT_TAXONOMY.names)
    + r"): *(.*)$"
)
_BLOCK = re.compile(r"^@(system|user|tool|other|prefill|think|say|call|evidence)(?:[ \t]+(.*))?$")
_ARGUMENT = re.compile(r"^\|([A-Za-z_][\w.\-]*)(=?)\| ?(.*)$")
_ESCAPED: Final = re.compile(r"^\\[@#|]")
_AGENT_BLOCKS: Final = {"think": 1, "say": 2, "call": 3}
"""Blocks that together form one message of the agent's, in this order."""


class SceneError(ValueError):
    """A scene file breaks the format; says where."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")


@dataclass(slots=True)
class _Block:
    kind: str
    argument: str
    line: int
    body: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.body).strip("\n").rstrip()


@dataclass(slots=True)
class _Section:
    kind: str
    name: str
    line: int
    head: dict[str, str] = field(default_factory=dict)
    blocks: list[_Block] = field(default_factory=list)


def _sections(path: Path) -> Iterator[_Section]:
    section: _Section | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if match := _SECTION.match(line):
            if section is not None:
                yield section
            section = _Section(match[1], match[2].strip(), number)
        elif section is None:
            if line.strip():
                raise SceneError(path, number, "a scene file begins with #group")
        elif match := _BLOCK.match(line):
            section.blocks.append(_Block(match[1], (match[2] or "").strip(), number))
        elif section.blocks:
            # A leading backslash protects a line of text that would be read as markup.
            section.blocks[-1].body.append(line[1:] if _ESCAPED.match(line) else line)
        elif match := _HEAD.match(line):
            section.head[match[1]] = match[2].strip()
        elif line.strip():
            raise SceneError(path, number, "neither a header line nor a block")
    if section is not None:
        yield section


def _arguments(block: _Block, path: Path) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    as_json: set[str] = set()
    name: str | None = None
    for line in block.body:
        if match := _ARGUMENT.match(line):
            name = match[1]
            found[name] = [match[3]]
            if match[2]:
                as_json.add(name)
        elif name is not None:
            found[name].append(line)
        elif line.strip():
            raise SceneError(path, block.line, "@call holds lines of |name| value")
    values: dict[str, Any] = {key: "\n".join(lines).strip("\n") for key, lines in found.items()}
    for key in as_json:
        try:
            values[key] = json.loads(values[key])
        except ValueError as error:
            raise SceneError(path, block.line, f"|{key}=| is not JSON: {error}") from error
    return values


def _other_message(block: _Block) -> dict[str, Any]:
    role = {"other": "user", "prefill": "assistant"}.get(block.kind, block.kind)
    message: dict[str, Any] = {"role": role, "content": block.text}
    if block.kind == "other":
        message |= {"name": block.argument or "agent", "author": "other_agent"}
    elif block.kind == "prefill":
        message["author"] = "prefill"
    elif block.kind == "tool" and block.argument:
        message["name"] = block.argument
    return message


def _messages(blocks: Sequence[_Block], path: Path) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    rank = 0
    for block in blocks:
        if block.kind == "evidence":
            continue
        if block.kind not in _AGENT_BLOCKS:
            messages.append(_other_message(block))
            rank = 0
            continue
        here = _AGENT_BLOCKS[block.kind]
        if not rank or here < rank or (here == rank and block.kind != "call"):
            messages.append({"role": "assistant", "content": ""})
        rank = here
        message = messages[-1]
        if block.kind == "call":
            call = {"name": block.argument, "arguments": _arguments(block, path)}
            message.setdefault("tool_calls", []).append(call)
        else:
            message["reasoning" if block.kind == "think" else "content"] = block.text
    return messages


def _find(words: str, parts: Sequence[Part]) -> dict[str, Any] | None:
    """The first of the agent's parts that holds the words, white space aside."""
    pattern = re.compile(r"\s+".join(re.escape(word) for word in words.split()))
    for part in parts:
        if part.is_scored and (match := pattern.search(part.text)):
            place = {"message_index": part.message_index, "channel": str(part.kind)}
            return place | {"quote": match[0]}
    return None


def _evidence(section: _Section, parts: Sequence[Part], path: Path) -> Iterator[dict[str, Any]]:
    for block in section.blocks:
        if block.kind != "evidence":
            continue
        for number, line in enumerate(block.body, start=block.line + 1):
            if not line.strip():
                continue
            keys, _, words = line.partition("|")
            found = _find(words, parts)
            if found is None or not words.strip():
                raise SceneError(path, number, "quote not found in the agent's own text")
            for key in keys.replace(",", " ").split():
                label, _, question = key.partition(".")
                yield {"label": label, "question": question, **found}


def _check_evidence(row: LabeledTranscript, path: Path, line: int) -> None:
    given = {(quote.label, quote.question) for quote in row.evidence}
    for label, answers in row.labels.items():
        wanted = Question.ACTION if answers.action else Question.REASONING
        if answers.reasoning and (label, wanted) not in given:
            raise SceneError(path, line, f"no evidence quote for {label}.{wanted}")


def _row(
    section: _Section, group: _Section, setups: dict[str, list[dict[str, Any]]], path: Path
) -> LabeledTranscript:
    head = section.head
    if head.get("setup") not in setups:
        raise SceneError(path, section.line, f"setup must be one of {sorted(setups)}")
    identifier = f"{group.name}-{section.name}"
    messages = setups[head["setup"]] + _messages(section.blocks, path)
    payload = {"id": identifier, "messages": messages}
    source = Source(format=native.NAME)
    transcript = next(native.parse(payload, source=source, default_id=identifier))
    order = tuple(Stage)
    stages = {name: order.index(Stage(head.get(name, "none"))) for name in DEFAULT_TAXONOMY.names}
    try:
        row = LabeledTranscript.model_validate(
            {
                "id": identifier,
                "group": group.name,
                "domain": group.head.get("domain"),
                "language": head.get("language") or group.head.get("language", "en"),
                "format": head.get("voice"),
                "messages": messages,
                "labels": {
                    name: {"reasoning": int(stage >= 1), "action": int(stage == 2)}
                    for name, stage in stages.items()
                },
                "evidence": list(_evidence(section, render(transcript), path)),
                "hard_case": head.get("case"),
                "reason": head.get("why"),
            }
        )
    except SceneError:
        raise
    except ValueError as error:
        raise SceneError(path, section.line, str(error)) from error
    _check_evidence(row, path, section.line)
    return row


def compile_scene(path: Path) -> list[LabeledTranscript]:
    """Rows of one scene file.

    Raises:
        SceneError: If the file breaks the format, a label the guide, or a quote is not found.
    """
    group: _Section | None = None
    setups: dict[str, list[dict[str, Any]]] = {"-": []}
    rows = []
    for section in _sections(path):
        if section.kind == "group":
            group = section
        elif group is None:
            raise SceneError(path, section.line, "#group comes first")
        elif section.kind == "setup":
            setups[section.name] = _messages(section.blocks, path)
        else:
            rows.append(_row(section, group, setups, path))
    return rows


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Compile scene files into labelled rows.")
    parser.add_argument("scenes", nargs="+", type=Path)
    failed = False
    for path in parser.parse_args().scenes:
        try:
            rows = compile_scene(path)
        except SceneError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        for row in rows:
            print(row.model_dump_json())
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
