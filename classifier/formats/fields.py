"""Narrow decoded JSON to the types a reader needs, and say where a value does not fit.

No error made here holds a value from the log, only places, limits and the names of JSON types.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, cast

from classifier.errors import MalformedTranscriptError, TranscriptError
from classifier.formats.decoding import decode_json
from classifier.transcript import Author, Role, Source, mend_surrogates

MAX_DEPTH: Final = 100
"""Deepest nesting kept of tool arguments and metadata; pydantic writes no JSON beyond 255."""

MAX_LISTED_INTEGER: Final = 2**63
"""Integers from here on are no ids."""

Object = Mapping[str, object]
"""A decoded JSON object."""

_TYPE_NAMES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "a boolean"),
    (str, "a string"),
    (int, "a number"),
    (float, "a number"),
    (list, "a list"),
    (dict, "an object"),
    (type(None), "null"),
)

# The agent's words are never taken from a role that we do not know.
_ROLES: Final = {role.value: role for role in Role} | {
    "developer": Role.SYSTEM,
    "function": Role.TOOL,
}
_AUTHORS: Final = {author.value: author for author in Author} | {"prefill": Author.OPERATOR}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a log a reader stands."""

    format: str
    record: str = ""
    """Place of the record in its file, e.g. `line 3`."""

    path: str = ""
    """Place inside the record, e.g. `messages[2].content`."""

    @classmethod
    def root(cls, format: str, source: Source) -> "Place":
        """The top of a record."""
        return cls(format, record=source.sample or "")

    def key(self, name: str) -> "Place":
        """The value under a key; `name` is written by us, never taken from the log."""
        return replace(self, path=f"{self.path}.{name}" if self.path else name)

    def item(self, index: int) -> "Place":
        """An item of a list."""
        return replace(self, path=f"{self.path}[{index}]")

    def error(self, message: str) -> MalformedTranscriptError:
        """An error at this place; `message` must hold no text of the log's."""
        where = ", ".join(filter(None, (self.record, self.path)))
        return MalformedTranscriptError(message, format=self.format, where=where)


class Kept(NamedTuple):
    """What was kept of free-form values, and what was not."""

    values: dict[str, Any]
    """JSON values of any shape; whoever stores them gives them on unread."""

    dropped: dict[str, int]
    """Values left out, by kind."""


def type_name(value: object) -> str:
    """JSON's name for the type of a value, with its article."""
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "no JSON value")


def _expected(what: str, value: object, place: Place) -> MalformedTranscriptError:
    return place.error(f"must be {what}, got {type_name(value)}")


def expect_object(value: object, place: Place) -> Object:
    """The value as an object."""
    if not isinstance(value, dict):
        raise _expected("an object", value, place)
    return value


def expect_list(value: object, place: Place) -> list[object]:
    """The value as a list."""
    if not isinstance(value, list):
        raise _expected("a list", value, place)
    return value


def expect_str(value: object, place: Place) -> str:
    """The value as text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise _expected("a string", value, place)
    return str(mend_surrogates(value))


def optional_str(value: object, place: Place) -> str:
    """The value as text; null is the empty text."""
    return "" if value is None else expect_str(value, place)


def optional_list(value: object, place: Place) -> list[object]:
    """The value as a list; null is the empty list."""
    return [] if value is None else expect_list(value, place)


def optional_id(value: object, place: Place) -> str | None:
    """An id as text; logs write them as text or as whole numbers."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < MAX_LISTED_INTEGER:
        return str(value)
    if isinstance(value, str):
        return expect_str(value, place) or None
    raise _expected("a string or a 64-bit integer", value, place)


def expect_role(message: Object, place: Place) -> Role:
    """Role of a message; `developer` is the system's and `function` the tool's."""
    role = message.get("role")
    if isinstance(role, str) and role in _ROLES:
        return _ROLES[role]
    raise place.key("role").error(f"must be one of {', '.join(_ROLES)}")


def optional_author(message: Object, place: Place) -> Author | None:
    """Author where the log states one; `prefill` is the operator's."""
    author = message.get("author")
    if author is None:
        return None
    if isinstance(author, str) and author in _AUTHORS:
        return _AUTHORS[author]
    raise place.key("author").error(f"must be one of {', '.join(_AUTHORS)}")


def json_value(
    value: object,
    place: Place,
    *,
    text: Callable[[str], object] = mend_surrogates,
    max_depth: int = MAX_DEPTH,
) -> object:
    """Copy a decoded value so that it can always be written as JSON again.

    Args:
        value: Any decoded JSON value.
        place: Where it stands.
        text: Applied to every string and key; its default mends lone surrogates.
        max_depth: Containers allowed around the innermost value.

    Returns:
        An equal value; NaN and the infinities, which JSON lacks, become their names.

    Raises:
        MalformedTranscriptError: If it is nested more deeply.
    """
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if not isinstance(value, dict | list):
        return value
    if max_depth <= 0:
        raise place.error(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, list):
        return [json_value(item, place, text=text, max_depth=max_depth - 1) for item in value]
    return {
        str(mend_surrogates(key)): json_value(item, place, text=text, max_depth=max_depth - 1)
        for key, item in value.items()
    }


def metadata_of(values: Object, place: Place, *, without: Iterable[str] = ()) -> Kept:
    """Keep what a log says besides its messages; what cannot be kept is counted, not an error."""
    left_out = frozenset(without)
    kept: dict[str, Any] = {}  # any JSON, given on unread
    n_dropped = 0
    for key, value in values.items():
        if key in left_out or value is None:
            continue
        try:
            kept[str(mend_surrogates(key))] = json_value(value, place)
        except MalformedTranscriptError:
            n_dropped += 1
    return Kept(kept, {"metadata": n_dropped} if n_dropped else {})


def arguments_of(raw: object, place: Place) -> dict[str, Any] | str:
    """Tool-call arguments as an object, or as the very text the agent wrote.

    Text is decoded only where decoding loses nothing: JSON with a key written twice, with NaN or
    nested too deeply stays text.
    """
    if raw is None:
        return {}
    if isinstance(raw, str):
        return _arguments_of_text(raw, place)
    value = json_value(raw, place)
    if isinstance(value, dict):
        return value
    return json.dumps(value, ensure_ascii=False)


def _arguments_of_text(raw: str, place: Place) -> dict[str, Any] | str:
    text = str(mend_surrogates(raw))
    if not text.lstrip().startswith("{"):
        return text
    try:
        decoded = decode_json(text)
        value = json_value(decoded.value, place)
    except TranscriptError:
        return text
    if decoded.has_non_finite or not isinstance(value, dict):
        return text
    return cast("dict[str, Any]", value)  # keys of decoded objects are strings
