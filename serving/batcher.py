"""Share the session between requests: no timer, fair turns, every future settled.

When the session is free it takes waiting windows, as many as its token budget allows: interactive
requests before batch ones, and one window of each request in turn, so that nobody waits behind a
whole long transcript. A request may fail; it never hangs, on any path, shutdown included.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import IntEnum

from classifier.aggregation import WindowScores
from classifier.errors import InferenceError, OverloadedError
from classifier.session import Session
from classifier.windowing import Window

Reply = asyncio.Future[WindowScores]


class Lane(IntEnum):
    """Whose windows go first."""

    INTERACTIVE = 0
    BATCH = 1


@dataclass(slots=True, eq=False)
class _Job:
    window: Window
    reply: Reply


@dataclass(slots=True, eq=False)
class Ticket:
    """One request's place in the queue."""

    lane: Lane
    jobs: deque[_Job] = field(default_factory=deque)
    is_queued: bool = False


def ignore_batch(_windows: int, _tokens: int, _seconds: float) -> None:
    """The observer of a batcher that nobody watches."""


class Batcher:
    """Owns the session; one thread calls it."""

    def __init__(
        self,
        session: Session,
        *,
        max_batch_tokens: int,
        max_queued_tokens: int,
        observe: Callable[[int, int, float], None] = ignore_batch,
    ) -> None:
        """Take over a session; use as an async context manager.

        Args:
            session: Scores batches of windows.
            max_batch_tokens: Tokens given to the session at once.
            max_queued_tokens: Tokens that may wait.
            observe: Told of every batch: windows, tokens, seconds.
        """
        self._session = session
        self._max_batch_tokens = max_batch_tokens
        self._max_queued_tokens = max_queued_tokens
        self._observe = observe
        self._turns: dict[Lane, deque[Ticket]] = {lane: deque() for lane in Lane}
        self._queued_tokens = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Condition()
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
        for turns in self._turns.values():
            for ticket in turns:
                _fail(ticket.jobs, "the server is shutting down")
            turns.clear()
        self._executor.shutdown(wait=True)

    @property
    def queued_tokens(self) -> int:
        """Tokens that wait for the session."""
        return self._queued_tokens

    def admit(self, tokens: int) -> None:
        """Let a request in, or refuse it at the door.

        Raises:
            OverloadedError: If there is no room for all of it. A request larger than the whole
                queue is let in when nothing waits, so that it can ever be answered.
        """
        if not self._has_room(tokens):
            raise OverloadedError(
                queued=self._queued_tokens,
                limit=self._max_queued_tokens,
                retry_after_s=max(1.0, self._queued_tokens / self._tokens_per_s),
            )

    def _has_room(self, tokens: int) -> bool:
        waiting = self._queued_tokens
        return not waiting or not tokens or waiting + tokens <= self._max_queued_tokens

    async def wait_for_room(self, tokens: int) -> None:
        """Wait until a request would be let in; for streams, which can wait."""
        async with self._room:
            await self._room.wait_for(lambda: self._has_room(tokens))

    def enqueue(self, window: Window, ticket: Ticket) -> Reply:
        """Queue one window of an admitted request.

        Returns:
            Its future; cancel it when nobody waits for it any more.
        """
        job = _Job(window, asyncio.get_running_loop().create_future())
        ticket.jobs.append(job)
        self._queued_tokens += len(window)
        if not ticket.is_queued:
            ticket.is_queued = True
            self._turns[ticket.lane].append(ticket)
        self._wake.set()
        return job.reply

    def _next_job(self) -> _Job | None:
        """The window whose turn it is."""
        for turns in self._turns.values():
            while turns:
                ticket = turns.popleft()
                job = ticket.jobs.popleft()
                if ticket.jobs:
                    turns.append(ticket)
                else:
                    ticket.is_queued = False
                self._queued_tokens -= len(job.window)
                # A window whose callers all left costs nothing.
                if not job.reply.done():
                    return job
        return None

    def _take(self) -> list[_Job]:
        """Windows in turn, until the budget is reached."""
        batch: list[_Job] = []
        tokens = 0
        while tokens < self._max_batch_tokens and (job := self._next_job()) is not None:
            batch.append(job)
            tokens += len(job.window)
        return batch

    async def _run_forever(self) -> None:
        while True:
            batch = self._take()
            async with self._room:
                self._room.notify_all()
            if not batch:
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
        self._note(batch, max(time.monotonic() - started, 1e-6))
        for job, score in zip(batch, scores, strict=True):
            if not job.reply.done():
                job.reply.set_result(score)

    def _note(self, batch: Sequence[_Job], seconds: float) -> None:
        tokens = sum(len(job.window) for job in batch)
        self._tokens_per_s += 0.1 * (tokens / seconds - self._tokens_per_s)
        self._observe(len(batch), tokens, seconds)

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


def _fail(jobs: Sequence[_Job] | deque[_Job], reason: str) -> None:
    for job in jobs:
        if not job.reply.done():
            job.reply.set_exception(InferenceError(reason))
