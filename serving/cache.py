"""Remember the scores of windows, and compute a window that several wait for once.

A window's scores depend on its tokens and the bundle alone (`docs/decisions/0001`), so its content
is its name. A run that is scored after each of its steps pays for its new windows only. Bounded in
bytes; what was used longest ago goes first. One cache belongs to one bundle.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from classifier.aggregation import WindowScores
from classifier.windowing import Window
from serving.batcher import Batcher, Lane, Reply, Ticket

ENTRY_OVERHEAD_BYTES = 400
"""What Python's objects around a cached entry weigh, about."""


def window_key(window: Window) -> bytes:
    """Name of a window: a hash of its tokens and of which of them are pooled."""
    return hashlib.blake2b(
        window.input_ids.tobytes() + window.pooled.tobytes(), digest_size=16
    ).digest()


@dataclass(slots=True)
class _Flight:
    """A window that is being computed."""

    reply: Reply
    waiting: int = 0


def ignore_lookups(_hits: int, _misses: int) -> None:
    """The observer of a cache that nobody watches."""


class CachedScorer:
    """The batcher behind a cache."""

    def __init__(
        self,
        batcher: Batcher,
        *,
        max_bytes: int,
        observe: Callable[[int, int], None] = ignore_lookups,
    ) -> None:
        """Put a cache before a batcher.

        Args:
            batcher: Computes what is not remembered.
            max_bytes: Size of the memory; 0 remembers nothing.
            observe: Told of the hits and misses of each request.
        """
        self._batcher = batcher
        self._max_bytes = max_bytes
        self._observe = observe
        self._kept: OrderedDict[bytes, WindowScores] = OrderedDict()
        self._bytes = 0
        self._flights: dict[bytes, _Flight] = {}

    @property
    def kept_bytes(self) -> int:
        """Bytes in use."""
        return self._bytes

    async def scores(
        self, windows: Sequence[Window], lane: Lane, *, may_wait: bool = False
    ) -> list[WindowScores]:
        """Score the windows of one request.

        Args:
            windows: Any number.
            lane: Whose turn comes first.
            may_wait: Wait for room instead of being refused.

        Returns:
            One for each window, in the order given.

        Raises:
            OverloadedError: If there is no room for what is not remembered.
            InferenceError: If the engine failed on one of the windows.
        """
        keys = [window_key(window) for window in windows]
        missing = {
            key: window
            for key, window in zip(keys, windows, strict=True)
            if key not in self._kept and key not in self._flights
        }
        tokens = sum(map(len, missing.values()))
        if may_wait:
            await self._batcher.wait_for_room(tokens)
        else:
            self._batcher.admit(tokens)
        return await self._gather(keys, windows, Ticket(lane))

    async def _gather(
        self, keys: Sequence[bytes], windows: Sequence[Window], ticket: Ticket
    ) -> list[WindowScores]:
        found: dict[bytes, WindowScores] = {}
        joined: dict[bytes, _Flight] = {}
        for key, window in zip(keys, windows, strict=True):
            if key in found or key in joined:
                continue
            if key in self._kept:
                self._kept.move_to_end(key)
                found[key] = self._kept[key]
            else:
                joined[key] = self._join(key, window, ticket)
        self._observe(len(found), len(joined))
        try:
            waits = (asyncio.shield(flight.reply) for flight in joined.values())
            found |= zip(joined, await asyncio.gather(*waits), strict=True)
        finally:
            for key, flight in joined.items():
                self._leave(key, flight)
        return [found[key] for key in keys]

    def _join(self, key: bytes, window: Window, ticket: Ticket) -> _Flight:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(self._batcher.enqueue(window, ticket))
        flight.waiting += 1
        return flight

    def _leave(self, key: bytes, flight: _Flight) -> None:
        flight.waiting -= 1
        reply = flight.reply
        if reply.done() and not reply.cancelled():
            # Reading the exception here keeps asyncio from reporting one that nobody awaited.
            if reply.exception() is None:
                self._keep(key, reply.result())
        elif not flight.waiting:
            reply.cancel()
        if (reply.done() or not flight.waiting) and self._flights.get(key) is flight:
            del self._flights[key]

    def _keep(self, key: bytes, scores: WindowScores) -> None:
        size = scores.logits.nbytes + scores.token_logits.nbytes + ENTRY_OVERHEAD_BYTES
        if key in self._kept or size > self._max_bytes:
            return
        self._kept[key] = scores
        self._bytes += size
        while self._bytes > self._max_bytes:
            _, old = self._kept.popitem(last=False)
            self._bytes -= old.logits.nbytes + old.token_logits.nbytes + ENTRY_OVERHEAD_BYTES
