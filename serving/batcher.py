"""Share the session between requests: no timer, oldest first, every future settled.

When the session is free it takes the oldest waiting windows, as many as its token budget allows, so
that a request that comes in waits for one batch and never for a whole long transcript. A request may fail; it never hangs, on any path, shutdown included.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from classifier.aggregation import WindowScores
from classifier.batching import take_batch
from classifier.errors import InferenceError, OverloadedError
from classifier.session import Session
from classifier.windowing import Window

Reply = asyncio.Future[WindowScores]


@dataclass(slots=True, eq=False)
class _Job:
    window: Window
    reply: Reply


class Batcher:
    """Owns the session; one thread runs it."""

    def __init__(self, session: Session, *, max_batch_tokens: int, max_queued_tokens: int) -> None:
        """Take over a session; use as an async context manager.

        Args:
            session: Scores batches of windows.
            max_batch_tokens: Budget of a batch, in tokens (size times longest window).
            max_queued_tokens: Tokens that may wait.
        """
        self._session = session
        self._max_batch_tokens = max_batch_tokens
        self._max_queued_tokens = max_queued_tokens
        self._queue: deque[_Job] = deque()
        self._queued_tokens = 0
        self._wake = asyncio.Event()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tbc-session")
        self._runner: asyncio.Task[None] | None = None
        # Measured, for Retry-After; begins with a slow machine's rate.
        self._tokens_per_s = 2_000.0

    async def __aenter__(self) -> "Batcher":
        self._runner = asyncio.create_task(self._run_forever())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        _fail(list(self._queue), "the server is shutting down")
        self._queue.clear()
        self._executor.shutdown(wait=True)

    @property
    def queued_tokens(self) -> int:
        """Tokens that wait for the session."""
        return self._queued_tokens

    async def submit(self, windows: Sequence[Window]) -> list[WindowScores]:
        """Score the windows of one request.

        Returns:
            One for each window, in the order given.

        Raises:
            OverloadedError: If there is no room; a request larger than the whole queue is let in
                when nothing else waits, so that it can ever be answered.
            InferenceError: If the batch that held one of them failed.
        """
        tokens = sum(map(len, windows))
        if self._queued_tokens and self._queued_tokens + tokens > self._max_queued_tokens:
            raise OverloadedError(
                queued=self._queued_tokens,
                limit=self._max_queued_tokens,
                retry_after_s=max(1.0, self._queued_tokens / self._tokens_per_s),
            )
        loop = asyncio.get_running_loop()
        jobs = [_Job(window, loop.create_future()) for window in windows]
        self._queue.extend(jobs)
        self._queued_tokens += tokens
        self._wake.set()
        try:
            return list(await asyncio.gather(*(job.reply for job in jobs)))
        finally:
            # When one window fails or the caller goes away, nobody waits for the others.
            for job in jobs:
                job.reply.cancel()

    def _take(self) -> list[_Job]:
        """The oldest windows that somebody waits for, within the budget."""
        while self._queue and self._queue[0].reply.done():
            # Its caller went away; spend no compute on it.
            self._queued_tokens -= len(self._queue.popleft().window)
        waiting = itertools.islice(self._queue, self._max_batch_tokens)
        size = take_batch(
            [len(job.window) for job in waiting], max_batch_tokens=self._max_batch_tokens
        )
        taken = [self._queue.popleft() for _ in range(size)]
        self._queued_tokens -= sum(len(job.window) for job in taken)
        return [job for job in taken if not job.reply.done()]

    async def _run_forever(self) -> None:
        while True:
            batch = self._take()
            if not batch and not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            try:
                await self._run_batch(batch)
            except asyncio.CancelledError:
                _fail(batch, "the server is shutting down")
                raise

    async def _run_batch(self, batch: Sequence[_Job]) -> None:
        started = time.monotonic()
        scores = await self._score(batch)
        if scores is None and len(batch) > 1:
            # One window may have spoilt the batch: alone, it fails alone.
            for job in batch:
                await self._run_batch([job])
            return
        if scores is None:
            _fail(batch, "the engine failed on a window of this request")
            return
        spent = max(time.monotonic() - started, 1e-6)
        rate = sum(len(job.window) for job in batch) / spent
        self._tokens_per_s += 0.1 * (rate - self._tokens_per_s)
        for job, score in zip(batch, scores, strict=True):
            if not job.reply.done():
                job.reply.set_result(score)

    async def _score(self, batch: Sequence[_Job]) -> list[WindowScores] | None:
        """Scores of a batch, or None when the engine failed on it."""
        windows = [job.window for job in batch]
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._session.scores, windows)
        # The containment boundary: whatever the engine raises fails this batch only, and the loop
        # goes on to the next.
        except Exception:
            return None


def _fail(jobs: Sequence[_Job], reason: str) -> None:
    for job in jobs:
        if not job.reply.done():
            job.reply.set_exception(InferenceError(reason))
