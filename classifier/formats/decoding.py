"""Decode JSON strictly: what two readers could understand differently is an error.

A key written twice would show one reader a message that another does not see. Errors give the
place and never the text.
"""

import json
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from classifier.errors import MalformedTranscriptError

FORMAT: Final = "JSON"
"""What errors call the format of text that is not decoded yet."""

UTF8_MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark that some editors put before UTF-8 text."""


class Decoded(NamedTuple):
    """A decoded document."""

    value: object
    has_non_finite: bool
    """Whether it holds NaN or an infinity, which JSON lacks and Python writes all the same."""


class _Refusal(ValueError):
    """Why a document is refused although Python's decoder takes it."""


def decode_utf8(raw: bytes, *, format: str = FORMAT, where: str = "") -> str:
    """Decode UTF-8 text, with or without its byte order mark.

    Raises:
        MalformedTranscriptError: If it is not UTF-8 or holds a NUL.
    """
    try:
        text = raw.removeprefix(UTF8_MARK).decode()
    except UnicodeDecodeError as error:
        place = _join(where, f"byte {error.start}")
        raise MalformedTranscriptError("not UTF-8", format=format, where=place) from None
    if "\0" in text:
        place = _join(where, f"character {text.index(chr(0))}")
        raise MalformedTranscriptError("holds a NUL; is it text?", format=format, where=place)
    return text


def decode_json(text: str, *, where: str = "") -> Decoded:
    """Decode one JSON document.

    Args:
        text: The document.
        where: Its place in the file, for errors, e.g. `line 3`.

    Raises:
        MalformedTranscriptError: If it is not JSON, repeats a key in an object, holds a number
            too large to read or is nested more deeply than Python's decoder allows.
    """
    hooks = _Hooks()
    decoder = json.JSONDecoder(
        object_pairs_hook=hooks.object, parse_float=hooks.number, parse_constant=hooks.number
    )
    try:
        return Decoded(decoder.decode(text), hooks.has_non_finite)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        if where:  # a line of JSON Lines or a member, whose own line says nothing
            place = f"{where}, character {error.pos}"
        raise MalformedTranscriptError(error.msg, format=FORMAT, where=place) from None
    except _Refusal as error:
        raise MalformedTranscriptError(str(error), format=FORMAT, where=where) from None
    except ValueError:
        # Python refuses to read integers of more than 4,300 digits.
        raise MalformedTranscriptError(
            "a number has too many digits", format=FORMAT, where=where
        ) from None
    except RecursionError:
        raise MalformedTranscriptError("nested too deeply", format=FORMAT, where=where) from None


class _Hooks:
    """What the decoder calls for each object and number of one document."""

    def __init__(self) -> None:
        self.has_non_finite = False

    def object(self, pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        value = dict(pairs)
        if len(value) != len(pairs):
            raise _Refusal("an object has the same key twice")
        return value

    def number(self, digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            self.has_non_finite = True
        return value


def _join(where: str, place: str) -> str:
    return f"{where}, {place}" if where else place
