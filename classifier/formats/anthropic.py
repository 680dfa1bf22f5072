"""Read Anthropic Messages: requests, answers and pairs of both, with their blocks.

Tool results stand in user turns and are the environment's words, never the user's; an assistant
message that ends a request is a prefill, the operator's words, never the agent's.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from classifier.formats.drafts import Draft
from classifier.formats.fields import (
    Object,
    Place,
    arguments_of,
    expect_list,
    expect_object,
    expect_str,
    metadata_of,
    optional_author,
    optional_id,
    optional_str,
)
from classifier.transcript import Author, Message, Role, Source, ToolCall, Transcript

NAME: Final = "anthropic"
TITLE: Final = "Anthropic Messages: requests, answers and pairs of both"

_ROLES: Final = {
    "system": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
_CALL_TYPES: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_FOREIGN_KEYS: Final = frozenset({"tool_calls", "reasoning", "reasoning_content", "function_call"})

ToolNames = dict[str, str]
"""Name of the tool by the id of its call; results name only the id."""


class _Request(NamedTuple):
    value: Object
    place: Place


class _Block(NamedTuple):
    value: Object
    place: Place


class _Turn(NamedTuple):
    value: object
    place: Place
    is_prefill: bool = False


def matches(payload: object) -> bool:
    """Whether the payload is in this format."""
    if isinstance(payload, list):
        return _is_messages(payload) and _has_blocks(payload)
    if not isinstance(payload, dict):
        return False
    request, response = payload.get("request"), payload.get("response")
    if _is_answer(payload) or _is_answer(response):
        return True
    return _is_request(payload) or _is_request(request)


def _is_request(value: object) -> bool:
    if not isinstance(value, dict) or not _is_messages(value.get("messages")):
        return False
    return isinstance(value.get("system"), str | list) or _has_blocks(value["messages"])


def _is_answer(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.get("role") == "assistant"
        and isinstance(value.get("content"), list)
        and (value.get("type") == "message" or _has_blocks([value]))
    )


def _is_messages(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict)
        and isinstance(item.get("role"), str)
        and item["role"] in _ROLES
        and _FOREIGN_KEYS.isdisjoint(item)
        for item in value
    )


def _has_blocks(messages: list[Object]) -> bool:
    """Whether some block is of a type that only this format knows."""
    blocks = (
        block
        for message in messages
        if isinstance(content := message.get("content"), list)
        for block in content
        if isinstance(block, dict)
    )
    return any(_is_own_block(block) for block in blocks)


def _is_own_block(block: Object) -> bool:
    block_type = block.get("type")
    if not isinstance(block_type, str):
        return False
    if block_type == "thinking":
        return isinstance(block.get("thinking"), str)
    if block_type in _CALL_TYPES:
        return "input" in block
    return block_type == "redacted_thinking" or (
        block_type.endswith("tool_result") and "tool_use_id" in block
    )


def parse(payload: object, *, source: Source, default_id: str) -> Iterator[Transcript]:
    """Read one transcript.

    Raises:
        MalformedTranscriptError: If a message breaks the format's rules.
    """
    root = Place.root(NAME, source)
    log = expect_object({"messages": payload} if isinstance(payload, list) else payload, root)
    tools: ToolNames = {}
    messages = [*_system(log, root)]
    for turn in _turns(log, root):
        messages.extend(_messages(turn, tools))
    kept = metadata_of(_rest(log), root)
    yield Transcript(
        id=_id(log, root) or default_id,
        messages=tuple(messages),
        source=source,
        metadata=kept.values,
        dropped=kept.dropped,
    )


def _request(log: Object, root: Place) -> _Request:
    request = log.get("request")
    if "messages" not in log and isinstance(request, dict):
        return _Request(request, root.key("request"))
    return _Request(log, root)


def _system(log: Object, root: Place) -> Iterator[Message]:
    request, place = _request(log, root)
    system = request.get("system")
    if system is None:
        return
    draft = Draft()
    for block, block_place in _blocks(system, place.key("system")):
        _add_block(draft, block, block_place, {})
    yield draft.message(place.key("system").path, Role.SYSTEM)


def _turns(log: Object, root: Place) -> Iterator[_Turn]:
    """The messages sent, then the answer."""
    if _is_answer(log):
        yield _Turn(log, root)
        return
    request, place = _request(log, root)
    place = place.key("messages")
    # Only a request says that its last assistant message was not generated.
    is_request = request is not log or {"model", "max_tokens"} <= request.keys()
    items = expect_list(request.get("messages"), place)
    for index, item in enumerate(items):
        is_last = index == len(items) - 1
        yield _Turn(item, place.item(index), is_prefill=is_request and is_last)
    response = log.get("response")
    if isinstance(response, dict) and "content" in response:
        yield _Turn(response, root.key("response"))


def _rest(log: Object) -> Object:
    """What the log says besides messages; what went with a request stays under `request`."""
    hidden = ("id", "messages", "system", "role", "content", "type")
    rest = {key: value for key, value in log.items() if key not in hidden}
    for key in ("request", "response"):
        inner = rest.get(key)
        if isinstance(inner, dict):
            rest[key] = {name: value for name, value in inner.items() if name not in hidden[1:]}
    return rest


def _id(log: Object, root: Place) -> str | None:
    if (own := optional_id(log.get("id"), root.key("id"))) is not None:
        return own
    response = log.get("response")
    if not isinstance(response, dict):
        return None
    return optional_id(response.get("id"), root.key("response").key("id"))


def _messages(turn: _Turn, tools: ToolNames) -> Iterator[Message]:
    """A turn as messages: tool results apart from what the user or the agent says.

    Results of a user turn answer what came before and stand first; results in the agent's own turn
    (tools run by the server) stand behind it.
    """
    place = turn.place
    message = expect_object(turn.value, place)
    role = _expect_role(message, place)
    draft = Draft()
    results: list[Message] = []
    for block, block_place in _blocks(message.get("content"), place.key("content")):
        if _is_result(block):
            results.append(_result(block, block_place, tools))
        else:
            _add_block(draft, block, block_place, tools)
    said: list[Message] = []
    if not results or not draft.is_empty:
        author = optional_author(message, place)
        if author is None and turn.is_prefill and role is Role.ASSISTANT:
            author = Author.OPERATOR
        id = optional_id(message.get("id"), place.key("id")) or place.path or "message"
        said = [draft.message(id, role, author=author)]
    yield from said + results if role is Role.ASSISTANT else results + said


def _expect_role(message: Object, place: Place) -> Role:
    role = message.get("role")
    if isinstance(role, str) and role in _ROLES:
        return _ROLES[role]
    raise place.key("role").error(f"must be one of {', '.join(_ROLES)}")


def _blocks(content: object, place: Place) -> Iterator[_Block]:
    if content is None or isinstance(content, str):
        yield _Block({"type": "text", "text": content or ""}, place)
        return
    for index, block in enumerate(expect_list(content, place)):
        yield _Block(expect_object(block, place.item(index)), place.item(index))


def _is_result(block: Object) -> bool:
    block_type = block.get("type")
    return isinstance(block_type, str) and block_type.endswith("tool_result")


def _result(block: Object, place: Place, tools: ToolNames) -> Message:
    """A tool's result; the results of server tools keep their texts and count the rest."""
    call_id = optional_id(block.get("tool_use_id"), place.key("tool_use_id"))
    content = block.get("content")
    draft = Draft()
    if isinstance(content, dict):
        draft.drop(content.get("type"))
    else:
        for inner, inner_place in _blocks(content, place.key("content")):
            if inner.get("type") == "text":
                draft.add_text(optional_str(inner.get("text"), inner_place.key("text")))
            else:
                draft.drop(inner.get("type"))
    return draft.message(place.path, Role.TOOL, name=tools.get(call_id or ""))


def _add_block(draft: Draft, block: Object, place: Place, tools: ToolNames) -> None:
    block_type = block.get("type")
    if block_type == "text":
        draft.add_text(expect_str(block.get("text"), place.key("text")))
    elif block_type == "thinking" and block.get("thinking"):
        draft.add_reasoning(expect_str(block["thinking"], place.key("thinking")))
    elif block_type in ("thinking", "redacted_thinking"):
        # Thinking without text is what the service gives when the caller asked not to see it.
        draft.redact(block_type)
    elif block_type in _CALL_TYPES:
        call = _call(block, place)
        draft.calls.append(call)
        if call.id:
            tools[call.id] = call.name
    else:
        draft.drop(block_type)


def _call(block: Object, place: Place) -> ToolCall:
    return ToolCall(
        id=optional_id(block.get("id"), place.key("id")),
        name=expect_str(block.get("name"), place.key("name")),
        arguments=arguments_of(block.get("input"), place.key("input")),
    )
