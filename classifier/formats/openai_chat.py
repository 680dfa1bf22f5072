"""Read OpenAI chat completions, and what other services write in their image.

Reads bare message lists, requests, responses, pairs of both and fine-tuning rows. Reasoning is
taken from wherever a service puts it (`reasoning_content`, `reasoning`, `reasoning_details`, parts
of the content), once each.
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
    expect_role,
    expect_str,
    metadata_of,
    optional_author,
    optional_id,
    optional_list,
    optional_str,
)
from classifier.transcript import Message, Role, Source, ToolCall, Transcript

NAME: Final = "openai_chat"
TITLE: Final = "OpenAI chat completions: message lists, requests, responses and pairs of both"

_TEXT_TYPES: Final = frozenset({"text", "input_text", "output_text"})

ToolNames = dict[str, str]
"""Name of the tool by the id of its call; results name only the id."""


class _Found(NamedTuple):
    value: object
    place: Place


def matches(payload: object) -> bool:
    """Whether the payload is in this format."""
    if isinstance(payload, list):
        return bool(payload) and _is_messages(payload)
    if not isinstance(payload, dict):
        return False
    if "messages" in payload:
        return _is_messages(payload["messages"])
    request = payload.get("request")
    if isinstance(request, dict) and "messages" in request:
        return _is_messages(request["messages"])
    return _has_choices(payload) or _has_choices(payload.get("response"))


def _is_messages(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and "role" in item for item in value
    )


def _has_choices(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    choices = _body(value).get("choices")
    return (
        isinstance(choices, list)
        and bool(choices)
        and all(isinstance(item, dict) and "message" in item for item in choices)
    )


def _body(response: Object) -> Object:
    """The answer inside a row of the batch API's output, or the response itself."""
    body = response.get("body")
    return body if isinstance(body, dict) else response


def parse(payload: object, *, source: Source, default_id: str) -> Iterator[Transcript]:
    """Read one transcript, or one for each choice of a response with several.

    Raises:
        MalformedTranscriptError: If a message breaks the format's rules.
    """
    root = Place.root(NAME, source)
    log = expect_object({"messages": payload} if isinstance(payload, list) else payload, root)
    tools: ToolNames = {}
    sent = tuple(_message(found, tools) for found in _sent(log, root))
    answers = [[_message(found, tools)] for found in _answers(log, root)] or [[]]
    kept = metadata_of(_rest(log), root)
    id = _id(log, root) or default_id
    for number, answer in enumerate(answers):
        yield Transcript(
            id=id if len(answers) == 1 else f"{id}#choice{number}",
            messages=(*sent, *answer),
            source=source,
            metadata=kept.values,
            dropped=kept.dropped,
        )


def _sent(log: Object, root: Place) -> Iterator[_Found]:
    """Messages that were sent to the model, in order."""
    request = log.get("request")
    if "messages" not in log and isinstance(request, dict):
        log, root = request, root.key("request")
    place = root.key("messages")
    for index, item in enumerate(optional_list(log.get("messages"), place)):
        yield _Found(item, place.item(index))


def _answers(log: Object, root: Place) -> Iterator[_Found]:
    """Messages that came back, each an alternative to the others."""
    response = log.get("response")
    if isinstance(response, dict):
        log, root = _body(response), root.key("response")
        if "role" in log:
            yield _Found(log, root)
    place = root.key("choices")
    for index, item in enumerate(optional_list(log.get("choices"), place)):
        choice = expect_object(item, place.item(index))
        yield _Found(choice.get("message"), place.item(index).key("message"))


def _rest(log: Object) -> Object:
    """What the log says besides messages; what went with a request stays under `request`."""
    rest = {key: value for key, value in log.items() if key not in ("id", "messages", "choices")}
    for key in ("request", "response"):
        inner = rest.get(key)
        if isinstance(inner, dict):
            hidden = ("messages", "choices", "role", "content", "body")
            rest[key] = {name: value for name, value in inner.items() if name not in hidden}
    return rest


def _id(log: Object, root: Place) -> str | None:
    if (own := optional_id(log.get("id"), root.key("id"))) is not None:
        return own
    response = log.get("response")
    if not isinstance(response, dict):
        return None
    return optional_id(_body(response).get("id"), root.key("response").key("id"))


def _message(found: _Found, tools: ToolNames) -> Message:
    place = found.place
    message = expect_object(found.value, place)
    role = expect_role(message, place)
    draft = Draft()
    _add_reasoning(draft, message, place)
    _add_content(draft, message.get("content"), place.key("content"))
    draft.add_text(optional_str(message.get("refusal"), place.key("refusal")))
    _add_audio(draft, message.get("audio"))
    draft.calls.extend(_calls(message, place))
    tools.update({call.id: call.name for call in draft.calls if call.id})
    name = optional_id(message.get("name"), place.key("name"))
    if name is None and role is Role.TOOL:
        call_id = optional_id(message.get("tool_call_id"), place.key("tool_call_id"))
        name = tools.get(call_id or "")
    id = optional_id(message.get("id"), place.key("id")) or place.path
    return draft.message(id, role, author=optional_author(message, place), name=name)


