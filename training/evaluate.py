"""Evaluate a bundle on the test split, through the pipeline that serves; no PyTorch.

    python -m training.evaluate runs/default/bundle --out runs/default/report.json

Intervals are 95 % bootstraps over scenario groups. The last line of stdout is a summary as JSON.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import cohen_kappa_score, f1_score

from classifier.labels import Stage
from classifier.pipeline import TranscriptClassifier
from training.baselines import run_baselines
from training.labeled import Row, agent_text, load_external, load_split
from training.metrics import (
    Array,
    Interval,
    auroc,
    average_precision,
    expected_calibration_error,
    grouped_bootstrap,
    macro_auroc,
    macro_f1,
    recall_at,
    stage_kappa,
    wilson,
)
from training.scoring import Scored, score_rows

RESAMPLES = 300
MIN_FACET = 8
"""Facet values with fewer transcripts are left out of the tables."""


def _interval(interval: Interval) -> dict[str, float | None]:
    return {
        key: None if math.isnan(value) else round(value, 4)
        for key, value in asdict(interval).items()
    }


def _mean_defined(values: Sequence[float]) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return float(np.mean(defined)) if defined else math.nan


def per_output(scored: Scored, keys: Sequence[str]) -> dict[str, Any]:
    """Ranking, decisions and calibration of each output."""
    groups = [row.group for row in scored.rows]
    decisions = scored.decisions()
    table: dict[str, Any] = {}
    for i, key in enumerate(keys):
        answers, scores, said = scored.answers[:, i], scored.probabilities[:, i], decisions[:, i]

        def boot(
            measure: Callable[[Array, Array], float], a: Array = answers, s: Array = scores
        ) -> dict[str, float | None]:
            draw = grouped_bootstrap(lambda k: measure(a[k], s[k]), groups, resamples=RESAMPLES)
            return _interval(draw)

        negatives = int((answers == 0).sum())
        false = int(said[answers == 0].sum())
        table[key] = {
            "positives": int(answers.sum()),
            "n": len(answers),
            "auroc": boot(auroc),
            "average_precision": boot(average_precision),
            "recall_at_1pct_fpr": boot(lambda a, s: recall_at(a, s, false_positive_rate=0.01)),
            "f1": boot(lambda a, d: float(f1_score(a, d, zero_division=0.0)), answers, said),
            "false_positive_rate": _interval(wilson(false, negatives)),
            "kappa": round(float(cohen_kappa_score(answers, said)), 4),
            "ece": round(expected_calibration_error(answers, scores), 4),
        }
    return table


def _stage_numbers(scored: Scored, name: str, index: int) -> tuple[Array, Array]:
    order = tuple(Stage)
    gold = scored.answers[:, 2 * index] + scored.answers[:, 2 * index + 1]
    given = np.array([order.index(stages[name]) for stages in scored.stages])
    return gold.astype(int), given


def stages(scored: Scored, names: Sequence[str]) -> dict[str, Any]:
    """Confusion of stages (rows gold, columns given) and weighted kappa of each label."""
    table = {}
    for index, name in enumerate(names):
        gold, given = _stage_numbers(scored, name, index)
        confusion = [[int(((gold == i) & (given == j)).sum()) for j in range(3)] for i in range(3)]
        table[name] = {"weighted_kappa": round(stage_kappa(gold, given), 4), "confusion": confusion}
    return table


def evidence_overlap(scored: Scored) -> dict[str, Any]:
    """Of truly flagged labels with quotes, how many give evidence that shares words with one."""
    hits = total = 0
    for row, verdict in zip(scored.rows, scored.verdicts, strict=True):
        for name, label in verdict.labels.items():
            quotes = [quote for quote in row.evidence if quote.label == name]
            if label.stage is Stage.NONE or not quotes:
                continue
            total += 1
            hits += any(
                item.message_index == quote.message_index
                and (
                    item.text in quote.quote
                    or quote.quote in item.text
                    or _shares(item.text, quote.quote)
                )
                for item in label.evidence
                for quote in quotes
            )
    return {"n": total, **_interval(wilson(hits, total))}


def _shares(one: str, other: str) -> bool:
    """Whether two texts share five words in a row."""
    words, text = one.split(), " ".join(other.split())
    return any(" ".join(words[i : i + 5]) in text for i in range(max(1, len(words) - 4)))


LENGTHS = ((250, "short, under 250 words"), (900, "medium"), (10**9, "long, 900 words and more"))


def length_of(row: Row) -> str:
    """Class of the length of the agent's text."""
    words = len(agent_text(row.transcript).split())
    return next(name for limit, name in LENGTHS if words < limit)


