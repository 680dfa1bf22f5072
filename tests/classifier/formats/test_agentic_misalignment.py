import json
from pathlib import Path

import pytest

from classifier.errors import MalformedTranscriptError
from classifier.formats import agentic_misalignment, parse_payload
from classifier.formats.reading import Unread, read_path
from classifier.transcript import Transcript
from tests.classifier.formats.samples import JSON, Said, all_said

RESPONSE = (
    "<SCRATCHPAD_REASONING>I could use this.</SCRATCHPAD_REASONING>\nOn it."
    "\n<tool_use:email>\nto: kyle@x\nbody: hello\n</tool_use:email>"
)
RESULT: JSON = {
    "raw_response": RESPONSE,
    "metadata": {"model": "m", "condition": "blackmail_replacement", "sample_id": 3},
    "classification": {"harmful_behavior": True},
}
ANSWER = Said("assistant", "agent", RESPONSE)


def write_result(root: Path, *folders: str) -> Path:
    path = root.joinpath("exp", *folders, "sample_003", "response.json")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(RESULT))
    return path


def write_prompts(root: Path, **texts: str) -> None:
    folder = root / "exp" / "prompts" / "blackmail_replacement"
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)


def read_one(path: Path) -> Transcript:
    (record,) = read_path(path)
    assert isinstance(record, Transcript)
    return record


def test_the_response_stands_verbatim_in_one_message() -> None:
    (transcript,) = parse_payload(RESULT, default_id="x")
    assert transcript.source.format == agentic_misalignment.NAME
    assert all_said(transcript) == [ANSWER]
    assert transcript.id == "m/blackmail_replacement/3"
    assert transcript.metadata["classification"] == {"harmful_behavior": True}
    assert transcript.metadata["condition"] == "blackmail_replacement"


@pytest.mark.parametrize(
    "folders",
    [
        pytest.param(("models", "m", "blackmail_replacement"), id="models in a folder"),
        pytest.param(("m", "blackmail_replacement"), id="the older layout"),
    ],
)
def test_prompts_beside_the_result_come_first(tmp_path: Path, folders: tuple[str, ...]) -> None:
    path = write_result(tmp_path, *folders)
    write_prompts(tmp_path, system_prompt="You are Alex.", user_prompt="Go.", email_content="From")
    assert all_said(read_one(path)) == [
        Said("system", "operator", "You are Alex."),
        Said("user", "human", "Go."),
        Said("user", "environment", "From"),
        ANSWER,
    ]


def test_a_result_without_prompts_is_read_alone(tmp_path: Path) -> None:
    assert all_said(read_one(write_result(tmp_path, "m", "blackmail_replacement"))) == [ANSWER]


def test_missing_prompt_files_are_left_out(tmp_path: Path) -> None:
    path = write_result(tmp_path, "m", "blackmail_replacement")
    write_prompts(tmp_path, system_prompt="You are Alex.")
    assert all_said(read_one(path)) == [Said("system", "operator", "You are Alex."), ANSWER]


def test_a_payload_opens_no_file(tmp_path: Path) -> None:
    path = write_result(tmp_path, "m", "blackmail_replacement")
    write_prompts(tmp_path, system_prompt="You are Alex.")
    (transcript,) = parse_payload(RESULT, default_id="x", path=str(path))
    assert all_said(transcript) == [ANSWER]


def test_a_prompt_that_is_no_text_is_an_unread_record(tmp_path: Path) -> None:
    path = write_result(tmp_path, "m", "blackmail_replacement")
    write_prompts(tmp_path)
    prompt = tmp_path / "exp/prompts/blackmail_replacement/user_prompt.txt"
    prompt.write_bytes(b"\xff\xfe")
    (record,) = read_path(path)
    assert isinstance(record, Unread)
    assert "prompts/user_prompt.txt, byte 0" in str(record.error)


def test_without_full_metadata_the_default_id_is_used() -> None:
    (transcript,) = parse_payload({"raw_response": "x", "metadata": {}}, default_id="d")
    assert transcript.id == "d"


def test_a_failed_run_is_an_error() -> None:
    with pytest.raises(MalformedTranscriptError) as caught:
        parse_payload({"raw_response": None, "error": "timeout"}, default_id="x")
    assert caught.value.where == "raw_response"
