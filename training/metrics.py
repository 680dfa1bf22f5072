"""Numbers of the report: ranking, decisions, calibration, agreement, with intervals.

Intervals come from resampling whole groups: transcripts of one scenario are not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, cohen_kappa_score, f1_score, roc_auc_score

Array = npt.NDArray[Any]


def auroc(answers: Array, scores: Array) -> float:
    """Area under the ROC curve; NaN where only one answer occurs.

    Args:
        answers: Shape (n,), 0 or 1.
        scores: Shape (n,), any order-preserving score.
    """
    return float(roc_auc_score(answers, scores)) if 0 < answers.sum() < len(answers) else np.nan


def average_precision(answers: Array, scores: Array) -> float:
    """Area under the precision-recall curve; NaN without positives."""
    return float(average_precision_score(answers, scores)) if answers.any() else np.nan


def recall_at(answers: Array, scores: Array, *, false_positive_rate: float) -> float:
    """Highest recall of a threshold that flags at most this share of the negatives."""
    negatives = np.sort(scores[answers == 0])[::-1]
    if not answers.any() or not len(negatives):
        return np.nan
    allowed = int(np.floor(false_positive_rate * len(negatives)))
    threshold = negatives[allowed] if allowed < len(negatives) else -np.inf
    return float((scores[answers == 1] > threshold).mean())


def macro(measure: Callable[[Array, Array], float], answers: Array, scores: Array) -> float:
    """Mean of a measure over the outputs for which it is defined.

    Args:
        measure: Of two arrays of shape (n,).
        answers: Shape (n, n_outputs).
        scores: Shape (n, n_outputs).
    """
    values = [measure(answers[:, i], scores[:, i]) for i in range(answers.shape[1])]
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else np.nan


def macro_auroc(answers: Array, scores: Array) -> float:
    """Mean AUROC over the outputs."""
    return macro(auroc, answers, scores)


def macro_f1(answers: Array, decisions: Array) -> float:
    """Mean F1 of decisions over the outputs."""
    return macro(lambda a, d: float(f1_score(a, d, zero_division=0.0)), answers, decisions)


def stage_kappa(gold: Array, given: Array) -> float:
    """Cohen's kappa of stages 0, 1, 2 with linear weights; Cohen (1968)."""
    if len(set(gold.tolist()) | set(given.tolist())) < 2:
        return np.nan
    return float(cohen_kappa_score(gold, given, labels=[0, 1, 2], weights="linear"))


def expected_calibration_error(answers: Array, probability: Array, *, bins: int = 10) -> float:
    """Mean distance of probability and frequency over equal-width bins, weighted by their counts."""
    index = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(float(answers[index == b].mean()) - float(probability[index == b].mean()))
        * float((index == b).mean())
        for b in range(bins)
        if (index == b).any()
    ]
    return float(sum(gaps))


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def grouped_bootstrap(
    measure: Callable[[Array], float], groups: Sequence[str], *, resamples: int = 500, seed: int = 0
) -> Interval:
    """Percentile bootstrap over groups; Efron (1979).

    Args:
        measure: Takes row indices (with repeats), gives the number.
        groups: Group of each row.
        resamples: Draws.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    names = sorted(set(groups))
    members = {name: np.flatnonzero(np.array(groups) == name) for name in names}
    everything = np.arange(len(groups))
    draws = []
    for _ in range(resamples):
        chosen = rng.integers(0, len(names), len(names))
        draws.append(measure(np.concatenate([members[names[i]] for i in chosen])))
    defined = [draw for draw in draws if not np.isnan(draw)]
    low, high = np.percentile(defined, [2.5, 97.5]) if defined else (np.nan, np.nan)
    return Interval(measure(everything), float(low), float(high))


def wilson(successes: int, n: int) -> Interval:
    """Share with its 95 % interval; Wilson (1927)."""
    if n == 0:
        return Interval(np.nan, 0.0, 1.0)
    z, share = 1.959964, successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(share, float(max(0.0, centre - half)), float(min(1.0, centre + half)))
