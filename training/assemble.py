"""Put a run's files together as a bundle, with given calibration and thresholds."""

import json
import platform
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from classifier.bundle import MANIFEST, SCHEMA_VERSION, BundleManifest, sha256_of
from classifier.calibration import Platt, Thresholds
from classifier.labels import DEFAULT_TAXONOMY
from classifier.rendering import RENDERING_VERSION
from training.base import find_base, window_settings
from training.config import TrainConfig

EVIDENCE_PROBABILITY: Final = 0.5
_VERSIONED: Final = ("torch", "transformers", "onnx", "onnxruntime", "tokenizers", "numpy")


def run_config(run: Path) -> TrainConfig:
    """The settings a run was trained with."""
    settings: dict[str, Any] = json.loads((run / "training.json").read_text())["config"]
    settings["external"] = tuple(settings["external"])
    return TrainConfig(**settings)


def data_hashes(config: TrainConfig) -> dict[str, str]:
    """sha256 of every file that was trained or calibrated on; external files by name alone."""
    folder = Path(config.data)
    paths = sorted((folder / "train").rglob("*.jsonl"))
    paths += sorted((folder / "calibration").rglob("*.jsonl"))
    files = {str(path.relative_to(folder)): sha256_of(path) for path in paths}
    return files | {f"external/{Path(p).name}": sha256_of(Path(p)) for p in config.external}


def git_commit() -> str | None:
    """Commit of the checkout that the bundle is made in; None outside one."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _training_record(run: Path, config: TrainConfig) -> dict[str, Any]:
    record = json.loads((run / "training.json").read_text())
    settings = record["config"] | {
        "data": Path(config.data).name,
        "external": [Path(p).name for p in config.external],
    }
    return {
        "config": settings,
        "history": record["history"],
        "data": data_hashes(config),
        "commit": git_commit(),
        "versions": {name: metadata.version(name) for name in _VERSIONED},
        "python": platform.python_version(),
    }


def write_manifest(
    folder: Path,
    run: Path,
    *,
    calibration: Mapping[str, Platt],
    thresholds: Mapping[str, Thresholds],
    default_thresholds: str,
    evaluation: Mapping[str, Any],
) -> None:
    """Write `bundle.json` for the files that lie in a folder."""
    config = run_config(run)
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.name != MANIFEST)
    hashes = {path.name: sha256_of(path) for path in files}
    manifest = BundleManifest(
        schema_version=SCHEMA_VERSION,
        name=config.name,
        revision=f"{datetime.now(UTC):%Y-%m-%d}.{hashes['model.onnx'][:8]}",
        taxonomy=DEFAULT_TAXONOMY,
        rendering_version=RENDERING_VERSION,
        windowing=window_settings(folder / "tokenizer.json", config),
        aggregation="max",
        calibration=dict(calibration),
        thresholds=dict(thresholds),
        default_thresholds=default_thresholds,
        evidence_probability=EVIDENCE_PROBABILITY,
        precision="int8",
        base=find_base(config.base).description,
        licence="Apache-2.0",
        training=_training_record(run, config),
        evaluation=dict(evaluation),
        files=hashes,
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")


def provisional(run: Path, folder: Path) -> None:
    """A bundle whose probabilities are the sigmoid of its logits, to calibrate from."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("model.onnx", "tokenizer.json"):
        shutil.copyfile(run / name, folder / name)
    keys = [output.key for output in DEFAULT_TAXONOMY.outputs]
    half = Thresholds(name="half", description="uncalibrated", values=dict.fromkeys(keys, 0.5))
    write_manifest(
        folder,
        run,
        calibration=dict.fromkeys(keys, Platt(slope=1.0, intercept=0.0)),
        thresholds={"half": half},
        default_thresholds="half",
        evaluation={},
    )
