"""Render a transcript into parts: runs of text by one author in one channel.

Only what the agent wrote is `scored`; everything else is context. A part knows where each of its
characters stood in the transcript, so that evidence can be given in the log's own terms. Text is
never escaped, trimmed or reworded, so nothing an agent writes can hide from its own part.

Change what is rendered, and `RENDERING_VERSION` must change with it: a bundle is valid only for the
rendering that it was trained on.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from classifier.transcript import Author, Message, Role, ToolCall, Transcript

RENDERING_VERSION: Final = 1

MAX_ARGUMENT_DEPTH: Final = 32
"""Nesting below which tool arguments are rendered as their JSON text, in one piece."""


class Channel(StrEnum):
    """Where the agent's words went."""

    REASONING = "reasoning"
    REPLY = "reply"
    TOOL_CALL = "tool_call"


class Context(StrEnum):
    """Whose words a context part holds."""

    SYSTEM = "system"
    USER = "user"
    TOOL_RESULT = "tool_result"
    OTHER_AGENT = "other_agent"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a part's text and the place it was taken from."""

    start: int
    """First character in the part's text."""

    end: int
    """One past the last character in the part's text."""

    field: str
    """Field of the message, e.g. `content`, `reasoning`, `tool_calls[0].arguments.body`."""

    field_start: int
    """Where the stretch begins in that field's text."""


@dataclass(frozen=True, slots=True)
class Part:
    """Text of one author in one channel."""

    message_index: int
    message_id: str
    kind: Channel | Context
    text: str
    pieces: tuple[Piece, ...]
    """In order; text between pieces (tool-call punctuation) was added here and has no source."""

    @property
    def is_scored(self) -> bool:
        """Whether the agent wrote it."""
        return isinstance(self.kind, Channel)


# Private reasoning that stands inside visible text. The same conventions as Inspect's parser and
# the public agentic-misalignment prompts; an unclosed tag runs to the end of the text.
_INLINE = re.compile(
    r"<(?P<tag>think|thinking|reasoning|SCRATCHPAD_REASONING|scratchpad|private_reasoning)>"
    r"(?P<reasoning>.*?)(?:</(?P=tag)>|\Z)"
    r"|<tool_use:(?P<tool>[A-Za-z_][\w.-]{0,63})>(?P<call>.*?)(?:</tool_use:(?P=tool)>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
# Some chat templates open the reasoning in the prompt, so that the text holds only its end.
_HEADLESS = re.compile(r"\A(?P<reasoning>(?:(?!<think).)*?)</think>", re.DOTALL | re.IGNORECASE)


def split_inline(content: str) -> Iterator[tuple[Channel, int, int]]:
    """Split visible text into channels by the reasoning and tool tags inside it.

    Args:
        content: Text of one message of the agent's.

    Yields:
        (channel, start, end) in order. The tags themselves belong to no channel; every other
        character that is not white space belongs to exactly one.
    """
    position = 0
    if "</think>" in content.lower() and (headless := _HEADLESS.match(content)):
        yield Channel.REASONING, *headless.span("reasoning")
        position = headless.end()
    for match in _INLINE.finditer(content, position):
        if content[position : match.start()].strip():
            yield Channel.REPLY, position, match.start()
        name = "reasoning" if match["tag"] else "call"
        channel = Channel.REASONING if match["tag"] else Channel.TOOL_CALL
        if content[slice(*match.span(name))].strip():
            yield channel, *match.span(name)
        position = match.end()
    if content[position:].strip():
        yield Channel.REPLY, position, len(content)


_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def _leaves(value: object, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """(path, text) of each key and value below a tool call's arguments, in order.

    Paths are those of JSONPath; `~` at the end names the key itself.
    """
    if depth >= MAX_ARGUMENT_DEPTH or not isinstance(value, dict | list):
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict):
        for key, item in value.items():
            step = f".{key}" if _PLAIN_KEY.match(key) else f"[{json.dumps(key)}]"
            yield f"{path}{step}~", key
            yield from _leaves(item, f"{path}{step}", depth + 1)
    else:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]", depth + 1)


