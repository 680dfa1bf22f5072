import pytest

from classifier.errors import MalformedTranscriptError
from classifier.formats import openai_chat, parse_payload
from tests.classifier.formats.samples import JSON, Said, all_said

USER: JSON = {"role": "user", "content": "Hi"}
ANSWER: JSON = {"role": "assistant", "content": "Hello"}
HUMAN = Said("user", "human", "Hi")
AGENT = Said("assistant", "agent", "Hello")


def assistant(**fields: object) -> list[JSON]:
    return [{"role": "assistant", **fields}]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param([USER, ANSWER], [HUMAN, AGENT], id="a bare list of messages"),
        pytest.param({"messages": [USER, ANSWER]}, [HUMAN, AGENT], id="a fine-tuning row"),
        pytest.param(
            {
                "request": {"model": "m", "messages": [USER]},
                "response": {"choices": [{"message": ANSWER}]},
            },
            [HUMAN, AGENT],
            id="a pair of request and response",
        ),
        pytest.param(
            {"request": {"messages": [USER]}, "response": None},
            [HUMAN],
            id="a pair without response",
        ),
        pytest.param(
            {"messages": [USER], "choices": [{"message": ANSWER}]},
            [HUMAN, AGENT],
            id="messages and choices together",
        ),
        pytest.param({"choices": [{"message": ANSWER}]}, [AGENT], id="a response alone"),
        pytest.param(
            {"custom_id": "r", "response": {"body": {"choices": [{"message": ANSWER}]}}},
            [AGENT],
            id="a row of the batch API's output",
        ),
    ],
)
def test_a_payload_is_read(payload: object, expected: list[Said]) -> None:
    (transcript,) = parse_payload(payload, default_id="x")
    assert transcript.source.format == openai_chat.NAME
    assert all_said(transcript) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            {"role": "developer", "content": "Be good."},
            Said("system", "operator", "Be good."),
            id="developer is a system role",
        ),
        pytest.param(
            {"role": "function", "name": "f", "content": "3"},
            Said("tool", "environment", "3", name="f"),
            id="function is a tool role",
        ),
        pytest.param(
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, "b"],
            },
            Said("user", "human", "a\n\nb", dropped=(("image_url", 1),)),
            id="texts are joined and media counted",
        ),
        pytest.param(
            {"role": "user", "content": [{"type": "<b>odd</b>"}, {}, {"type": 3}]},
            Said("user", "human", dropped=(("unknown", 3),)),
            id="parts without a plain type are counted as unknown",
        ),
        pytest.param(
            {"role": "assistant", "content": None, "refusal": "No."},
            Said("assistant", "agent", "No."),
            id="a refusal is the agent's text",
        ),
        pytest.param(
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            Said("assistant", "agent", "No."),
            id="so is a refusal part",
        ),
        pytest.param(
            {"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "Spoken."}},
            Said("assistant", "agent", "Spoken.", dropped=(("audio", 1),)),
            id="of speech the transcript is read",
        ),
        pytest.param(
            {"role": "assistant", "content": "Ok", "reasoning_content": "Hm"},
            Said("assistant", "agent", "Ok", "Hm", "full"),
            id="reasoning_content",
        ),
        pytest.param(
            {"role": "assistant", "content": "Ok", "reasoning_content": "Hm", "reasoning": "Hm"},
            Said("assistant", "agent", "Ok", "Hm", "full"),
            id="reasoning given twice is read once",
        ),
        pytest.param(
            {
                "role": "assistant",
                "content": "Ok",
                "reasoning": "Hm",
                "reasoning_details": [
                    {"type": "reasoning.summary", "summary": "Hm"},
                    {"type": "reasoning.encrypted", "data": "gAAA"},
                ],
            },
            Said(
                "assistant", "agent", "Ok", "Hm", "summary", dropped=(("reasoning.encrypted", 1),)
            ),
            id="details say that the reasoning is a summary",
        ),
        pytest.param(
            {"role": "assistant", "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]},
            Said("assistant", "agent", "", "Hm", "full"),
            id="reasoning in details only",
        ),
        pytest.param(
            {
                "role": "assistant",
                "reasoning_details": [{"type": "reasoning.encrypted", "data": "g"}],
            },
            Said("assistant", "agent", kind="redacted", dropped=(("reasoning.encrypted", 1),)),
            id="encrypted reasoning is redacted",
        ),
        pytest.param(
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
                    {"type": "text", "text": "Ok"},
                ],
            },
            Said("assistant", "agent", "Ok", "Hm", "full"),
            id="thinking among the content, in parts",
        ),
        pytest.param(
            {
                "role": "assistant",
                "content": [
                    {"type": "reasoning", "reasoning": "gA", "redacted": True, "summary": "S"}
                ],
            },
            Said("assistant", "agent", "", "S", "summary"),
            id="of redacted reasoning only the summary",
        ),
        pytest.param(
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
            Said("assistant", "agent", calls=(("f", {"a": 1}),)),
            id="a tool call",
        ),
        pytest.param(
            {
                "role": "assistant",
                "tool_calls": [{"function": {"name": "f", "arguments": '{"a": '}}],
            },
            Said("assistant", "agent", calls=(("f", '{"a": '),)),
            id="broken arguments stay as written",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"custom": {"name": "sh", "input": "ls"}}]},
            Said("assistant", "agent", calls=(("sh", "ls"),)),
            id="a custom tool",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"id": "c", "name": "f", "arguments": {}}]},
            Said("assistant", "agent", calls=(("f", {}),)),
            id="a flat call",
        ),
        pytest.param(
            {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
            Said("assistant", "agent", calls=(("f", {}),)),
            id="a legacy function call",
        ),
        pytest.param(
            {"role": "assistant", "content": "Sure:", "author": "prefill"},
            Said("assistant", "operator", "Sure:"),
            id="an author where one is stated",
        ),
    ],
)
def test_a_message_is_read(message: JSON, expected: Said) -> None:
    (transcript,) = parse_payload([message], format="openai_chat", default_id="x")
    assert all_said(transcript) == [expected]


