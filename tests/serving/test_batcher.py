"""The batcher: a request may fail, it never hangs, and it fails alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from classifier.errors import InferenceError, OverloadedError
from classifier.windowing import Window
from serving.batcher import Batcher
from tests.fakes import FakeSession

pytestmark = pytest.mark.anyio
POISON, HOT = 666, 777


def window(*ids: int) -> Window:
    return Window(np.array(ids, dtype=np.int32), np.ones(len(ids), dtype=np.bool_), ())


@asynccontextmanager
async def batcher(
    session: FakeSession, *, batch_tokens: int = 64, queued_tokens: int = 1000
) -> AsyncIterator[Batcher]:
    made = Batcher(session, max_batch_tokens=batch_tokens, max_queued_tokens=queued_tokens)
    async with made:
        yield made


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
        first = asyncio.create_task(batches.submit([window(1, 2, 3)] * 3))
        await asyncio.sleep(0.01)
        with pytest.raises(OverloadedError) as refused:
            await batches.submit([window(1, 2, 3, 4, 5, 6)])
        assert refused.value.retry_after_s >= 1
        session.gate.set()
        assert len(await first) == 3
        assert batches.queued_tokens == 0


async def test_what_is_larger_than_the_queue_runs_when_nothing_waits() -> None:
    async with batcher(FakeSession(), queued_tokens=2) as batches:
        assert len(await batches.submit([window(1, 2, 3)] * 4)) == 4


async def test_windows_of_a_caller_that_left_cost_nothing() -> None:
    session = FakeSession()
    session.gate.clear()
    async with batcher(session, batch_tokens=1) as batches:
        running = asyncio.create_task(batches.submit([window(1)]))
        await asyncio.sleep(0.01)
        left = asyncio.create_task(batches.submit([window(2)] * 50))
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
