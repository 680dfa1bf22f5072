import pytest

from classifier.errors import MalformedTranscriptError
from classifier.formats import inspect_log, parse_payload
from tests.classifier.formats.samples import JSON, Said, all_said


def sample(*messages: JSON, **fields: object) -> JSON:
    return {"id": "s", "epoch": 1, "input": "x", "target": "", "messages": list(messages), **fields}


def log(*samples: JSON) -> JSON:
    return {
        "version": 2,
        "status": "success",
        "eval": {"model": "mockllm/model", "task": "demo", "created": "2026-11-01"},
        "samples": list(samples),
    }


def assistant(*content: object, **fields: object) -> JSON:
    return {"role": "assistant", "content": list(content), **fields}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            {"role": "user", "content": "Hi"}, [Said("user", "human", "Hi")], id="a user message"
        ),
        pytest.param(
            assistant(
                {"type": "reasoning", "reasoning": "Hm"},
                {"type": "text", "text": "Ok"},
                {"type": "image", "image": "data:"},
                tool_calls=[{"id": "c", "function": "f", "arguments": {"a": 1}}],
            ),
            [Said("assistant", "agent", "Ok", "Hm", "full", (("f", {"a": 1}),), (("image", 1),))],
            id="reasoning, text, media and a call",
        ),
        pytest.param(
            assistant({"type": "reasoning", "reasoning": "gA", "redacted": True, "summary": "S"}),
            [Said("assistant", "agent", "", "S", "summary")],
            id="of redacted reasoning the summary",
        ),
        pytest.param(
            assistant({"type": "reasoning", "reasoning": "gA", "redacted": True}),
            [Said("assistant", "agent", kind="redacted", dropped=(("reasoning", 1),))],
            id="ciphertext is never read as words",
        ),
        pytest.param(
            {"role": "assistant", "content": "Sure:", "metadata": {"prefill": True}},
            [Said("assistant", "operator", "Sure:")],
            id="a prefill is the operator's",
        ),
        pytest.param(
            {"role": "assistant", "content": "Ok", "reasoning": "Hm"},
            [Said("assistant", "agent", "Ok", "Hm", "full")],
            id="reasoning beside the content, in old logs",
        ),
        pytest.param(
            assistant(
                {"type": "tool_use", "id": "w", "name": "search", "arguments": "q", "result": "r"}
            ),
            [
                Said("assistant", "agent", calls=(("search", "q"),)),
                Said("tool", "environment", "r", name="search"),
            ],
            id="a server tool's result is not the agent's",
        ),
        pytest.param(
            assistant(
                tool_calls=[{"function": "f", "arguments": {}, "parse_error": "cannot parse {oops"}]
            ),
            [Said("assistant", "agent", calls=(("f", "cannot parse {oops"),))],
            id="arguments that did not parse are kept",
        ),
        pytest.param(
            {"role": "tool", "content": "", "function": "f", "error": {"message": "timed out"}},
            [Said("tool", "environment", "timed out", name="f")],
            id="a tool's error is its result",
        ),
        pytest.param(
            {"role": "user", "content": "attachment://aa"},
            [Said("user", "human", "a long text")],
            id="an attachment is resolved",
        ),
        pytest.param(
            assistant(tool_calls=[{"function": "f", "arguments": {"x": ["tc://aa"]}}]),
            [Said("assistant", "agent", calls=(("f", {"x": ["a long text"]}),))],
            id="an attachment of an old log inside arguments",
        ),
    ],
)
def test_a_message_is_read(message: JSON, expected: list[Said]) -> None:
    payload = log(sample(message, attachments={"aa": "a long text"}))
    (transcript,) = parse_payload(payload, default_id="x")
    assert transcript.source.format == inspect_log.NAME
    assert all_said(transcript) == expected


def test_each_sample_and_epoch_is_a_transcript() -> None:
    payload = log(sample(), sample(epoch=2), sample(id=7))
    transcripts = parse_payload(payload, default_id="x", path="run.json")
    assert [transcript.id for transcript in transcripts] == ["s#1", "s#2", "7#1"]
    assert transcripts[1].source.sample == "s epoch 2"


def test_a_sample_alone_is_read() -> None:
    (transcript,) = parse_payload(sample({"role": "user", "content": "Hi"}), default_id="x")
    assert (transcript.id, all_said(transcript)) == ("s#1", [Said("user", "human", "Hi")])


def test_metadata_says_how_the_sample_went() -> None:
    outcome: JSON = {
        "scores": {"match": {"value": float("nan")}},
        "error": {"message": "boom", "traceback": "..."},
        "limit": {"type": "token", "limit": 10},
        "metadata": {"variant": 3},
    }
    (transcript,) = parse_payload(log(sample(**outcome)), default_id="x")
    assert transcript.metadata == {
        "status": "success",
        "model": "mockllm/model",
        "task": "demo",
        "created": "2026-11-01",
        "scores": {"match": {"value": "NaN"}},
        "error": "boom",
        "limit": {"type": "token", "limit": 10},
        "sample_metadata": {"variant": 3},
    }


def test_a_missing_attachment_is_counted() -> None:
    (transcript,) = parse_payload(
        log(sample({"role": "user", "content": "attachment://zz"})), default_id="x"
    )
    assert all_said(transcript) == [Said("user", "human", "attachment://zz")]
    assert transcript.dropped == {"attachment": 1}


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        pytest.param(log(), "samples", id="no samples"),
        pytest.param({**log(), "samples": 3}, "samples", id="samples that are no list"),
        pytest.param(log(sample(), sample(messages=3)), "samples[1], messages", id="no messages"),
        pytest.param(log(sample({"role": "x"})), "samples[0], messages[0].role", id="a bad role"),
        pytest.param(
            log(sample(assistant({"type": "text"}))),
            "samples[0], messages[0].content[0].text",
            id="a text part without text",
        ),
        pytest.param(sample(assistant(tool_calls=[3])), "messages[0].tool_calls[0]", id="a call"),
    ],
)
def test_a_broken_log_is_an_error_with_its_place(payload: JSON, where: str) -> None:
    with pytest.raises(MalformedTranscriptError) as caught:
        parse_payload(payload, default_id="x")
    assert (caught.value.format, caught.value.where) == ("inspect_log", where)
