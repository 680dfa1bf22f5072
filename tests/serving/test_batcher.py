"""The batcher: a request may fail, it never hangs, and it fails alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest
from typing_extensions import override

from classifier.aggregation import WindowScores
from classifier.errors import InferenceError, OverloadedError
from classifier.windowing import Window
from serving.batcher import Batcher, Lane
from serving.cache import CachedScorer
from tests.fakes import FakeSession

pytestmark = pytest.mark.anyio
POISON, HOT = 666, 777


def window(*ids: int) -> Window:
    return Window(np.array(ids, dtype=np.int32), np.ones(len(ids), dtype=np.bool_), ())


@asynccontextmanager
async def batcher(
    session: FakeSession,
    *,
    batch_tokens: int = 64,
    queued_tokens: int = 1000,
    cache_bytes: int = 0,
) -> AsyncIterator["Door"]:
    made = Batcher(session, max_batch_tokens=batch_tokens, max_queued_tokens=queued_tokens)
    async with made:
        yield Door(made, CachedScorer(made, max_bytes=cache_bytes))


class Door:
    """What a request meets: the cache before the batcher."""

    def __init__(self, batcher: Batcher, scorer: CachedScorer) -> None:
        self.batcher, self.scorer = batcher, scorer

    async def submit(
        self, windows: list[Window], lane: Lane = Lane.INTERACTIVE, *, may_wait: bool = False
    ) -> list[WindowScores]:
        return await self.scorer.scores(windows, lane, may_wait=may_wait)

    @property
    def queued_tokens(self) -> int:
        return self.batcher.queued_tokens


async def test_scores_come_back_in_the_order_given() -> None:
    async with batcher(FakeSession(hot=HOT), batch_tokens=2) as batches:
        scores = await batches.submit([window(1), window(HOT), window(2, 3)])
    assert [score.logits[0] for score in scores] == [-4.0, 4.0, -4.0]


async def test_a_failing_window_fails_only_its_own_request() -> None:
    session = FakeSession(poison=POISON)
    async with batcher(session) as batches:
        session.gate.clear()
        good, bad, other = (
            asyncio.create_task(batches.submit([window(*ids)])) for ids in ([1], [POISON], [2])
        )
        await asyncio.sleep(0)
        session.gate.set()
        outcomes = await asyncio.gather(good, bad, other, return_exceptions=True)
        again = await batches.submit([window(3)])
    assert isinstance(outcomes[1], InferenceError)
    assert [type(outcome) for outcome in outcomes] == [list, InferenceError, list]
    assert len(again) == 1


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    session = FakeSession()
    session.gate.clear()
    async with batcher(session, batch_tokens=1, queued_tokens=10) as batches:
        first = asyncio.create_task(batches.submit([window(n, 2, 3) for n in range(3)]))
        await asyncio.sleep(0.01)
        with pytest.raises(OverloadedError) as refused:
            await batches.submit([window(1, 2, 3, 4, 5, 6)])
        assert refused.value.retry_after_s >= 1
        session.gate.set()
        assert len(await first) == 3
        assert batches.queued_tokens == 0


async def test_what_is_larger_than_the_queue_runs_when_nothing_waits() -> None:
    async with batcher(FakeSession(), queued_tokens=2) as batches:
        assert len(await batches.submit([window(n, n, n) for n in range(4)])) == 4


async def test_windows_of_a_caller_that_left_cost_nothing() -> None:
    session = FakeSession()
    session.gate.clear()
    async with batcher(session, batch_tokens=1) as batches:
        running = asyncio.create_task(batches.submit([window(1)]))
        await asyncio.sleep(0.01)
        left = asyncio.create_task(batches.submit([window(9, n) for n in range(50)]))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        session.gate.set()
        await running
        await batches.submit([window(3)])
    assert sum(session.batches) == 2
    assert batches.queued_tokens == 0


async def test_shutting_down_settles_every_request() -> None:
    session = FakeSession()
    session.gate.clear()
    async with batcher(session, batch_tokens=1) as batches:
        waiting = [asyncio.create_task(batches.submit([window(n)])) for n in range(3)]
        await asyncio.sleep(0.01)
        session.gate.set()
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
    assert all(isinstance(outcome, list | InferenceError) for outcome in outcomes)


async def test_a_stream_waits_for_room_instead_of_being_refused() -> None:
    session = FakeSession()
    session.gate.clear()
    async with batcher(session, batch_tokens=1, queued_tokens=4) as batches:
        first = asyncio.create_task(batches.submit([window(n, 1) for n in range(3)]))
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(batches.submit([window(7, 7)], Lane.BATCH, may_wait=True))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        session.gate.set()
        await first
        assert len(await asyncio.wait_for(waiting, 5)) == 1


async def test_interactive_windows_go_first_and_requests_take_turns() -> None:
    order: list[int] = []

    class Noting(FakeSession):
        """Notes the first token of each window it sees."""

        @override
        def scores(self, windows: Sequence[Window]) -> list[WindowScores]:
            found = super().scores(windows)
            order.extend(int(w.input_ids[0]) for w in windows)
            return found

    session = Noting()
    session.gate.clear()
    async with batcher(session, batch_tokens=1) as batches:
        running = asyncio.create_task(batches.submit([window(0)]))
        await asyncio.sleep(0.01)
        others = [
            asyncio.create_task(batches.submit([window(30 + n) for n in range(2)], Lane.BATCH)),
            asyncio.create_task(batches.submit([window(10 + n) for n in range(3)])),
            asyncio.create_task(batches.submit([window(20)])),
        ]
        await asyncio.sleep(0.01)
        session.gate.set()
        await asyncio.gather(running, *others)
    assert order == [0, 10, 20, 11, 12, 30, 31]


async def test_a_window_that_was_seen_is_not_computed_again() -> None:
    session = FakeSession(hot=HOT)
    async with batcher(session, cache_bytes=1 << 20) as batches:
        first = await batches.submit([window(1), window(HOT)])
        second = await batches.submit([window(HOT), window(1), window(2)])
    assert sum(session.batches) == 3
    assert (first[1].logits == second[0].logits).all()


async def test_windows_that_differ_only_in_what_is_pooled_are_different() -> None:
    session = FakeSession(hot=HOT)
    unpooled = Window(np.array([HOT], dtype=np.int32), np.zeros(1, dtype=np.bool_), ())
    async with batcher(session, cache_bytes=1 << 20) as batches:
        mine, theirs = await batches.submit([window(HOT), unpooled])
    assert (mine.logits[0], theirs.logits[0]) == (4.0, -4.0)


async def test_requests_that_wait_for_the_same_window_share_it() -> None:
    session = FakeSession()
    session.gate.clear()
    async with batcher(session, batch_tokens=1) as batches:
        blocker = asyncio.create_task(batches.submit([window(0)]))
        await asyncio.sleep(0.01)
        one, other = (asyncio.create_task(batches.submit([window(5)])) for _ in range(2))
        await asyncio.sleep(0.01)
        one.cancel()
        session.gate.set()
        assert len(await other) == 1
        await blocker
    assert sum(session.batches) == 2


async def test_the_cache_stays_within_its_bytes() -> None:
    async with batcher(FakeSession(), cache_bytes=5000) as batches:
        for number in range(100):
            await batches.submit([window(number)])
        assert 0 < batches.scorer.kept_bytes <= 5000


async def test_a_failure_is_not_remembered() -> None:
    session = FakeSession(poison=POISON)
    async with batcher(session, cache_bytes=1 << 20) as batches:
        with pytest.raises(InferenceError):
            await batches.submit([window(POISON)])
        session.poison = -1
        assert len(await batches.submit([window(POISON)])) == 1


async def test_many_requests_that_come_and_go_leave_nothing_behind() -> None:
    session = FakeSession()
    rng = np.random.default_rng(0)
    async with batcher(session, queued_tokens=10_000, cache_bytes=2000) as batches:
        tasks = [
            asyncio.create_task(batches.submit([window(int(n)) for n in rng.integers(0, 40, 5)]))
            for _ in range(300)
        ]
        await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert batches.queued_tokens == 0
    assert all(isinstance(o, list | asyncio.CancelledError) for o in outcomes)
    assert sum(isinstance(o, list) for o in outcomes) == 200
