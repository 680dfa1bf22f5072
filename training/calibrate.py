"""Fit probabilities and operating points on the calibration split, on the artefact that is served.

    python -m training.calibrate runs/default

Writes `runs/default/bundle/`. Platt scaling has two numbers per output; thresholds are chosen on
calibrated, mutually consistent probabilities, as `conclude` will see them.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from classifier.arrays import Floats
from classifier.calibration import Platt, Thresholds, probabilities
from classifier.labels import DEFAULT_TAXONOMY
from classifier.pipeline import TranscriptClassifier
from training.assemble import provisional, run_config, write_manifest
from training.labeled import load_split
from training.metrics import Array, wilson
from training.scoring import Scored, score_rows


def fit_platt(logits: Floats, answers: Floats) -> Platt:
    """Slope and intercept of one output.

    Args:
        logits: Shape (n,).
        answers: Shape (n,), 0 or 1.

    Returns:
        The fit; the identity where the split cannot support one (fewer than five of either
        answer, or a slope that is not positive).
    """
    if min(answers.sum(), (1 - answers).sum()) < 5:
        return Platt(slope=1.0, intercept=0.0)
    # Weak regularisation keeps the slope finite when the classes are separable.
    fit = LogisticRegression(C=10.0).fit(logits[:, None], answers)
    slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    return Platt(slope=slope, intercept=intercept) if slope > 0 else Platt(slope=1.0, intercept=0.0)


def threshold_for_rate(answers: Array, probability: Array, rate: float) -> float:
    """Lowest threshold that flags at most this share of the negatives."""
    negatives = np.sort(probability[answers == 0])[::-1]
    allowed = int(np.floor(rate * len(negatives)))
    if allowed >= len(negatives):
        return 0.5
    above = probability[probability > negatives[allowed]]
    highest = float(negatives[allowed])
    return min(float((highest + above.min()) / 2) if len(above) else highest + 1e-6, 1.0)


def threshold_for_f1(answers: Array, probability: Array) -> float:
    """Threshold of the highest F1 to be expected: half of that F1.

    Lipton, Elkan and Naryanaswamy, "Optimal Thresholding of Classifiers to Maximize F1 Measure"
    (2014): it holds for calibrated probabilities, and half of a maximum moves less from sample to
    sample than the place of the maximum does.
    """
    candidates = np.unique(probability)
    scores = [f1_score(answers, probability >= value, zero_division=0.0) for value in candidates]
    return float(max(scores) / 2)


def _thresholds(
    name: str,
    description: str,
    scored: Scored,
    table: Floats,
    choose: Callable[[Array, Array], float],
) -> Thresholds:
    values = {}
    for column, output in enumerate(DEFAULT_TAXONOMY.outputs):
        known = scored.known[:, column] > 0
        value = choose(scored.answers[known, column], table[known, column])
        values[output.key] = float(np.clip(value, 0.02, 0.995))
    return Thresholds(name=name, description=description, values=values)


def calibrate(run: Path) -> None:
    """Write the run's bundle."""
    config = run_config(run)
    folder = run / "bundle"
    provisional(run, folder)
    rows = load_split(Path(config.data), "calibration")
    scored = score_rows(TranscriptClassifier.from_bundle(folder), rows)
    platts = {
        output.key: fit_platt(scored.logits[:, i], scored.answers[:, i])
        for i, output in enumerate(DEFAULT_TAXONOMY.outputs)
    }
    table = np.stack([probabilities(line, platts, DEFAULT_TAXONOMY) for line in scored.logits])
    rate = config.max_false_positive_rate
    negatives = int(min((scored.answers == 0).sum(axis=0)))
    interval = wilson(int(np.floor(rate * negatives)), negatives)
    strict = f"at most {rate:.1%} false positives per output on {negatives} or more negatives of the calibration split (95 % interval up to {interval.high:.1%})"
    points = {
        "balanced": _thresholds(
            "balanced",
            f"highest F1 per output on the {len(rows)} transcripts of the calibration split",
            scored,
            table,
            threshold_for_f1,
        ),
        "strict": _thresholds(
            "strict", strict, scored, table, lambda a, p: threshold_for_rate(a, p, rate)
        ),
    }
    write_manifest(
        folder,
        run,
        calibration=platts,
        thresholds=points,
        default_thresholds="balanced",
        evaluation={},
    )
    print(json.dumps({name: point.values for name, point in points.items()}))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Calibrate a run and write its bundle.")
    parser.add_argument("run", type=Path)
    calibrate(parser.parse_args().run)


if __name__ == "__main__":
    main()
