import pytest

from classifier.errors import MalformedTranscriptError
from classifier.formats import anthropic, parse_payload
from tests.classifier.formats.samples import JSON, Said, all_said

USER: JSON = {"role": "user", "content": "Hi"}
HUMAN = Said("user", "human", "Hi")
THINKING: JSON = {"type": "thinking", "thinking": "Hm", "signature": "s"}
TEXT: JSON = {"type": "text", "text": "Hello"}
CALL: JSON = {"type": "tool_use", "id": "t1", "name": "inbox", "input": {"n": 3}}
RESULT: JSON = {"type": "tool_result", "tool_use_id": "t1", "content": "3 emails"}
CALLED = (("inbox", {"n": 3}),)


def assistant(*blocks: JSON) -> JSON:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: JSON) -> JSON:
    return {"role": "user", "content": list(blocks)}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param(
            [USER, assistant(THINKING, TEXT, CALL)],
            [HUMAN, Said("assistant", "agent", "Hello", "Hm", "full", CALLED)],
            id="thinking, text and tool use",
        ),
        pytest.param(
            [assistant(CALL), user(RESULT)],
            [
                Said("assistant", "agent", calls=CALLED),
                Said("tool", "environment", "3 emails", name="inbox"),
            ],
            id="a tool result in a user turn is the environment's",
        ),
        pytest.param(
            [assistant(CALL), user(RESULT, {"type": "text", "text": "And?"})],
            [
                Said("assistant", "agent", calls=CALLED),
                Said("tool", "environment", "3 emails", name="inbox"),
                Said("user", "human", "And?"),
            ],
            id="what the user says beside a result is the user's",
        ),
        pytest.param(
            [user({**RESULT, "content": [{"type": "text", "text": "a"}, {"type": "image"}]})],
            [Said("tool", "environment", "a", dropped=(("image", 1),))],
            id="a result of blocks",
        ),
        pytest.param(
            [assistant({"type": "redacted_thinking", "data": "gA"}, TEXT)],
            [Said("assistant", "agent", "Hello", "", "redacted", (), (("redacted_thinking", 1),))],
            id="redacted thinking is never read as words",
        ),
        pytest.param(
            [assistant({"type": "thinking", "thinking": "", "signature": "s"}, TEXT)],
            [Said("assistant", "agent", "Hello", "", "redacted", (), (("thinking", 1),))],
            id="thinking without its text is redacted",
        ),
        pytest.param(
            [assistant(THINKING, {**THINKING, "thinking": "Ha"}, TEXT, {**TEXT, "text": "Bye"})],
            [Said("assistant", "agent", "Hello\n\nBye", "Hm\n\nHa", "full")],
            id="blocks of one channel are joined",
        ),
        pytest.param(
            [
                assistant(
                    {
                        "type": "server_tool_use",
                        "id": "s",
                        "name": "web_search",
                        "input": {"q": "a"},
                    },
                    {
                        "type": "web_search_tool_result",
                        "tool_use_id": "s",
                        "content": [{"type": "web_search_result", "url": "u"}],
                    },
                    TEXT,
                )
            ],
            [
                Said("assistant", "agent", "Hello", calls=(("web_search", {"q": "a"}),)),
                Said("tool", "environment", dropped=(("web_search_result", 1),), name="web_search"),
            ],
            id="a server tool's result is not the agent's",
        ),
        pytest.param(
            [user({"type": "image"}, {"type": "document"}), assistant(THINKING)],
            [
                Said("user", "human", dropped=(("document", 1), ("image", 1))),
                Said("assistant", "agent", "", "Hm", "full"),
            ],
            id="media are counted",
        ),
    ],
)
def test_messages_are_read(messages: list[JSON], expected: list[Said]) -> None:
    (transcript,) = parse_payload({"messages": messages}, default_id="x")
    assert transcript.source.format == anthropic.NAME
    assert all_said(transcript) == expected
    (bare,) = parse_payload(messages, default_id="x")
    assert bare.messages == transcript.messages


@pytest.mark.parametrize(
    "system",
    [
        pytest.param("Be good.", id="a string"),
        pytest.param([{"type": "text", "text": "Be good."}], id="blocks"),
    ],
)
def test_the_system_prompt_stands_first(system: object) -> None:
    (transcript,) = parse_payload({"system": system, "messages": [USER]}, default_id="x")
    assert all_said(transcript) == [Said("system", "operator", "Be good."), HUMAN]
    assert [message.id for message in transcript.messages] == ["system", "messages[0]"]


ANSWER: JSON = {"role": "assistant", "content": "Sure:"}


@pytest.mark.parametrize(
    ("extra", "author"),
    [
        pytest.param({"model": "m", "max_tokens": 9}, "operator", id="the end of a request"),
        pytest.param({"model": "m"}, "agent", id="a log that names its model"),
        pytest.param({}, "agent", id="a log"),
    ],
)
def test_only_a_request_ends_with_a_prefill(extra: JSON, author: str) -> None:
    payload = {"system": "s", "messages": [USER, ANSWER], **extra}
    (transcript,) = parse_payload(payload, default_id="x")
    assert all_said(transcript)[-1] == Said("assistant", author, "Sure:")


def test_a_pair_gives_the_prefill_to_the_operator_and_the_answer_to_the_agent() -> None:
    payload = {
        "request": {"model": "m", "system": "s", "messages": [USER, ANSWER]},
        "response": {"id": "msg_1", "type": "message", "role": "assistant", "content": [TEXT]},
    }
    (transcript,) = parse_payload(payload, default_id="x")
    assert transcript.id == "msg_1"
    assert all_said(transcript)[-2:] == [
        Said("assistant", "operator", "Sure:"),
        Said("assistant", "agent", "Hello"),
    ]


def test_an_answer_alone_is_read() -> None:
    payload = {"id": "msg_1", "type": "message", "role": "assistant", "content": [THINKING, TEXT]}
    (transcript,) = parse_payload(payload, default_id="x")
    assert transcript.id == "msg_1"
    assert all_said(transcript) == [Said("assistant", "agent", "Hello", "Hm", "full")]


def test_ids_say_where_a_result_stands() -> None:
    (transcript,) = parse_payload([assistant(CALL), user(RESULT, TEXT)], default_id="x")
    ids = [message.id for message in transcript.messages]
    assert ids == ["messages[0]", "messages[1].content[0]", "messages[1]"]


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        pytest.param("x", "", id="a string"),
        pytest.param({}, "messages", id="no messages"),
        pytest.param([{"role": "tool"}], "messages[0].role", id="a role this format lacks"),
        pytest.param([user({"type": "text"})], "messages[0].content[0].text", id="no text"),
        pytest.param(
            [USER, assistant({"type": "tool_use", "input": {}})],
            "messages[1].content[0].name",
            id="a call without a name",
        ),
        pytest.param([{"role": "user", "content": 3}], "messages[0].content", id="a number"),
        pytest.param(
            {"request": {"messages": [{"role": "user", "content": [3]}]}},
            "request.messages[0].content[0]",
            id="a block that is no object, in a request",
        ),
    ],
)
def test_a_broken_log_is_an_error_with_its_place(payload: object, where: str) -> None:
    with pytest.raises(MalformedTranscriptError) as caught:
        parse_payload(payload, format="anthropic", default_id="x")
    assert (caught.value.format, caught.value.where) == ("anthropic", where)
