import pytest

from classifier.errors import MalformedTranscriptError, UnknownFormatError
from classifier.formats import FORMATS, NAMES, detect, parse_payload
from tests.classifier.formats.samples import JSON

USER: JSON = {"role": "user", "content": "Hi"}
FLAT_CALL: JSON = {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {}}]}
NESTED_CALL: JSON = {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}
BLOCKS: JSON = {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm"}]}
PARTS: JSON = {"role": "user", "content": [{"type": "text", "text": "Hi"}]}


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        pytest.param({"id": "a", "messages": [USER]}, "native", id="id and plain contents"),
        pytest.param({"id": "a", "messages": []}, "native", id="id and no messages"),
        pytest.param({"id": "a", "messages": [FLAT_CALL]}, "native", id="flat calls"),
        pytest.param(
            {"id": "a", "messages": [{**USER, "reasoning": "x"}]}, "native", id="reasoning"
        ),
        pytest.param(
            {"messages": [{**USER, "author": "other_agent"}]}, "native", id="stated authors"
        ),
        pytest.param({"id": "a", "messages": [NESTED_CALL]}, "openai_chat", id="nested calls"),
        pytest.param({"id": "a", "messages": [PARTS]}, "openai_chat", id="contents in parts"),
        pytest.param({"messages": [USER]}, "openai_chat", id="messages without an id"),
        pytest.param([USER], "openai_chat", id="a bare list of messages"),
        pytest.param(
            {"id": "a", "messages": [USER], "choices": []}, "openai_chat", id="an answer beside"
        ),
        pytest.param([BLOCKS], "anthropic", id="a bare list with blocks"),
        pytest.param({"id": "a", "messages": [BLOCKS]}, "anthropic", id="messages with blocks"),
        pytest.param({"system": "s", "messages": [USER]}, "anthropic", id="a system prompt apart"),
        pytest.param({"raw_response": "x"}, "agentic_misalignment", id="a raw response"),
        pytest.param({"eval": {}, "status": "success"}, "inspect_log", id="an Inspect log"),
        pytest.param(
            {"id": 1, "epoch": 1, "input": "x", "messages": []}, "inspect_log", id="its sample"
        ),
    ],
)
def test_a_payload_is_recognised(payload: object, name: str) -> None:
    assert name == detect(payload).NAME


@pytest.mark.parametrize(
    "payload",
    [None, True, 3, "text", [], [3], [[]], {}, {"messages": "x"}, {"messages": [3]}, {"eval": 3}],
    ids=repr,
)
def test_what_no_format_recognises_is_an_error_that_lists_them(payload: object) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        parse_payload(payload, default_id="x")
    assert caught.value.tried == NAMES


def test_a_named_format_wins_over_detection() -> None:
    payload = {"id": "a", "messages": [USER]}
    (transcript,) = parse_payload(payload, format="openai_chat", default_id="x")
    assert transcript.source.format == "openai_chat"
    with pytest.raises(MalformedTranscriptError):
        parse_payload(payload, format="agentic_misalignment", default_id="x")


def test_an_unknown_name_is_an_error_that_lists_the_names() -> None:
    with pytest.raises(UnknownFormatError, match="native") as caught:
        parse_payload({}, format="sharegpt", default_id="x")
    assert caught.value.tried == NAMES


def test_a_list_of_rows_is_many_transcripts() -> None:
    rows = [{"id": "a", "messages": [USER]}, {"messages": [USER]}]
    first, second = parse_payload(rows, default_id="log.json", path="log.json", sample="line 2")
    assert [first.id, second.id] == ["a", "log.json[1]"]
    assert [first.source.sample, second.source.sample] == ["line 2, [0]", "line 2, [1]"]


def test_an_error_in_a_row_names_the_row() -> None:
    rows = [{"messages": [USER]}, {"messages": [{"role": "boss"}]}]
    with pytest.raises(MalformedTranscriptError) as caught:
        parse_payload(rows, default_id="x", sample="line 2")
    assert caught.value.where == "line 2, [1], messages[0].role"


def test_every_format_has_a_name_of_its_own_and_a_line_for_people() -> None:
    assert len(set(NAMES)) == len(FORMATS)
    assert all(module.TITLE and "\n" not in module.TITLE for module in FORMATS)
