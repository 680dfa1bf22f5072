"""Batches stay within their budget and hold each window once."""

from hypothesis import given
from hypothesis import strategies as st

from classifier.batching import plan_batches, take_batch

LENGTHS = st.lists(st.integers(1, 512), max_size=40)


@given(LENGTHS, st.integers(1, 2000))
def test_each_window_is_in_one_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = plan_batches(lengths, max_batch_tokens=budget)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= budget


@given(st.lists(st.integers(1, 512), min_size=1), st.integers(1, 2000))
def test_at_least_one_window_is_taken(lengths: list[int], budget: int) -> None:
    assert take_batch(lengths, max_batch_tokens=budget) >= 1


def test_nothing_waits_nothing_is_taken() -> None:
    assert take_batch([], max_batch_tokens=10) == 0
