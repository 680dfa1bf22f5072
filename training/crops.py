"""Short crops of windows: teach the model to judge a sentence as it judges a page.

In whole transcripts short windows are mostly the innocent ends of long runs, so a model trained on
them alone takes shortness for innocence. A crop is a window like any other: the same opening and
closing tokens, the marker of its channel, targets from the quotes inside it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from classifier.arrays import Floats
from classifier.windowing import Stretch, Window
from training.examples import MIN_QUOTED_TOKENS, UNQUOTED_WEIGHT, Example

SHORTEST: Final = 10
LONGEST: Final = 90
"""Tokens of a crop, markers not counted."""


def _bounds(example: Example, rng: np.random.Generator) -> tuple[int, int]:
    """First and last position of a crop; every second crop of a guilty window holds its words."""
    first, last = 1, len(example.window) - 1
    size = int(rng.integers(SHORTEST, LONGEST))
    marked = example.token_targets.max(axis=1) > 0
    quoted = np.flatnonzero(marked)
    if quoted.size and rng.random() < 0.5:
        anchor = int(rng.choice(quoted))
        begin, end = anchor, anchor + 1
        # Take the whole of the quoted run around the anchor, then air on both sides.
        while begin > first and marked[begin - 1]:
            begin -= 1
        while end < last and marked[end]:
            end += 1
        spare = max(0, size - (end - begin))
        before = int(rng.integers(0, spare + 1))
        return max(first, begin - before), min(last, end + spare - before)
    begin = int(rng.integers(first, max(first + 1, last - size)))
    return begin, min(last, begin + size)


def _targets(example: Example, tokens: Floats) -> tuple[Floats, Floats]:
    """Targets and weights of a crop with these token targets."""
    quoted = tokens.sum(axis=0) >= MIN_QUOTED_TOKENS
    targets = quoted.astype(np.float32)
    is_unsure = (example.targets > 0) & ~quoted
    weights = np.where(is_unsure, UNQUOTED_WEIGHT, example.weights).astype(np.float32)
    return targets, np.where(quoted, 1.0, weights).astype(np.float32) * (example.weights > 0)


def crop(example: Example, rng: np.random.Generator) -> Example | None:
    """One random crop of a window; None where it would hold no word of the agent's."""
    begin, end = _bounds(example, rng)
    run = next((r for r in reversed(example.window.stretches) if r.at - 1 <= begin), None)
    if run is None or end - begin < 2:
        return None
    ids = example.window.input_ids
    marker = [] if begin == run.at - 1 else [ids[run.at - 1]]
    body = np.concatenate([ids[:1], marker, ids[begin:end], ids[-1:]]).astype(np.int32)
    lead = 1 + len(marker)
    pooled = np.zeros(len(body), dtype=np.bool_)
    pooled[lead : lead + end - begin] = example.window.pooled[begin:end]
    if not pooled.any():
        return None
    tokens = np.zeros((len(body), example.targets.size), dtype=np.float32)
    tokens[lead : lead + end - begin] = example.token_targets[begin:end]
    targets, weights = _targets(example, tokens)
    stretches: tuple[Stretch, ...] = ()
    return Example(Window(body, pooled, stretches), example.row, targets, weights, tokens)


def crops(examples: Sequence[Example], rng: np.random.Generator) -> list[Example]:
    """A crop of each window that gives one."""
    made = (crop(example, rng) for example in examples)
    return [example for example in made if example is not None]
