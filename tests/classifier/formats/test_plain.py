import pytest

from classifier.errors import MalformedTranscriptError, UnknownFormatError
from classifier.formats import parse_payload
from tests.classifier.formats.samples import Said, all_said


def test_plain_text_is_one_message_of_the_agents() -> None:
    (transcript,) = parse_payload("I will tell.\n", format="plain", default_id="x")
    assert all_said(transcript) == [Said("assistant", "agent", "I will tell.\n")]
    assert (transcript.id, transcript.messages[0].id) == ("x", "text")


def test_text_is_never_taken_for_plain_unasked() -> None:
    with pytest.raises(UnknownFormatError):
        parse_payload("I will tell.", default_id="x")


def test_an_object_is_no_plain_text() -> None:
    with pytest.raises(MalformedTranscriptError, match="must be a string, got an object"):
        parse_payload({}, format="plain", default_id="x")
