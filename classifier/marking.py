"""Put a verdict's evidence back onto the rendered transcript, for people to read.

A mark lies inside one part and covers exactly the words that the evidence quotes.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from classifier.labels import Question
from classifier.rendering import Part
from classifier.verdict import Evidence, Verdict

_FROZEN = ConfigDict(frozen=True)


class Mark(BaseModel):
    """Telling words inside a part's text."""

    model_config = _FROZEN

    start: int
    end: int
    label: str
    question: Question
    probability: float


class MarkedPart(BaseModel):
    """Text of one author in one channel, with the words that tell."""

    model_config = _FROZEN

    message_index: int
    message_id: str
    kind: str
    """`reasoning`, `reply`, `tool_call`, or whose words they are: `system`, `user`, …"""

    is_scored: bool
    """Whether the agent wrote it."""

    text: str
    marks: tuple[Mark, ...]
    """In the order of their beginnings; marks of different labels may cover the same words."""


def _span(part: Part, item: Evidence) -> tuple[int, int] | None:
    """Where evidence stands in a part's text; None when it belongs to another part."""
    if item.message_index != part.message_index:
        return None
    for piece in part.pieces:
        begin = piece.start + item.start - piece.field_start
        end = begin + item.end - item.start
        if item.field == piece.field and piece.start <= begin and end <= piece.end:
            return begin, end
    return None


def _marks(part: Part, verdict: Verdict) -> tuple[Mark, ...]:
    found = []
    for name, label in verdict.labels.items():
        for item in label.evidence:
            if (span := _span(part, item)) is not None:
                start, end = span
                mark = Mark(
                    start=start,
                    end=end,
                    label=name,
                    question=item.question,
                    probability=item.probability,
                )
                found.append(mark)
    return tuple(sorted(found, key=lambda mark: (mark.start, mark.end, mark.label)))


def mark_parts(parts: Sequence[Part], verdict: Verdict) -> list[MarkedPart]:
    """Every part of a transcript with its marks, in order."""
    return [
        MarkedPart(
            message_index=part.message_index,
            message_id=part.message_id,
            kind=str(part.kind),
            is_scored=part.is_scored,
            text=part.text,
            marks=_marks(part, verdict) if part.is_scored else (),
        )
        for part in parts
    ]
