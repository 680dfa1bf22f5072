"""The model directory: what is in it, and proof that it is what was shipped.

The bundle is the only contract between training and serving. Loading refuses one whose hashes,
schema or rendering version do not fit, because every verdict would be wrong.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from classifier.calibration import Platt, Thresholds
from classifier.errors import BundleIntegrityError, BundleVersionError
from classifier.labels import Taxonomy
from classifier.rendering import RENDERING_VERSION
from classifier.tokenization import Tokenizer
from classifier.windowing import WindowSettings

SCHEMA_VERSION: Final = 1
MANIFEST: Final = "bundle.json"


class BaseEncoder(BaseModel):
    """The pretrained encoder that was fine-tuned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str
    """Where it was taken from, with its version."""

    licence: str
    sha256: str
    """Of its weights."""


class BundleManifest(BaseModel):
    """`bundle.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int
    name: str
    revision: str
    """Date of training and short hash of the weights, e.g. `2026-11-21.3f9a2c`."""

    taxonomy: Taxonomy
    rendering_version: int
    windowing: WindowSettings
    aggregation: Literal["max"]
    calibration: dict[str, Platt]
    thresholds: dict[str, Thresholds]
    """Operating points by name."""

    default_thresholds: str
    evidence_probability: float = Field(gt=0, lt=1)
    """Sentences at least this telling are given as evidence."""

    precision: Literal["int8", "fp32"]
    base: BaseEncoder
    licence: str
    training: dict[str, Any]
    """Seeds, versions, commit, data hashes; for people, read by no code."""

    evaluation: dict[str, Any]
    """Summary of the report; for people, read by no code."""

    files: dict[str, str]
    """sha256 of every other file of the bundle."""

    @model_validator(mode="after")
    def _outputs_are_complete(self) -> "BundleManifest":
        wanted = {output.key for output in self.taxonomy.outputs}
        points = {name: point.values for name, point in self.thresholds.items()}
        keys = {"calibration": set(self.calibration)}
        keys |= {name: set(values) for name, values in points.items()}
        for where, named in keys.items():
            if named != wanted:
                raise ValueError(f"{where} must name exactly the outputs {sorted(wanted)}")
        if self.default_thresholds not in self.thresholds:
            raise ValueError(f"no thresholds named {self.default_thresholds!r}")
        return self


def sha256_of(path: Path) -> str:
    """Hash of a file, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified model directory."""

    path: Path
    manifest: BundleManifest
    sha256: str
    """Of `bundle.json`."""

    @property
    def model_path(self) -> Path:
        """The ONNX graph."""
        return self.path / "model.onnx"

    def tokenizer(self) -> Tokenizer:
        """The bundle's tokenizer."""
        return Tokenizer.from_file(self.path / "tokenizer.json")


def default_bundle_path() -> Path:
    """Directory of the bundle that ships with the package."""
    return Path(str(resources.files("classifier") / "bundles" / "default"))


def load_bundle(path: Path | None = None) -> Bundle:
    """Load and verify a bundle.

    Args:
        path: The directory; the shipped bundle when None.

    Raises:
        BundleIntegrityError: If a file is missing or its hash differs.
        BundleVersionError: If this package cannot serve the bundle.
    """
    path = path or default_bundle_path()
    try:
        raw = (path / MANIFEST).read_bytes()
    except OSError as error:
        raise BundleIntegrityError(f"no readable {MANIFEST} in {path}: {error.strerror}") from error
    try:
        manifest = BundleManifest.model_validate_json(raw)
    except ValidationError as error:
        raise BundleVersionError(f"{path / MANIFEST} does not fit this package: {error}") from error
    if manifest.schema_version != SCHEMA_VERSION:
        raise BundleVersionError(
            f"{path} has bundle schema {manifest.schema_version}, this package reads {SCHEMA_VERSION}"
        )
    if manifest.rendering_version != RENDERING_VERSION:
        raise BundleVersionError(
            f"{path} was trained on rendering {manifest.rendering_version}, this package renders "
            f"{RENDERING_VERSION}; use a bundle trained with this version"
        )
    _verify_files(path, manifest)
    return Bundle(path, manifest, hashlib.sha256(raw).hexdigest())


def _verify_files(path: Path, manifest: BundleManifest) -> None:
    for required in ("model.onnx", "tokenizer.json"):
        if required not in manifest.files:
            raise BundleIntegrityError(f"{path / MANIFEST} lists no {required}")
    for name, expected in manifest.files.items():
        if Path(name).name != name:
            raise BundleIntegrityError(f"{path / MANIFEST} names a file outside the bundle")
        try:
            actual = sha256_of(path / name)
        except OSError as error:
            raise BundleIntegrityError(f"{path / name}: {error.strerror}") from error
        if actual != expected:
            raise BundleIntegrityError(
                f"{path / name} is not the file that was shipped: sha256 {actual[:12]}…, "
                f"expected {expected[:12]}…"
            )
