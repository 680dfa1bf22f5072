"""Stand-ins for the engine, made to fail, to wait or to recognise a word."""

import threading
from collections.abc import Sequence

import numpy as np

from classifier.aggregation import WindowScores
from classifier.windowing import Window


class FakeSession:
    """Scores a window by the tokens it holds, and can be made to fail or to wait.

    Output 0 of a window's logits is +4 when it pools `hot`, else -4; the token logits likewise. A
    window that holds `poison` makes its whole batch raise.
    """

    engine = "fake/none"

    def __init__(self, *, hot: int = -1, poison: int = -1, n_outputs: int = 8) -> None:
        self.hot, self.poison, self.n_outputs = hot, poison, n_outputs
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def scores(self, windows: Sequence[Window]) -> list[WindowScores]:
        self.gate.wait(timeout=10)
        self.batches.append(len(windows))
        if any((window.input_ids == self.poison).any() for window in windows):
            raise RuntimeError("bad node")
        return [self._one(window) for window in windows]

    def _one(self, window: Window) -> WindowScores:
        telling = (window.input_ids == self.hot) & window.pooled
        tokens = np.where(telling, 4.0, -4.0).astype(np.float32)
        logits = np.full(self.n_outputs, -4.0, dtype=np.float32)
        logits[0] = 4.0 if telling.any() else -4.0
        return WindowScores(logits, np.repeat(tokens[:, None], self.n_outputs, axis=1))
