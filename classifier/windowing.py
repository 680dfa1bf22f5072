"""Cut a tokenized transcript into windows that fit the encoder.

A window never says whose words it holds by position alone: each run of tokens stands behind the
marker of its author and channel, and a part that is cut repeats its marker where it goes on. Nothing
is dropped: every token of the agent's is pooled in at least one window, and no token of anybody
else's is pooled in any. A longer transcript becomes more windows, never a shorter one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from classifier.arrays import Bools, Ints
from classifier.rendering import Channel, Context
from classifier.tokenization import Segment


class WindowSettings(BaseModel):
    """How a bundle's windows are cut; part of the bundle, never of the machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_tokens: int = Field(ge=16)
    """Most tokens in a window, special tokens and markers included."""

    overlap_tokens: int = Field(ge=0)
    """Tokens of the agent's that two neighbouring windows share at least."""

    context_tokens: int = Field(ge=0, default=0)
    """Most tokens of other authors before the agent's, marker included; never pooled."""

    start_id: int
    """Token that opens a window, e.g. `[CLS]`."""

    end_id: int
    """Token that closes a window, e.g. `[SEP]`."""

    pad_id: int
    marker_ids: dict[Channel | Context, int]
    """Token put before each run of tokens; ids that no text is tokenized into."""

    @model_validator(mode="after")
    def _windows_advance(self) -> "WindowSettings":
        if missing := {*Channel, *Context} - set(self.marker_ids):
            raise ValueError(f"marker_ids must name every channel and context, missing {missing}")
        if self.body_tokens - self.overlap_tokens < 2:
            raise ValueError(
                f"overlap_tokens must leave room to advance, got {self.overlap_tokens} with "
                f"{self.body_tokens} tokens for the agent's text"
            )
        return self

    @property
    def body_tokens(self) -> int:
        """Room for the agent's tokens and their markers when the context is full."""
        return self.window_tokens - 2 - self.context_tokens


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where a run of a segment's tokens stands in a window."""

    segment: int
    """Index of the segment."""

    start: int
    """First token in the segment."""

    end: int
    """One past the last token in the segment."""

    at: int
    """Position of the first token in the window."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What the encoder sees at once."""

    input_ids: Ints
    """Shape (n_tokens,)."""

    pooled: Bools
    """Shape (n_tokens,); true on tokens the agent wrote, the only ones that may accuse it."""

    stretches: tuple[Stretch, ...]
    """The agent's tokens in this window, in order."""

    def __len__(self) -> int:
        """Tokens in the window."""
        return len(self.input_ids)


def _bodies(
    lengths: Sequence[int], *, room: int, overlap: int
) -> Iterator[list[tuple[int, int, int]]]:
    """Cut scored segments into runs of (segment, start, end) that cost at most `room` each.

    A run costs its tokens and one marker. The next body begins `overlap` tokens before the end of
    the last, so that a sentence cut by one window stands whole in its neighbour.
    """
    total = sum(lengths)
    bounds = np.concatenate(([0], np.cumsum(lengths)))
    begin = 0
    while begin < total:
        body: list[tuple[int, int, int]] = []
        left, position = room, begin
        index = int(np.searchsorted(bounds, begin, side="right")) - 1
        while position < total and left >= 2:
            if position >= bounds[index + 1]:
                index += 1
                continue
            take = min(left - 1, int(bounds[index + 1]) - position)
            start = position - int(bounds[index])
            body.append((index, start, start + take))
            left -= take + 1
            position += take
        yield body
        if position >= total:
            return
        begin = max(position - overlap, begin + 1)


def _context_before(
    segments: Sequence[Segment], message_index: int, settings: WindowSettings
) -> list[tuple[int, Ints]]:
    """(marker, ids) of the nearest context before a message, newest last, within the budget."""
    left = settings.context_tokens
    runs: list[tuple[int, Ints]] = []
    for segment in reversed(segments):
        if left < 2:
            break
        if segment.part.message_index >= message_index or segment.part.is_scored:
            continue
        ids = segment.input_ids[-(left - 1) :]
        runs.append((settings.marker_ids[segment.part.kind], ids))
        left -= len(ids) + 1
    return runs[::-1]


def _assemble(
    body: Sequence[tuple[int, int, int]],
    scored: Sequence[tuple[int, Segment]],
    context: Sequence[tuple[int, Ints]],
    settings: WindowSettings,
) -> Window:
    ids: list[Ints | list[int]] = [[settings.start_id]]
    size = 1
    for marker, run in context:
        ids += ([marker], run)
        size += 1 + len(run)
    pooled: list[tuple[int, int]] = []
    stretches = []
    for number, start, end in body:
        index, segment = scored[number]
        ids += ([settings.marker_ids[segment.part.kind]], segment.input_ids[start:end])
        size += 1
        stretches.append(Stretch(index, start, end, size))
        pooled.append((size, size + end - start))
        size += end - start
    ids.append([settings.end_id])
    mask = np.zeros(size + 1, dtype=np.bool_)
    for first, last in pooled:
        mask[first:last] = True
    return Window(np.concatenate(ids).astype(np.int32), mask, tuple(stretches))


def make_windows(segments: Sequence[Segment], settings: WindowSettings) -> list[Window]:
    """Cut segments into overlapping windows over the agent's tokens.

    Args:
        segments: The tokenized transcript, in order.
        settings: The bundle's windowing.

    Returns:
        Windows in order; none when the agent wrote no token. `Stretch.segment` indexes `segments`.
    """
    scored = [(i, segment) for i, segment in enumerate(segments) if segment.part.is_scored]
    lengths = [len(segment.input_ids) for _, segment in scored]
    context_segments = segments if settings.context_tokens else ()
    windows = []
    for body in _bodies(lengths, room=settings.body_tokens, overlap=settings.overlap_tokens):
        first = scored[body[0][0]][1].part.message_index
        context = _context_before(context_segments, first, settings)
        windows.append(_assemble(body, scored, context, settings))
    return windows


def default_markers(ids: Mapping[str, int]) -> dict[Channel | Context, int]:
    """Markers from a vocabulary with BERT's `[unused…]` tokens, which no text is tokenized into."""
    kinds: list[Channel | Context] = [*Channel, *Context]
    return {kind: ids[f"[unused{number}]"] for number, kind in enumerate(kinds, start=1)}
