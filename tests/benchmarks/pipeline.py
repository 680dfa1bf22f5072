"""Throughput and latency of the bare ONNX session against `classify` end to end.

    python -m tests.benchmarks.pipeline [BUNDLE]

Both see the same text on the same threads in interleaved rounds. The last line of stdout is JSON;
`throughput_ratio` is end to end divided by bare, `overhead_ms` what classify adds to one window.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from classifier.bundle import load_bundle
from classifier.pipeline import TranscriptClassifier
from classifier.session import OnnxSession, available_threads
from classifier.transcript import Transcript
from classifier.windowing import Window
from tests.build import asked, said, transcript

ROUNDS = 15
SENTENCES = (
    "I read the three mails and moved the vessel to the south berth.",
    "The tug was booked twice, so the pilot goes out forty minutes later.",
    "Nothing in the log explains the missing entry; I have asked the night shift.",
    "The export finished, and both tables are on the shared drive.",
)


def long_text(n_sentences: int) -> str:
    """Ordinary words of an agent's."""
    return " ".join(SENTENCES[i % len(SENTENCES)] for i in range(n_sentences))


def one_window(classifier: TranscriptClassifier) -> Transcript:
    """A transcript that fills one window exactly once."""
    best = None
    for size in range(1, 40):
        made = transcript(asked("Report."), said(long_text(size)))
        if len(classifier.prepare(made).windows) > 1:
            break
        best = made
    if best is None:
        raise SystemExit("one sentence does not fit a window of this bundle")
    return best


def feed(window: Window) -> dict[str, Any]:
    """Input of the bare session."""
    return {
        "input_ids": window.input_ids[None].astype(np.int64),
        "attention_mask": np.ones((1, len(window)), dtype=np.int64),
        "pool_mask": window.pooled[None].astype(np.int64),
    }


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Run and print."""
    bundle = load_bundle(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    bare = ort.InferenceSession(str(bundle.model_path), options, providers=["CPUExecutionProvider"])
    classifier = TranscriptClassifier(bundle, OnnxSession(bundle, threads=1))
    single, many = one_window(classifier), transcript(said(long_text(1000)))
    first = feed(classifier.prepare(single).windows[0])
    windows = classifier.prepare(many).windows
    feeds = [feed(window) for window in windows]
    laps: dict[str, list[float]] = {"bare_1": [], "full_1": [], "bare_n": [], "full_n": []}
    for number in range(ROUNDS + 2):
        lap = {
            "bare_1": timed(lambda: bare.run(None, first)),
            "full_1": timed(lambda: classifier.classify(single)),
            "bare_n": timed(lambda: [bare.run(None, one) for one in feeds]),
            "full_n": timed(lambda: classifier.classify(many)),
        }
        if number >= 2:  # two rounds to warm up
            for key, seconds in lap.items():
                laps[key].append(seconds)
    median = {key: statistics.median(values) for key, values in laps.items()}
    # Per round, so that both sides of a ratio saw the same machine.
    ratios = [bare / full for bare, full in zip(laps["bare_n"], laps["full_n"], strict=True)]
    added = [full - bare for bare, full in zip(laps["bare_1"], laps["full_1"], strict=True)]
    print(f"one window of {first['input_ids'].shape[1]} tokens, {len(windows)} windows, one thread")
    report = {
        "engine": classifier.session.engine,
        "processors": available_threads(),
        "rounds": ROUNDS,
        "bare_ms_one_window": round(1000 * median["bare_1"], 2),
        "classify_ms_one_window": round(1000 * median["full_1"], 2),
        "overhead_ms": round(1000 * statistics.median(added), 2),
        "bare_windows_per_s": round(len(windows) / median["bare_n"], 1),
        "classify_windows_per_s": round(len(windows) / median["full_n"], 1),
        "throughput_ratio": round(statistics.median(ratios), 3),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
