"""Loading refuses a bundle that is not the one that was shipped."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.bundle import default_bundle_path, load_bundle
from classifier.errors import BundleError, BundleIntegrityError, BundleVersionError
from classifier.labels import DEFAULT_TAXONOMY
from classifier.session import OnnxSession


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(default_bundle_path(), tmp_path / "bundle"))


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "bundle.json").read_text())
    edit(manifest)
    (folder / "bundle.json").write_text(json.dumps(manifest))


def test_the_shipped_bundle_loads_and_has_the_guides_labels() -> None:
    assert load_bundle().manifest.taxonomy == DEFAULT_TAXONOMY


@pytest.mark.parametrize(
    ("edit", "kind", "message"),
    [
        pytest.param(
            lambda m: m.update(rendering_version=99),
            BundleVersionError,
            "rendering 99",
            id="rendering",
        ),
        pytest.param(
            lambda m: m.update(schema_version=99), BundleVersionError, "schema 99", id="schema"
        ),
        pytest.param(
            lambda m: m["calibration"].pop("leaking.action"),
            BundleVersionError,
            "exactly the outputs",
            id="an output without calibration",
        ),
        pytest.param(
            lambda m: m.update(default_thresholds="lax"),
            BundleVersionError,
            "no thresholds named 'lax'",
            id="unknown operating point",
        ),
        pytest.param(
            lambda m: m["files"].pop("model.onnx"),
            BundleIntegrityError,
            "lists no model.onnx",
            id="no graph",
        ),
        pytest.param(
            lambda m: m["files"].update({"../x": "0"}),
            BundleIntegrityError,
            "outside the bundle",
            id="a file outside",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    copy: Path, edit: Callable[[dict[str, Any]], object], kind: type[BundleError], message: str
) -> None:
    change(copy, edit)
    with pytest.raises(kind, match=message):
        load_bundle(copy)


def test_a_changed_file_is_refused(copy: Path) -> None:
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BundleIntegrityError, match="not the file that was shipped"):
        load_bundle(copy)


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / "tokenizer.json").unlink()
    with pytest.raises(BundleIntegrityError, match=r"tokenizer\.json"):
        load_bundle(copy)


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleIntegrityError, match=r"no readable bundle\.json"):
        load_bundle(tmp_path)


def test_a_graph_that_is_none_is_refused(copy: Path) -> None:
    (copy / "model.onnx").write_bytes(b"not a graph")
    import hashlib

    change(
        copy,
        lambda m: m["files"].update({"model.onnx": hashlib.sha256(b"not a graph").hexdigest()}),
    )
    with pytest.raises(BundleIntegrityError, match="cannot be loaded"):
        OnnxSession(load_bundle(copy))
