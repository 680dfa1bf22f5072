import pytest

from classifier.errors import MalformedTranscriptError
from classifier.formats import native, parse_payload
from tests.classifier.formats.samples import JSON, Said, all_said

CALL: JSON = {"name": "send_email", "arguments": {"to": "kyle"}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            {"role": "system", "content": "Be good."},
            Said("system", "operator", "Be good."),
            id="a system message is the operator's",
        ),
        pytest.param(
            {"role": "developer", "content": "Be good."},
            Said("system", "operator", "Be good."),
            id="developer is a system role",
        ),
        pytest.param(
            {"role": "user", "content": "Hi"},
            Said("user", "human", "Hi"),
            id="a user message is a human's",
        ),
        pytest.param(
            {"role": "user", "content": "Hi", "author": "other_agent", "name": "planner"},
            Said("user", "other_agent", "Hi", name="planner"),
            id="the user's seat may be another agent's",
        ),
        pytest.param(
            {"role": "assistant", "content": "Sure:", "author": "prefill"},
            Said("assistant", "operator", "Sure:"),
            id="a prefill is the operator's",
        ),
        pytest.param(
            {"role": "assistant", "content": "Ok", "reasoning": "Hm", "tool_calls": [CALL]},
            Said("assistant", "agent", "Ok", "Hm", "full", (("send_email", {"to": "kyle"}),)),
            id="reasoning, reply and tool call",
        ),
        pytest.param(
            {"role": "assistant", "content": None, "reasoning": None, "tool_calls": None},
            Said("assistant", "agent"),
            id="nulls are empty",
        ),
        pytest.param(
            {"role": "assistant", "reasoning": "short", "reasoning_kind": "summary"},
            Said("assistant", "agent", "", "short", "summary"),
            id="a summary says so",
        ),
        pytest.param(
            {"role": "assistant", "content": "Ok", "reasoning_kind": "redacted"},
            Said("assistant", "agent", "Ok", "", "redacted"),
            id="redacted reasoning is not absent reasoning",
        ),
        pytest.param(
            {"role": "tool", "content": "3 emails", "name": "inbox"},
            Said("tool", "environment", "3 emails", name="inbox"),
            id="a tool result is the environment's",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"name": "run", "arguments": '{"a": 1, "a": 2}'}]},
            Said("assistant", "agent", calls=(("run", '{"a": 1, "a": 2}'),)),
            id="arguments with a key written twice keep both",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"name": "run", "arguments": "{oops"}]},
            Said("assistant", "agent", calls=(("run", "{oops"),)),
            id="broken arguments stay as written",
        ),
        pytest.param(
            {"role": "assistant", "tool_calls": [{"name": "run", "arguments": '{"a": "b"}'}]},
            Said("assistant", "agent", calls=(("run", {"a": "b"}),)),
            id="arguments as JSON text are decoded",
        ),
        pytest.param(
            {
                "role": "assistant",
                "tool_calls": [{"name": "run", "arguments": {"a\ud800": "\udfff"}}],
            },
            Said("assistant", "agent", calls=(("run", {"a\ufffd": "\ufffd"}),)),
            id="lone surrogates in arguments are mended",
        ),
    ],
)
def test_a_message_is_read(message: JSON, expected: Said) -> None:
    (transcript,) = parse_payload({"id": "a", "messages": [message]}, default_id="x")
    assert transcript.source.format == native.NAME
    assert all_said(transcript) == [expected]


def test_what_else_a_row_says_is_metadata_and_never_an_error() -> None:
    deep: object = "x"
    for _ in range(500):
        deep = [deep]
    row = {"id": 7, "messages": [], "labels": {"leaking": 3}, "evidence": "?", "deep": deep}
    (transcript,) = parse_payload(row, default_id="x")
    assert transcript.id == "7"
    assert transcript.metadata == {"labels": {"leaking": 3}, "evidence": "?"}
    assert transcript.dropped == {"metadata": 1}


def test_message_ids_are_the_logs_own_or_their_place() -> None:
    messages = [{"role": "user", "content": "a", "id": "u1"}, {"role": "user", "content": "b"}]
    (transcript,) = parse_payload({"id": "a", "messages": messages}, default_id="x")
    assert [message.id for message in transcript.messages] == ["u1", "messages[1]"]


def test_a_row_without_an_id_gets_the_default() -> None:
    (transcript,) = parse_payload({"id": None, "messages": []}, default_id="runs.jsonl:3")
    assert transcript.id == "runs.jsonl:3"


@pytest.mark.parametrize(
    ("row", "where"),
    [
        pytest.param([], "", id="no object"),
        pytest.param({"id": "a"}, "messages", id="no messages"),
        pytest.param({"messages": [3]}, "messages[0]", id="a message that is no object"),
        pytest.param({"messages": [{"role": "boss"}]}, "messages[0].role", id="unknown role"),
        pytest.param({"messages": [{"role": ["user"]}]}, "messages[0].role", id="role is a list"),
        pytest.param(
            {"messages": [{"role": "user", "content": 3}]},
            "messages[0].content",
            id="content is a number",
        ),
        pytest.param(
            {"messages": [{"role": "user", "author": "me"}]},
            "messages[0].author",
            id="unknown author",
        ),
        pytest.param(
            {"messages": [{"role": "assistant", "reasoning": {}}]},
            "messages[0].reasoning",
            id="reasoning is an object",
        ),
        pytest.param(
            {"messages": [{"role": "assistant", "reasoning_kind": "secret"}]},
            "messages[0].reasoning_kind",
            id="unknown kind of reasoning",
        ),
        pytest.param(
            {"messages": [{"role": "assistant", "tool_calls": [{"arguments": {}}]}]},
            "messages[0].tool_calls[0].name",
            id="a call without a name",
        ),
        pytest.param({"messages": [], "id": True}, "id", id="the id is a boolean"),
        pytest.param({"messages": [], "id": 10**5000}, "id", id="the id is a huge number"),
    ],
)
def test_a_broken_row_is_an_error_with_its_place(row: object, where: str) -> None:
    with pytest.raises(MalformedTranscriptError) as caught:
        parse_payload(row, format="native", default_id="x")
    assert (caught.value.format, caught.value.where) == ("native", where)


def test_arguments_nested_too_deeply_are_an_error() -> None:
    deep: object = "x"
    for _ in range(101):
        deep = {"a": deep}
    message = {"role": "assistant", "tool_calls": [{"name": "run", "arguments": deep}]}
    with pytest.raises(MalformedTranscriptError, match="nested") as caught:
        parse_payload({"id": "a", "messages": [message]}, default_id="x")
    assert caught.value.where == "messages[0].tool_calls[0].arguments"


def test_an_unknown_role_names_the_roles_and_not_the_text() -> None:
    row = {"id": "a", "messages": [{"role": "SECRET", "content": "x"}]}
    with pytest.raises(MalformedTranscriptError, match="system, user, assistant, tool") as caught:
        parse_payload(row, default_id="x")
    assert "SECRET" not in str(caught.value)
