import pytest

from classifier.errors import MalformedTranscriptError
from classifier.formats.decoding import decode_json, decode_utf8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "at line 1 column 1: Expecting value", id="nothing"),
        pytest.param('{"a": 1', "line 1 column", id="cut short"),
        pytest.param('{\n"a": SECRET}', "line 2 column 6", id="no value"),
        pytest.param('{"a": 1} {"b": 2}', "Extra data", id="two documents"),
        pytest.param('{"role": 1, "role": 2}', "same key twice", id="a key written twice"),
        pytest.param('[{"a": {"b": 1, "b": 1}}]', "same key twice", id="a key twice, inside"),
        pytest.param("9" * 5000, "too many digits", id="a huge integer"),
        pytest.param("[" * 100_000, "nested too deeply", id="nested too deeply"),
        pytest.param('"a\nb"', "Invalid control character", id="a raw line break in a string"),
    ],
)
def test_what_is_no_strict_json_is_an_error_with_its_place(text: str, message: str) -> None:
    with pytest.raises(MalformedTranscriptError) as caught:
        decode_json(text)
    assert message in str(caught.value)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1e999"])
def test_numbers_that_json_lacks_are_noted(text: str) -> None:
    assert decode_json(text).has_non_finite
    assert not decode_json('{"a": [1.5, 2e10, "NaN"]}').has_non_finite


def test_a_place_stands_before_the_place_in_the_document() -> None:
    with pytest.raises(MalformedTranscriptError) as caught:
        decode_json("{", where="line 7")
    assert caught.value.where == "line 7, character 1"


def test_a_byte_order_mark_is_no_text() -> None:
    assert decode_utf8(b"\xef\xbb\xbf{}") == "{}"


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        pytest.param(b"ab\xff", "byte 2", id="no UTF-8"),
        pytest.param("{}".encode("utf-16"), "byte 0", id="UTF-16"),
        pytest.param(b"a\0b", "character 1", id="a NUL"),
    ],
)
def test_bytes_that_are_no_text_are_an_error_with_their_place(raw: bytes, where: str) -> None:
    with pytest.raises(MalformedTranscriptError) as caught:
        decode_utf8(raw)
    assert caught.value.where == where