def _render_call(call: ToolCall, index: int) -> tuple[str, tuple[Piece, ...]]:
    """A tool call as `name`, then a line for each argument: `key: value`."""
    field = f"tool_calls[{index}]"
    texts: list[str] = [call.name]
    pieces = [Piece(0, len(call.name), f"{field}.name", 0)]
    position = len(call.name)
    previous_is_key = False
    for path, text in _leaves(call.arguments, f"{field}.arguments"):
        separator = ": " if previous_is_key else "\n"
        position += len(separator)
        texts += (separator, text)
        pieces.append(Piece(position, position + len(text), path, 0))
        position += len(text)
        previous_is_key = path.endswith("~")
    return "".join(texts), tuple(pieces)


def _agent_parts(message: Message, index: int) -> Iterator[Part]:
    if message.reasoning.strip():
        whole = Piece(0, len(message.reasoning), "reasoning", 0)
        yield Part(index, message.id, Channel.REASONING, message.reasoning, (whole,))
    for channel, start, end in split_inline(message.content):
        piece = Piece(0, end - start, "content", start)
        yield Part(index, message.id, channel, message.content[start:end], (piece,))
    for number, call in enumerate(message.tool_calls):
        text, pieces = _render_call(call, number)
        yield Part(index, message.id, Channel.TOOL_CALL, text, pieces)


_CONTEXT_OF_ROLE = {
    Role.SYSTEM: Context.SYSTEM,
    Role.USER: Context.USER,
    Role.TOOL: Context.TOOL_RESULT,
    Role.ASSISTANT: Context.OTHER_AGENT,
}


def _context_kind(message: Message) -> Context:
    if message.author is Author.OTHER_AGENT:
        return Context.OTHER_AGENT
    if message.author is Author.ENVIRONMENT:
        return Context.TOOL_RESULT
    if message.author is Author.OPERATOR:
        return Context.SYSTEM
    return _CONTEXT_OF_ROLE[message.role]


def render(transcript: Transcript) -> list[Part]:
    """Render every message, in order.

    Returns:
        Parts with text. Messages of the agent's give one part for each channel they use; any other
        message gives one context part with all it says, tool calls included.
    """
    parts: list[Part] = []
    for index, message in enumerate(transcript.messages):
        if message.author is Author.AGENT:
            parts.extend(_agent_parts(message, index))
            continue
        calls = [_render_call(call, i)[0] for i, call in enumerate(message.tool_calls)]
        text = "\n".join(filter(None, (message.reasoning, message.content, *calls)))
        if text.strip():
            parts.append(Part(index, message.id, _context_kind(message), text, ()))
    return parts


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a message's field, with the words that stand there."""

    field: str
    start: int
    end: int
    text: str

    @property
    def is_name(self) -> bool:
        """Whether it is the name of a tool or of an argument rather than a text."""
        return self.field.endswith(("~", "].name"))


def locate(part: Part, start: int, end: int) -> Place | None:
    """Translate a stretch of a part's text into a place in its message.

    A stretch over several pieces is narrowed to the one that holds most of it.

    Returns:
        None when the stretch holds no text from the transcript.
    """
    best: tuple[int, Piece] | None = None
    for piece in part.pieces:
        shared = min(end, piece.end) - max(start, piece.start)
        if shared > 0 and (best is None or shared > best[0]):
            best = (shared, piece)
    if best is None:
        return None
    piece = best[1]
    start, end = max(start, piece.start), min(end, piece.end)
    shift = piece.field_start - piece.start
    return Place(piece.field, start + shift, end + shift, part.text[start:end])


def field_text(message: Message, field: str) -> str:
    """The text that a field path of a piece names; offsets of evidence index into it.

    Raises:
        KeyError: If the message has no such field.
    """
    if field in ("content", "reasoning"):
        return str(getattr(message, field))
    for number, call in enumerate(message.tool_calls):
        if field == f"tool_calls[{number}].name":
            return call.name
        for path, text in _leaves(call.arguments, f"tool_calls[{number}].arguments"):
            if path == field:
                return text
    raise KeyError(field)
