"""Read Inspect AI logs: an `EvalLog` as JSON, or one of its samples.

Read without `inspect_ai`; a differential test holds the two readers together. Reasoning that a
provider encrypted is never read as words, and a prefilled assistant message is the operator's.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeGuard

from classifier.formats.drafts import Draft
from classifier.formats.fields import (
    Object,
    Place,
    arguments_of,
    expect_list,
    expect_object,
    expect_role,
    expect_str,
    json_value,
    metadata_of,
    optional_id,
    optional_list,
    optional_str,
)
from classifier.transcript import (
    Author,
    Message,
    Role,
    Source,
    ToolCall,
    Transcript,
    mend_surrogates,
)

NAME: Final = "inspect_log"
TITLE: Final = "Inspect AI logs: .eval archives and EvalLog JSON, a transcript for each sample"

_REFERENCES: Final = ("attachment://", "tc://")
"""What begins a string that stands elsewhere in the sample; `tc://` in logs before 2025."""

_SAMPLE_KEYS: Final = frozenset({"id", "epoch", "input", "messages"})


class Sample(NamedTuple):
    """A sample of a log and where it stands there."""

    place: str
    value: object


class _Part(NamedTuple):
    value: Object
    place: Place


def matches(payload: object) -> bool:
    """Whether the payload is in this format."""
    if not isinstance(payload, dict):
        return False
    return is_log(payload) or payload.keys() >= _SAMPLE_KEYS


def is_log(payload: object) -> TypeGuard[Object]:
    """Whether the payload is a whole log, not a sample."""
    if not isinstance(payload, dict):
        return False
    return isinstance(payload.get("eval"), dict) and ("status" in payload or "plan" in payload)


def parse(payload: object, *, source: Source, default_id: str) -> Iterator[Transcript]:
    """Read the samples of a log, or one sample alone.

    Raises:
        MalformedTranscriptError: If a sample breaks the format's rules, or there is none.
    """
    root = Place.root(NAME, source)
    log = expect_object(payload, root)
    if not is_log(log):
        yield parse_sample(log, header={}, source=source, default_id=default_id)
        return
    for sample in samples_of(log, root):
        record = ", ".join(filter(None, (source.sample, sample.place)))
        inner = source.model_copy(update={"sample": record})
        yield parse_sample(
            sample.value, header=log, source=inner, default_id=f"{default_id}:{sample.place}"
        )


def samples_of(log: Object, root: Place) -> list[Sample]:
    """The samples of a log.

    Raises:
        MalformedTranscriptError: If there is none.
    """
    place = root.key("samples")
    samples = optional_list(log.get("samples"), place)
    if not samples:
        raise place.error("the log holds no samples")
    return [Sample(place.item(index).path, value) for index, value in enumerate(samples)]


def parse_sample(sample: object, *, header: Object, source: Source, default_id: str) -> Transcript:
    """Read one sample.

    Args:
        sample: The decoded `EvalSample`.
        header: The decoded `EvalLog` that it belongs to, or as much of it as there is.
        source: Where it stands; `sample` becomes its id and epoch.
        default_id: Id for a sample without one.

    Raises:
        MalformedTranscriptError: If it breaks the format's rules.
    """
    place = Place.root(NAME, source)
    value = expect_object(sample, place)
    sample_id = optional_id(value.get("id"), place.key("id"))
    epoch = optional_id(value.get("epoch"), place.key("epoch")) or "1"
    attachments = _Attachments(value)
    messages_place = place.key("messages")
    messages: list[Message] = []
    for index, item in enumerate(expect_list(value.get("messages"), messages_place)):
        item_place = messages_place.item(index)
        whole = json_value(item, item_place, text=attachments.resolve)
        messages.extend(_messages(expect_object(whole, item_place), item_place))
    n_missing = attachments.n_missing
    kept = metadata_of(_metadata(value, header), place)
    return Transcript(
        id=f"{sample_id}#{epoch}" if sample_id else default_id,
        messages=tuple(messages),
        source=source.model_copy(update={"sample": f"{sample_id} epoch {epoch}"})
        if sample_id
        else source,
        metadata=kept.values,
        dropped=kept.dropped | ({"attachment": n_missing} if n_missing else {}),
    )


class _Attachments:
    """Strings that a sample keeps once and refers to by hash."""

    def __init__(self, sample: Object) -> None:
        stored = sample.get("attachments")
        old = sample.get("transcript")  # where logs before 2025 kept them
        if not stored and isinstance(old, dict):
            stored = old.get("content")
        self._texts: Object = stored if isinstance(stored, dict) else {}
        self.n_missing = 0

    def resolve(self, text: str) -> object:
        """The string itself, or what it refers to."""
        prefix = next((start for start in _REFERENCES if text.startswith(start)), None)
        if prefix is not None:
            stored = self._texts.get(text.removeprefix(prefix))
            if isinstance(stored, str):
                text = stored
            else:
                self.n_missing += 1
        return mend_surrogates(text)


def _metadata(sample: Object, header: Object) -> Object:
    """What graders and reports ask of a sample: model, task, scores, how it ended."""
    evaluation = header.get("eval")
    error = sample.get("error")
    about = {"status": header.get("status"), "running": header.get("running")}
    if isinstance(evaluation, dict):
        about |= {key: evaluation.get(key) for key in ("model", "task", "eval_id", "created")}
    about |= {key: sample.get(key) for key in ("uuid", "scores", "limit")}
    about["error"] = error.get("message") if isinstance(error, dict) else error
    return about | {"sample_metadata": sample.get("metadata") or None}


def _messages(message: Object, place: Place) -> Iterator[Message]:
    """A message, and behind it the results of tools that the provider ran inside it."""
    role = expect_role(message, place)
    draft = Draft()
    results: list[Message] = []
    # Logs of early 2025 keep reasoning beside the content.
    draft.add_reasoning(optional_str(message.get("reasoning"), place.key("reasoning")))
    for part, part_place in _parts(message.get("content"), place.key("content")):
        _add_part(draft, part, part_place)
        if part.get("type") == "tool_use":
            results.extend(_server_result(part, part_place))
    draft.calls.extend(_calls(message.get("tool_calls"), place.key("tool_calls")))
    if role is Role.TOOL:
        _add_error(draft, message.get("error"))
    yield draft.message(
        optional_id(message.get("id"), place.key("id")) or place.path,
        role,
        author=Author.OPERATOR if role is Role.ASSISTANT and _is_prefill(message) else None,
        name=optional_id(message.get("function"), place.key("function")),
    )
    yield from results


def _is_prefill(message: Object) -> bool:
    metadata = message.get("metadata")
    return isinstance(metadata, dict) and metadata.get("prefill") is True


def _parts(content: object, place: Place) -> Iterator[_Part]:
    if content is None or isinstance(content, str):
        yield _Part({"type": "text", "text": content or ""}, place)
        return
    for index, part in enumerate(expect_list(content, place)):
        yield _Part(expect_object(part, place.item(index)), place.item(index))


def _add_part(draft: Draft, part: Object, place: Place) -> None:
    part_type = part.get("type")
    if part_type == "text":
        draft.add_text(expect_str(part.get("text"), place.key("text")))
    elif part_type == "reasoning":
        _add_reasoning_part(draft, part, place)
    elif part_type == "tool_use":
        draft.calls.append(
            ToolCall(
                id=optional_id(part.get("id"), place.key("id")),
                name=expect_str(part.get("name"), place.key("name")),
                arguments=arguments_of(part.get("arguments"), place.key("arguments")),
            )
        )
    else:
        draft.drop(part_type)


def _add_reasoning_part(draft: Draft, part: Object, place: Place) -> None:
    """Reasoning; when redacted, `reasoning` is ciphertext and only the summary is words."""
    summary = optional_str(part.get("summary"), place.key("summary"))
    shown = optional_str(part.get("reasoning"), place.key("reasoning"))
    if shown and not part.get("redacted"):
        draft.add_reasoning(shown)
    elif summary:
        draft.add_reasoning(summary, is_summary=True)
    elif part.get("redacted") or part.get("signature"):
        draft.redact("reasoning")


def _server_result(part: Object, place: Place) -> Iterator[Message]:
    draft = Draft()
    draft.add_text(optional_str(part.get("result"), place.key("result")))
    draft.add_text(optional_str(part.get("error"), place.key("error")))
    if not draft.is_empty:
        name = optional_id(part.get("name"), place.key("name"))
        yield draft.message(place.key("result").path, Role.TOOL, name=name)


def _calls(calls: object, place: Place) -> Iterator[ToolCall]:
    for index, item in enumerate(optional_list(calls, place)):
        call_place = place.item(index)
        call = expect_object(item, call_place)
        arguments = arguments_of(call.get("arguments"), call_place.key("arguments"))
        if not arguments:
            # What could not be parsed stands nowhere but in the error.
            problem = call.get("parse_error")
            arguments = optional_str(problem, call_place.key("parse_error")) or arguments
        yield ToolCall(
            id=optional_id(call.get("id"), call_place.key("id")),
            name=expect_str(call.get("function"), call_place.key("function")),
            arguments=arguments,
        )


def _add_error(draft: Draft, error: object) -> None:
    """A tool's error, which Inspect shows to the agent in place of a result."""
    text = error.get("message") if isinstance(error, dict) else None
    if isinstance(text, str) and text not in draft.texts:
        draft.add_text(text)
