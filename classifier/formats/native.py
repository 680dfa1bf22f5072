"""Read the project's own rows: `{"id", "messages", ...}` with plain-string contents.

Whatever else stands in a row (labels, evidence, groups) is metadata and never an error, so that
labelled data reads like any log.
"""

from collections.abc import Iterator
from typing import Final

from classifier.formats.drafts import Draft, ReasoningKind
from classifier.formats.fields import (
    Object,
    Place,
    arguments_of,
    expect_list,
    expect_object,
    expect_role,
    expect_str,
    metadata_of,
    optional_author,
    optional_id,
    optional_list,
    optional_str,
)
from classifier.transcript import Message, Source, ToolCall, Transcript

NAME: Final = "native"
TITLE: Final = "This project's own rows: id, messages with content, reasoning and tool_calls"

_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool"})
_FOREIGN_KEYS: Final = frozenset(
    {"reasoning_content", "reasoning_details", "function_call", "refusal", "audio"}
)
_REASONING_KINDS: Final[tuple[ReasoningKind, ...]] = ("full", "summary", "redacted", "none")


def matches(payload: object) -> bool:
    """Whether the payload is a row of this format."""
    if not isinstance(payload, dict):
        return False
    if "choices" in payload or isinstance(payload.get("response"), dict):
        return False
    messages = payload.get("messages")
    if not isinstance(messages, list) or not all(_is_message(item) for item in messages):
        return False
    return "id" in payload or any("author" in item for item in messages)


def _is_message(value: object) -> bool:
    if not isinstance(value, dict) or value.get("role") not in _ROLES:
        return False
    if not _FOREIGN_KEYS.isdisjoint(value) or not _is_text(value.get("content")):
        return False
    calls = value.get("tool_calls")
    return _is_text(value.get("reasoning")) and (
        calls is None or (isinstance(calls, list) and all(_is_call(call) for call in calls))
    )


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_call(value: object) -> bool:
    return isinstance(value, dict) and "name" in value and "function" not in value


def parse(payload: object, *, source: Source, default_id: str) -> Iterator[Transcript]:
    """Read one transcript.

    Raises:
        MalformedTranscriptError: If a message breaks the format's rules.
    """
    root = Place.root(NAME, source)
    row = expect_object(payload, root)
    place = root.key("messages")
    messages = tuple(
        _message(expect_object(item, place.item(index)), place.item(index))
        for index, item in enumerate(expect_list(row.get("messages"), place))
    )
    kept = metadata_of(row, root, without=("id", "messages"))
    yield Transcript(
        id=optional_id(row.get("id"), root.key("id")) or default_id,
        messages=messages,
        source=source,
        metadata=kept.values,
        dropped=kept.dropped,
    )


def _message(message: Object, place: Place) -> Message:
    draft = Draft()
    draft.add_text(optional_str(message.get("content"), place.key("content")))
    _add_reasoning(draft, message, place)
    calls = place.key("tool_calls")
    for index, call in enumerate(optional_list(message.get("tool_calls"), calls)):
        draft.calls.append(_call(call, calls.item(index)))
    return draft.message(
        optional_id(message.get("id"), place.key("id")) or place.path,
        expect_role(message, place),
        author=optional_author(message, place),
        name=optional_id(message.get("name"), place.key("name")),
    )


def _add_reasoning(draft: Draft, message: Object, place: Place) -> None:
    kind = message.get("reasoning_kind")
    if kind is not None and kind not in _REASONING_KINDS:
        allowed = ", ".join(_REASONING_KINDS)
        raise place.key("reasoning_kind").error(f"must be one of {allowed}")
    text = optional_str(message.get("reasoning"), place.key("reasoning"))
    draft.add_reasoning(text, is_summary=kind == "summary")
    draft.is_redacted = kind == "redacted"


def _call(value: object, place: Place) -> ToolCall:
    call = expect_object(value, place)
    return ToolCall(
        id=optional_id(call.get("id"), place.key("id")),
        name=expect_str(call.get("name"), place.key("name")),
        arguments=arguments_of(call.get("arguments"), place.key("arguments")),
    )