def _add_content(draft: Draft, content: object, place: Place) -> None:
    if content is None or isinstance(content, str):
        draft.add_text(optional_str(content, place))
        return
    for index, item in enumerate(expect_list(content, place)):
        part_place = place.item(index)
        if isinstance(item, str):
            draft.add_text(expect_str(item, part_place))
        else:
            _add_part(draft, expect_object(item, part_place), part_place)


def _add_part(draft: Draft, part: Object, place: Place) -> None:
    part_type = part.get("type")
    if part_type in _TEXT_TYPES:
        draft.add_text(expect_str(part.get("text"), place.key("text")))
    elif part_type == "refusal":
        draft.add_text(expect_str(part.get("refusal"), place.key("refusal")))
    elif part_type in ("reasoning", "thinking"):
        _add_reasoning_part(draft, part, place)
    else:
        draft.drop(part_type)


def _add_reasoning_part(draft: Draft, part: Object, place: Place) -> None:
    """Reasoning among the content: Mistral's `thinking`, or `reasoning` as agents log it."""
    summary = optional_str(part.get("summary"), place.key("summary"))
    key = "thinking" if part.get("type") == "thinking" else "reasoning"
    shown = None if part.get("redacted") else part.get(key, part.get("text"))
    if isinstance(shown, list):
        inner = Draft()
        _add_content(inner, shown, place.key(key))
        draft.dropped.update(inner.dropped)
        for text in inner.texts:
            draft.add_reasoning(text)
    elif text := optional_str(shown, place.key(key)):
        draft.add_reasoning(text)
    elif summary:
        draft.add_reasoning(summary, is_summary=True)
    else:
        draft.redact(part.get("type"))


def _add_reasoning(draft: Draft, message: Object, place: Place) -> None:
    """Reasoning beside the content; OpenRouter gives it twice, as text and as details."""
    texts = [
        optional_str(message.get(key), place.key(key)) for key in ("reasoning_content", "reasoning")
    ]
    place = place.key("reasoning_details")
    details = [
        expect_object(item, place.item(index))
        for index, item in enumerate(optional_list(message.get("reasoning_details"), place))
    ]
    types = {detail.get("type") for detail in details if isinstance(detail.get("type"), str)}
    is_summary = "reasoning.summary" in types and "reasoning.text" not in types
    for text in dict.fromkeys(texts):
        draft.add_reasoning(text, is_summary=is_summary)
    is_shown = bool(draft.reasoning)
    for index, detail in enumerate(details):
        _add_detail(draft, detail, place.item(index), is_shown=is_shown)


def _add_detail(draft: Draft, detail: Object, place: Place, *, is_shown: bool) -> None:
    detail_type = detail.get("type")
    if detail_type == "reasoning.encrypted":
        draft.redact(detail_type)
    elif detail_type not in ("reasoning.text", "reasoning.summary"):
        draft.drop(detail_type)
    elif not is_shown:
        key = "text" if detail_type == "reasoning.text" else "summary"
        text = optional_str(detail.get(key), place.key(key))
        draft.add_reasoning(text, is_summary=key == "summary")


def _add_audio(draft: Draft, audio: object) -> None:
    """Speech is dropped; its transcript is what the agent said."""
    if not isinstance(audio, dict):
        return
    draft.drop("audio")
    transcript = audio.get("transcript")
    if isinstance(transcript, str) and transcript not in draft.texts:
        draft.add_text(transcript)


def _calls(message: Object, place: Place) -> Iterator[ToolCall]:
    calls_place = place.key("tool_calls")
    for index, item in enumerate(optional_list(message.get("tool_calls"), calls_place)):
        call_place = calls_place.item(index)
        call = expect_object(item, call_place)
        yield _call(call, optional_id(call.get("id"), call_place.key("id")), call_place)
    legacy = message.get("function_call")
    if legacy is not None:
        place = place.key("function_call")
        yield _call(expect_object(legacy, place), None, place)


def _call(call: Object, id: str | None, place: Place) -> ToolCall:
    """A call in OpenAI's nesting, or flat as many frameworks log it."""
    inner = call
    for key in ("function", "custom"):
        nested = call.get(key)
        if isinstance(nested, dict):
            inner, place = nested, place.key(key)
            break
    name = inner.get("name", inner.get("function"))
    arguments = "input" if "arguments" not in inner and "input" in inner else "arguments"
    return ToolCall(
        id=id,
        name=expect_str(name, place.key("name")),
        arguments=arguments_of(inner.get(arguments), place.key(arguments)),
    )
