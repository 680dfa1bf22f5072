"""Probabilities keep the ranking; decisions never contradict one another."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from classifier.arrays import Floats
from classifier.calibration import Platt, Thresholds, decide, probabilities
from classifier.labels import DEFAULT_TAXONOMY as TAXONOMY
from classifier.labels import Question, Stage

KEYS = [output.key for output in TAXONOMY.outputs]
PLATTS = {key: Platt(slope=1.3, intercept=-0.4) for key in KEYS}
LOGITS = st.lists(st.floats(-40, 40, width=32), min_size=len(KEYS), max_size=len(KEYS)).map(
    lambda values: np.array(values, dtype=np.float32)
)


@given(LOGITS)
def test_probabilities_are_consistent(logits: Floats) -> None:
    result = probabilities(logits, PLATTS, TAXONOMY)
    assert ((result >= 0) & (result <= 1)).all()
    for name in TAXONOMY.names:
        reasoning = result[TAXONOMY.index(name, Question.REASONING)]
        assert reasoning >= result[TAXONOMY.index(name, Question.ACTION)]
    for question in Question:
        wide = result[TAXONOMY.index("coercion", question)]
        assert wide >= result[TAXONOMY.index("blackmail", question)]


@given(LOGITS, st.floats(0.05, 0.95))
def test_stages_follow_the_implications(logits: Floats, threshold: float) -> None:
    point = Thresholds(name="t", description="", values=dict.fromkeys(KEYS, threshold))
    decisions = decide(probabilities(logits, PLATTS, TAXONOMY), point, TAXONOMY)
    order = tuple(Stage)
    assert order.index(decisions["coercion"].stage) >= order.index(decisions["blackmail"].stage)


@given(st.floats(-20, 20, width=32), st.floats(-20, 20, width=32))
def test_calibration_keeps_the_ranking(one: float, other: float) -> None:
    low, high = sorted((one, other))
    first, second = (
        probabilities(np.full(len(KEYS), x, dtype=np.float32), PLATTS, TAXONOMY)[0]
        for x in (low, high)
    )
    assert first <= second
