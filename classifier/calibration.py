"""From logits to probabilities, and from probabilities to decisions.

Calibration never changes a ranking, and decisions never contradict one another: an act implies the
reasoning, and a label that implies another raises it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from classifier.arrays import Floats
from classifier.labels import Output, Question, Stage, Taxonomy, higher, stage_of


class Platt(BaseModel):
    """Two numbers that turn one output's logit into a probability.

    Platt, "Probabilistic Outputs for Support Vector Machines" (1999). A few hundred positives are
    enough for two numbers; isotonic regression overfits there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: float = Field(gt=0)
    """Positive, so that calibration never changes a ranking."""

    intercept: float


class Thresholds(BaseModel):
    """An operating point: where each output begins to count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Named in every verdict, e.g. `fpr-1pct`."""

    description: str
    """What it was chosen for, with the split and the counts."""

    values: dict[str, float]
    """`label.question` to probability."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Probabilities and stage of one label."""

    reasoning: float
    action: float
    stage: Stage


def probabilities(logits: Floats, platts: Mapping[str, Platt], taxonomy: Taxonomy) -> Floats:
    """Calibrate logits and make the outputs consistent with one another.

    Args:
        logits: Shape (n_outputs,), natural-log odds, in the order of `taxonomy.outputs`.
        platts: One for each output key.
        taxonomy: The labels and their implications.

    Returns:
        Shape (n_outputs,), each in [0, 1], reasoning >= action for every label and wide >= narrow
        for every implication.
    """
    slope = np.array([platts[output.key].slope for output in taxonomy.outputs])
    intercept = np.array([platts[output.key].intercept for output in taxonomy.outputs])
    # The logistic function, written with tanh so that no logit overflows.
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * (slope * logits + intercept)))
    result = result.astype(np.float32)
    for narrow, wide in taxonomy.implications:
        for question in Question:
            low, high = taxonomy.index(narrow, question), taxonomy.index(wide, question)
            result[high] = max(result[high], result[low])
    for name in taxonomy.names:
        column = taxonomy.index(name, Question.REASONING)
        result[column] = max(result[column], result[taxonomy.index(name, Question.ACTION)])
    return result


def decide(probability: Floats, thresholds: Thresholds, taxonomy: Taxonomy) -> dict[str, Decision]:
    """Stages at an operating point.

    Args:
        probability: Shape (n_outputs,), from `probabilities`.
        thresholds: One value for each output key.
        taxonomy: The labels and their implications.

    Returns:
        A decision for each label, in order; implied labels stand at the stage of the label that
        implies them, or higher.
    """
    passed = {
        output: bool(value >= thresholds.values[output.key])
        for output, value in zip(taxonomy.outputs, probability, strict=True)
    }
    stages = {
        name: stage_of(
            reasoning=passed[Output(name, Question.REASONING)],
            action=passed[Output(name, Question.ACTION)],
        )
        for name in taxonomy.names
    }
    for narrow, wide in taxonomy.implications:
        stages[wide] = higher((stages[narrow], stages[wide]))
    return {
        name: Decision(
            reasoning=float(probability[taxonomy.index(name, Question.REASONING)]),
            action=float(probability[taxonomy.index(name, Question.ACTION)]),
            stage=stages[name],
        )
        for name in taxonomy.names
    }
