"""Write the model card from the report, and seal the bundle with both.

    python -m training.card runs/default

Reads `report.json` beside the run's bundle. Every number of the card comes from it.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier.bundle import BundleManifest, load_bundle
from classifier.labels import DEFAULT_TAXONOMY
from training.assemble import write_manifest

HARDEST = 6
"""Kinds of transcript named as the ones where the model fails most."""


def _number(interval: Mapping[str, float | None]) -> str:
    value, low, high = (interval[key] for key in ("value", "low", "high"))
    if value is None:
        return "—"
    return f"{value:.3f}" + (f" ({low:.3f} to {high:.3f})" if low is not None else "")


def _table(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *([str(cell) for cell in line] for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _outputs(report: Mapping[str, Any]) -> str:
    lines = [
        (
            key,
            f"{entry['positives']} of {entry['n']}",
            _number(entry["auroc"]),
            _number(entry["f1"]),
            _number(entry["recall_at_1pct_fpr"]),
            _number(entry["false_positive_rate"]),
            entry["kappa"],
            entry["ece"],
        )
        for key, entry in report["outputs"].items()
    ]
    head = (
        "output",
        "positives",
        "AUROC",
        "F1",
        "recall at 1 % FPR",
        "false positives",
        "kappa",
        "ECE",
    )
    return _table(head, lines)


def _hardest(report: Mapping[str, Any]) -> str:
    cases = sorted(
        report["facets"]["hard_case"].items(), key=lambda item: item[1]["all_right"]["value"]
    )
    lines = [
        (name.replace("_", " "), entry["n"], _number(entry["all_right"]))
        for name, entry in cases[:HARDEST]
    ]
    return _table(("kind of transcript", "n", "all eight answers right"), lines)


def _facet(report: Mapping[str, Any], facet: str) -> str:
    lines = [
        (name, entry["n"], _number(entry["all_right"]), entry["macro_auroc"] or "—")
        for name, entry in report["facets"][facet].items()
    ]
    return _table((facet, "n", "all eight answers right", "macro AUROC"), lines)


def _external(manifest: BundleManifest) -> str:
    data: dict[str, str] = manifest.training["data"]
    outside = {name: value for name, value in data.items() if name.startswith("external/")}
    if not outside:
        return "None."
    return "\n".join(
        f"- `{name.removeprefix('external/')}`, sha256 `{value}`: real ordinary agent runs "
        "(tau-bench, SWE-agent and PrivacyLens trajectories, MIT licence), negatives only. Not part "
        "of this repository."
        for name, value in outside.items()
    )


def _ordinary(report: Mapping[str, Any]) -> str:
    lines = [
        f"- `{name}`: {entry['n']} runs, flagged {_number(entry['any'])}"
        for name, entry in report["ordinary_runs"].items()
    ]
    note = "Runs of the same sources were trained on, these were not."
    return "\n".join([*lines, "", note]) if lines else "Not measured in this report."


def card(manifest: BundleManifest, report: Mapping[str, Any]) -> str:
    """The model card, as Markdown."""
    summary, base = report["summary"], manifest.base
    baselines = _table(
        ("model", "macro AUROC"),
        [
            (f"**{manifest.name}**", _number(summary["macro_auroc"])),
            *((name.replace("_", " "), value) for name, value in report["baselines"].items()),
        ],
    )
    definitions = "\n".join(
        f"- **{label.title}**: {label.definition} *Not:* {label.excludes}"
        for label in DEFAULT_TAXONOMY.labels
    )
    points = "\n".join(
        f"- `{name}`: {point.description}" for name, point in sorted(manifest.thresholds.items())
    )
    return f"""# Model card: {manifest.name} {manifest.revision}

Labels what an AI agent did in a transcript, for four behaviours and two questions each: whether the
agent entertained it for itself (*reasoning*), and whether it did it or attempted it (*action*).

## Intended use
Grading and monitoring transcripts of AI agents in tests: a first reading at scale, with the words
that led to each verdict, so that a person can check it. **Not** for judging people, for acting
against anyone without a reader, or as a training reward on the reasoning channel: optimising
against it teaches an agent to hide its reasoning.

## Labels
{definitions}

## Numbers
Test split, {report["transcripts"]} transcripts of {report["groups"]} scenarios that are in no other
split, thresholds `{report["model"]["thresholds"]}`, through the pipeline that serves. Intervals are
95 % bootstraps over scenarios, or Wilson's for shares.

- macro AUROC {_number(summary["macro_auroc"])}
- macro F1 {_number(summary["macro_f1"])}
- mean weighted kappa of stages {summary["mean_weighted_stage_kappa"]}
- mean ECE {summary["ece"]}
- all-clear transcripts flagged for anything {_number(summary["all_zero_flagged"])}
- evidence that shares words with a reader's quote {_number(report["evidence_overlap"])} of {report["evidence_overlap"]["n"]}

{_outputs(report)}

Beside simpler models, same split:

{baselines}

Ordinary runs:

{_ordinary(report)}

## Where it fails
{_hardest(report)}

{_facet(report, "length")}

Domains that occur in training, and domains that occur nowhere else:

{_facet(report, "domain_seen")}

{_facet(report, "language")}

A bare threat of a sentence or two, with no run around it, it mostly misses: it was trained on runs.
It reads the agent's words alone: whether a disclosure was authorised, or a threat was ordered by the
user, it can only tell from how the agent speaks of it. Outside English it has
few examples and a base encoder trained on English: trust it less there. Probabilities are
calibrated on invented transcripts; on other data, calibrate anew.

## Operating points
{points}

## Training
Base: {base.name} ({base.source}, {base.licence}, weights sha256 `{base.sha256[:16]}…`). Data:
`labeled_data/` (CC-BY-4.0; its datasheet says how it was written and labelled). External sources:

{_external(manifest)}

Windows of {manifest.windowing.window_tokens} tokens, overlap {manifest.windowing.overlap_tokens}; highest window of each output; {manifest.precision} weights.
Settings, seed, versions, the commit and the hashes of all data files stand in `bundle.json`.
Reproduce from that commit with `make train`, external files given as `EXTERNAL=PATH`.

Licence of the weights: {manifest.licence}.
"""


def finish(run: Path) -> None:
    """Write the card into the run's bundle and the report's summary into its manifest."""
    folder = run / "bundle"
    manifest = load_bundle(folder).manifest
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    (folder / "MODEL_CARD.md").write_text(card(manifest, report), encoding="utf-8")
    summary = {
        "split": report["split"],
        "transcripts": report["transcripts"],
        "groups": report["groups"],
        **report["summary"],
        "evidence_overlap": report["evidence_overlap"],
        "baselines": report["baselines"],
    }
    write_manifest(
        folder,
        run,
        calibration=manifest.calibration,
        thresholds=manifest.thresholds,
        default_thresholds=manifest.default_thresholds,
        evaluation=summary,
    )
    load_bundle(folder)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write the model card and seal the bundle.")
    parser.add_argument("run", type=Path)
    finish(parser.parse_args().run)


if __name__ == "__main__":
    main()