def test_a_result_bears_the_name_of_the_tool_it_answers() -> None:
    call = {"id": "c1", "function": {"name": "inbox", "arguments": "{}"}}
    result: JSON = {"role": "tool", "tool_call_id": "c1", "content": "3 emails"}
    (transcript,) = parse_payload([*assistant(tool_calls=[call]), result], default_id="x")
    assert all_said(transcript)[1] == Said("tool", "environment", "3 emails", name="inbox")


def test_each_choice_is_a_transcript_of_its_own() -> None:
    payload = {
        "id": "r1",
        "messages": [USER],
        "choices": [{"message": ANSWER}, {"message": {"role": "assistant", "content": "Go away"}}],
    }
    first, second = parse_payload(payload, default_id="x")
    assert [first.id, second.id] == ["r1#choice0", "r1#choice1"]
    assert all_said(first) == [HUMAN, AGENT]
    assert all_said(second) == [HUMAN, Said("assistant", "agent", "Go away")]


def test_a_pair_keeps_its_id_and_what_else_was_sent() -> None:
    payload = {
        "request": {"model": "m", "messages": [USER]},
        "response": {"id": "chatcmpl-1", "usage": {"n": 3}, "choices": [{"message": ANSWER}]},
    }
    (transcript,) = parse_payload(payload, default_id="x")
    assert transcript.id == "chatcmpl-1"
    assert transcript.metadata["request"] == {"model": "m"}
    assert [message.id for message in transcript.messages] == [
        "request.messages[0]",
        "response.choices[0].message",
    ]


def test_plain_messages_read_alike_as_native_and_as_openai() -> None:
    row = {"id": "a", "model": "m", "messages": [USER, ANSWER]}
    (one,) = parse_payload(row, format="native", default_id="x")
    (other,) = parse_payload(row, format="openai_chat", default_id="x")
    assert one.model_copy(update={"source": other.source}) == other


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        pytest.param(3, "", id="a number"),
        pytest.param([USER, 3], "messages[1]", id="a message that is no object"),
        pytest.param([{"role": "boss"}], "messages[0].role", id="unknown role"),
        pytest.param([{"role": "user", "content": {}}], "messages[0].content", id="content object"),
        pytest.param(
            [USER, *assistant(content=[{"type": "text"}])],
            "messages[1].content[0].text",
            id="a text part without text",
        ),
        pytest.param(
            assistant(tool_calls=[{"function": {"arguments": "{}"}}]),
            "messages[0].tool_calls[0].function.name",
            id="a call without a name",
        ),
        pytest.param(
            assistant(tool_calls={"a": 1}), "messages[0].tool_calls", id="calls that are no list"
        ),
        pytest.param(
            assistant(reasoning={"effort": "high"}), "messages[0].reasoning", id="reasoning object"
        ),
        pytest.param({"messages": [], "choices": [{}]}, "choices[0].message", id="an empty choice"),
    ],
)
def test_a_broken_log_is_an_error_with_its_place(payload: object, where: str) -> None:
    with pytest.raises(MalformedTranscriptError) as caught:
        parse_payload(payload, format="openai_chat", default_id="x")
    assert (caught.value.format, caught.value.where) == ("openai_chat", where)
