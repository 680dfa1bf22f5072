"""The package as a user meets it: light imports, true documents, a README that runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import classifier
from serving.settings import ServerSettings

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "module", ["classifier", "classifier.cli.main", "serving.app", "training.scenes"]
)
def test_imports_are_light(module: str) -> None:
    heavy = "torch", "transformers", "sklearn", "inspect_ai"
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_core_imports_no_web_framework() -> None:
    code = "import sys, classifier; print([m for m in ('fastapi', 'starlette', 'click') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_exports_are_sorted_and_exist() -> None:
    assert classifier.__all__ == sorted(classifier.__all__)
    assert all(hasattr(classifier, name) for name in classifier.__all__)


def test_versions_agree() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{classifier.__version__}"' in text


@pytest.mark.parametrize("name", ServerSettings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert f"`TBC_{name.upper()}`" in page


def test_the_readmes_python_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", block]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "berth-planner-veiled-hint" in done.stdout


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda p: p.name
)
def test_links_to_files_are_alive(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
