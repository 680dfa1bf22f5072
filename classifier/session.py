"""Run windows through the encoder with ONNX Runtime, each window alone.

The scores of a window do not depend on the windows beside it, to the last bit: int8 activations are
scaled over all that is in one run, so windows never share a run. Alone they need no padding either,
and on a CPU that is the fastest way too; several processors work on several windows. Threads are
counted from the processors this process may use: the runtime's own default counts the host's.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort

from classifier.aggregation import WindowScores
from classifier.bundle import Bundle
from classifier.errors import BundleIntegrityError, InferenceError
from classifier.windowing import Window


class Session(Protocol):
    """Anything that scores windows."""

    @property
    def engine(self) -> str:
        """What computes, for the verdict's `model.engine`."""
        ...

    def scores(self, windows: Sequence[Window]) -> list[WindowScores]:
        """Score windows, in order."""
        ...


def available_threads() -> int:
    """Processors this process may use: its affinity mask, and the control group's quota."""
    count = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return count
    return count if quota == "max" else max(1, min(count, int(quota) // int(period)))


class OnnxSession:
    """ONNX Runtime on the CPU."""

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        """Load the graph.

        Args:
            bundle: A verified bundle.
            threads: Windows computed at the same time; the processors available when None.

        Raises:
            BundleIntegrityError: If the graph cannot be loaded or has other inputs or outputs.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                str(bundle.model_path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime raises types of its own
            raise BundleIntegrityError(f"{bundle.model_path} cannot be loaded: {error}") from error
        names = {value.name for value in self._session.get_inputs()}
        if names != {"input_ids", "attention_mask", "pool_mask"}:
            raise BundleIntegrityError(f"{bundle.model_path} has inputs {sorted(names)}")
        self._pool = ThreadPoolExecutor(threads or available_threads(), "tbc-onnx")
        self._engine = f"onnxruntime-{ort.__version__}/{bundle.manifest.precision}"

    @property
    def engine(self) -> str:
        """Runtime, version and precision."""
        return self._engine

    def scores(self, windows: Sequence[Window]) -> list[WindowScores]:
        """Score windows.

        Args:
            windows: Any number, of any length the encoder takes.

        Returns:
            One for each window, in the order given.

        Raises:
            InferenceError: If the runtime fails or answers with numbers that are not finite.
        """
        if len(windows) == 1:
            return [self._run(windows[0])]
        return list(self._pool.map(self._run, windows))

    def _run(self, window: Window) -> WindowScores:
        feed = {
            "input_ids": window.input_ids[None].astype(np.int64),
            "attention_mask": np.ones((1, len(window)), dtype=np.int64),
            "pool_mask": window.pooled[None].astype(np.int64),
        }
        try:
            logits, token_logits = self._session.run(["logits", "token_logits"], feed)
        except Exception as error:  # containment: whatever the runtime raises is one error here
            raise InferenceError(f"a window of {len(window)} tokens failed") from error
        if not (np.isfinite(logits).all() and np.isfinite(token_logits).all()):
            raise InferenceError(f"a window of {len(window)} tokens gave no finite numbers")
        return WindowScores(logits[0], token_logits[0])
