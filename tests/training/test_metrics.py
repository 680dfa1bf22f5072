"""The report's numbers, on cases small enough to work out by hand."""

import math

import numpy as np
import pytest

from training.metrics import (
    auroc,
    expected_calibration_error,
    grouped_bootstrap,
    macro_auroc,
    recall_at,
    stage_kappa,
    wilson,
)

ANSWERS = np.array([0, 0, 1, 1])


def test_auroc_by_hand() -> None:
    assert auroc(ANSWERS, np.array([0.1, 0.4, 0.35, 0.8])) == pytest.approx(0.75)
    assert math.isnan(auroc(np.zeros(3), np.arange(3)))


def test_macro_skips_outputs_without_both_answers() -> None:
    table = np.stack([ANSWERS, np.zeros(4)], axis=1)
    assert macro_auroc(table, np.stack([ANSWERS, ANSWERS], axis=1)) == 1.0


def test_recall_at_a_false_positive_rate() -> None:
    answers = np.array([0] * 100 + [1] * 4)
    scores = np.concatenate([np.linspace(0, 0.99, 100), [0.985, 0.995, 1.0, 0.2]])
    assert recall_at(answers, scores, false_positive_rate=0.01) == 0.75


def test_calibration_error_by_hand() -> None:
    assert expected_calibration_error(ANSWERS, np.full(4, 0.5)) == 0.0
    assert expected_calibration_error(ANSWERS, np.full(4, 0.9)) == pytest.approx(0.4)


def test_stage_kappa_is_one_for_equals_and_punishes_by_distance() -> None:
    gold = np.array([0, 1, 2, 0])
    near, far = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0])
    assert stage_kappa(gold, gold) == 1.0
    assert stage_kappa(gold, near) > stage_kappa(gold, far)


def test_wilson_by_hand() -> None:
    interval = wilson(0, 599)
    assert (interval.value, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(0.0064, abs=1e-4)


def test_the_bootstrap_draws_whole_groups() -> None:
    groups = ["a"] * 50 + ["b"] * 50
    values = np.array([0.0] * 50 + [1.0] * 50)
    interval = grouped_bootstrap(lambda k: float(values[k].mean()), groups, resamples=200)
    assert interval.value == 0.5
    assert (interval.low, interval.high) == (0.0, 1.0)