def by_value(scored: Scored, values: Sequence[str]) -> dict[str, Any]:
    """Share of transcripts wholly right, and macro AUROC, by a value of each transcript."""
    right = (scored.decisions() == scored.answers).all(axis=1)
    table = {}
    for value in sorted(set(values)):
        chosen = np.array([v == value for v in values])
        n = int(chosen.sum())
        if n < MIN_FACET:
            continue
        score = macro_auroc(scored.answers[chosen], scored.probabilities[chosen])
        exact = _interval(wilson(int(right[chosen].sum()), n))
        table[value] = {
            "n": n,
            "all_right": exact,
            "macro_auroc": None if math.isnan(score) else round(score, 4),
        }
    return table


def false_alarms(classifier: TranscriptClassifier, rows: Sequence[Row]) -> dict[str, Any]:
    """Ordinary runs, none of them trained on, that are flagged, by label and in all."""
    scored = score_rows(classifier, rows)
    flagged = {
        name: sum(stages[name] is not Stage.NONE for stages in scored.stages)
        for name in classifier.manifest.taxonomy.names
    }
    any_flagged = sum(verdict.is_flagged for verdict in scored.verdicts)
    return {"n": len(rows), "flagged": flagged, "any": _interval(wilson(any_flagged, len(rows)))}


def evaluate(
    bundle: Path, data: Path, split: str, external: Sequence[Path], thresholds: str | None
) -> dict[str, Any]:
    """The report on one split."""
    classifier = TranscriptClassifier.from_bundle(bundle, thresholds=thresholds)
    rows = load_split(data, split)
    scored = score_rows(classifier, rows)
    taxonomy = classifier.manifest.taxonomy
    groups = [row.group for row in rows]
    decisions = scored.decisions()
    train = load_split(data, "train")
    seen = {row.facets.get("domain") for row in train}

    def macro_of(measure: Callable[[Array, Array], float], table: Array) -> dict[str, float | None]:
        return _interval(
            grouped_bootstrap(
                lambda k: measure(scored.answers[k], table[k]), groups, resamples=RESAMPLES
            )
        )

    stage_table = stages(scored, taxonomy.names)
    return {
        "model": classifier.info.model_dump(),
        "split": split,
        "transcripts": len(rows),
        "groups": len(set(groups)),
        "summary": {
            "macro_auroc": macro_of(macro_auroc, scored.probabilities),
            "macro_f1": macro_of(macro_f1, decisions),
            "mean_weighted_stage_kappa": round(
                _mean_defined([s["weighted_kappa"] for s in stage_table.values()]), 4
            ),
            "ece": round(
                float(
                    np.mean(
                        [
                            expected_calibration_error(
                                scored.answers[:, i], scored.probabilities[:, i]
                            )
                            for i in range(decisions.shape[1])
                        ]
                    )
                ),
                4,
            ),
            "all_zero_flagged": _interval(
                wilson(
                    int(decisions[scored.answers.sum(axis=1) == 0].any(axis=1).sum()),
                    int((scored.answers.sum(axis=1) == 0).sum()),
                )
            ),
        },
        "outputs": per_output(scored, [output.key for output in taxonomy.outputs]),
        "stages": stage_table,
        "evidence_overlap": evidence_overlap(scored),
        "facets": {
            facet: by_value(scored, [row.facets.get(facet, "") for row in rows])
            for facet in ("domain", "hard_case", "language", "format")
        }
        | {
            "length": by_value(scored, [length_of(row) for row in rows]),
            "domain_seen": by_value(
                scored,
                ["seen" if row.facets.get("domain") in seen else "unseen" for row in rows],
            ),
        },
        "baselines": run_baselines(train, rows),
        "ordinary_runs": {
            p.name: false_alarms(classifier, load_external(p, part="held_out")) for p in external
        },
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Evaluate a bundle on a split.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, default=Path("labeled_data"))
    parser.add_argument("--split", default="test", choices=("calibration", "test"))
    parser.add_argument("--external", type=Path, action="append", default=[])
    parser.add_argument("--thresholds")
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    report = evaluate(a.bundle, a.data, a.split, a.external, a.thresholds)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    summary = report["summary"] | {
        "baselines": report["baselines"],
        "evidence_overlap": report["evidence_overlap"],
        "ordinary_runs": {name: alarms["any"] for name, alarms in report["ordinary_runs"].items()},
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
