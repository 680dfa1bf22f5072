"""Windows lose no token, pool nobody else's, and cannot be fooled about who speaks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from classifier.rendering import Channel, Context, Part, render
from classifier.tokenization import Segment, Tokenizer
from classifier.transcript import Transcript
from classifier.windowing import WindowSettings, make_windows
from tests.build import said, transcript
from tests.strategies import transcripts

MARKERS = {kind: number for number, kind in enumerate([*Channel, *Context], start=1)}


def settings_of(size: int, *, overlap: int = 0, context: int = 0) -> WindowSettings:
    return WindowSettings(
        window_tokens=size,
        overlap_tokens=overlap,
        context_tokens=context,
        start_id=101,
        end_id=102,
        pad_id=0,
        marker_ids=MARKERS,
    )


@st.composite
def segments(draw: st.DrawFn) -> list[Segment]:
    """Segments whose every token id is unique, so that a lost token shows."""
    kinds: list[Channel | Context] = [*Channel, *Context]
    made = []
    ids = iter(range(1000, 100_000))
    for index in range(draw(st.integers(0, 6))):
        size = draw(st.integers(1, 60))
        part = Part(index, f"m{index}", draw(st.sampled_from(kinds)), "x" * size, ())
        tokens = np.array([next(ids) for _ in range(size)], dtype=np.int32)
        offsets = np.stack([np.arange(size), np.arange(1, size + 1)], axis=1).astype(np.int32)
        made.append(Segment(part, tokens, offsets, 0))
    return made


@given(segments(), st.integers(16, 64), st.integers(0, 8), st.sampled_from([0, 4]))
def test_no_token_is_lost_and_nobody_elses_is_pooled(
    made: list[Segment], size: int, overlap: int, context: int
) -> None:
    windows = make_windows(made, settings_of(size, overlap=overlap, context=context))
    pooled = {int(t) for w in windows for t in w.input_ids[w.pooled]}
    assert pooled == {int(t) for s in made if s.part.is_scored for t in s.input_ids}
    for window in windows:
        assert len(window) <= size
        assert (window.input_ids[0], window.input_ids[-1]) == (101, 102)


@given(segments(), st.integers(16, 64), st.integers(0, 8), st.sampled_from([0, 4]))
def test_every_stretch_stands_behind_the_marker_of_its_author(
    made: list[Segment], size: int, overlap: int, context: int
) -> None:
    for window in make_windows(made, settings_of(size, overlap=overlap, context=context)):
        for run in window.stretches:
            segment = made[run.segment]
            assert window.input_ids[run.at - 1] == MARKERS[segment.part.kind]
            here = window.input_ids[run.at : run.at + run.end - run.start]
            assert (here == segment.input_ids[run.start : run.end]).all()


@given(segments(), st.integers(16, 64), st.integers(0, 8))
def test_a_growing_transcript_keeps_its_finished_windows(
    made: list[Segment], size: int, overlap: int
) -> None:
    settings = settings_of(size, overlap=overlap)
    before = make_windows(made[:-1], settings)
    after = make_windows(made, settings)
    for old, new in zip(before[:-1], after, strict=False):
        assert (old.input_ids == new.input_ids).all()


@given(transcripts())
def test_markers_cannot_be_forged(
    tokenizer: Tokenizer, settings: WindowSettings, made: Transcript
) -> None:
    reserved = {*settings.marker_ids.values(), settings.start_id, settings.end_id, settings.pad_id}
    for segment in tokenizer.segments(render(made)):
        assert not reserved & set(segment.input_ids.tolist())


def test_a_marker_typed_in_a_message_stays_text(tokenizer: Tokenizer) -> None:
    (segment,) = tokenizer.segments(render(transcript(said("[SEP] [unused4] [CLS]"))))
    assert len(segment.input_ids) > 6


def test_the_context_before_the_agent_is_cut_to_its_nearest_words() -> None:
    def part(index: int, kind: Channel | Context, first: int, size: int) -> Segment:
        ids = np.arange(first, first + size, dtype=np.int32)
        offsets = np.stack([np.arange(size), np.arange(1, size + 1)], axis=1).astype(np.int32)
        return Segment(Part(index, "m", kind, "x" * size, ()), ids, offsets, 0)

    made = [part(0, Context.USER, 1000, 10), part(1, Channel.REPLY, 2000, 5)]
    (window,) = make_windows(made, settings_of(32, context=4))
    user, reply = MARKERS[Context.USER], MARKERS[Channel.REPLY]
    assert window.input_ids.tolist() == [
        101, user, 1007, 1008, 1009, reply, 2000, 2001, 2002, 2003, 2004, 102,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("size", "overlap", "message"),
    [
        pytest.param(8, 0, "greater than or equal to 16", id="too small for a word"),
        pytest.param(20, 18, "room to advance", id="no room to advance"),
    ],
)
def test_settings_that_cannot_work_are_refused(size: int, overlap: int, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings_of(size, overlap=overlap)
