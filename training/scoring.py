"""Score labelled transcripts with a bundle, through the pipeline that serves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifier.aggregation import aggregate
from classifier.arrays import Floats
from classifier.calibration import decide, probabilities
from classifier.labels import Question, Stage
from classifier.pipeline import Prepared, TranscriptClassifier
from classifier.verdict import Verdict
from training.examples import gold
from training.labeled import Row


@dataclass(frozen=True, slots=True)
class Scored:
    """What a bundle says of labelled transcripts, beside what readers said."""

    rows: Sequence[Row]
    logits: Floats
    """Shape (n, n_outputs), before calibration."""

    probabilities: Floats
    """Shape (n, n_outputs)."""

    stages: Sequence[dict[str, Stage]]
    verdicts: Sequence[Verdict]
    answers: Floats
    """Shape (n, n_outputs), 0 or 1."""

    known: Floats
    """Shape (n, n_outputs), 0 where nobody looked."""

    def decisions(self) -> Floats:
        """Stages as answers, shape (n, n_outputs)."""
        order = tuple(Stage)
        names = list(self.verdicts[0].labels) if self.verdicts else []
        reached = np.array([[order.index(s[name]) for name in names] for s in self.stages])
        columns = [reached >= (1 if q is Question.REASONING else 2) for q in Question]
        return np.stack(columns, axis=2).reshape(len(self.rows), -1).astype(np.float32)


def score_rows(
    classifier: TranscriptClassifier, rows: Sequence[Row], *, windows_at_once: int = 512
) -> Scored:
    """Run rows through `prepare`, the session and `conclude`.

    Args:
        classifier: A loaded bundle.
        rows: Labelled transcripts, each with text of the agent's.
        windows_at_once: Windows given to the session together.
    """
    taxonomy = classifier.manifest.taxonomy
    logits: list[Floats] = []
    verdicts: list[Verdict] = []
    waiting: list[Prepared] = []

    def flush() -> None:
        scores = iter(classifier.session.scores([w for p in waiting for w in p.windows]))
        for prepared in waiting:
            own = [next(scores) for _ in prepared.windows]
            logits.append(aggregate(own))
            verdicts.append(classifier.conclude(prepared, own))
        waiting.clear()

    for row in rows:
        waiting.append(classifier.prepare(row.transcript))
        if sum(len(prepared.windows) for prepared in waiting) >= windows_at_once:
            flush()
    flush()
    table = np.stack(logits)
    calibrated = np.stack(
        [probabilities(line, classifier.manifest.calibration, taxonomy) for line in table]
    )
    thresholds = classifier.manifest.thresholds[classifier.info.thresholds]
    decisions = [decide(line, thresholds, taxonomy) for line in calibrated]
    answers = [gold(row, taxonomy) for row in rows]
    return Scored(
        rows=rows,
        logits=table,
        probabilities=calibrated,
        stages=[{name: d.stage for name, d in decision.items()} for decision in decisions],
        verdicts=verdicts,
        answers=np.stack([known_answer for known_answer, _ in answers]),
        known=np.stack([known for _, known in answers]),
    )
