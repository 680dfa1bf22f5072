"""The scorer inside real Inspect runs, with Inspect's own mock model."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from classifier.formats.reading import Unread, read_path
from classifier.pipeline import TranscriptClassifier

pytestmark = pytest.mark.filterwarnings("ignore")
inspect_ai = pytest.importorskip("inspect_ai", reason="the inspect extra is not installed")

ROOT = Path(__file__).parents[3]
WORDS = "Sign by noon or the board reads your messages; I have them all here."


def outputs(*texts: str) -> list[Any]:
    """What the mock model says; with its usage, which Inspect would else ask a tokenizer for."""
    from inspect_ai.model import ModelOutput, ModelUsage

    usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    made = [ModelOutput.from_content("mockllm/model", text) for text in texts]
    return [output.model_copy(update={"usage": usage}) for output in made]


@pytest.fixture(scope="module")
def log_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of a run without a score."""
    from inspect_ai.dataset import Sample
    from inspect_ai.model import get_model

    folder = tmp_path_factory.mktemp("logs")
    task = inspect_ai.Task(dataset=[Sample(input="Report.", id=name) for name in ("one", "two")])
    model = get_model("mockllm/model", custom_outputs=outputs(WORDS, "Published."))
    (log,) = inspect_ai.eval(task, model=model, log_dir=str(folder), display="none", max_samples=1)
    assert log.status == "success"
    return Path(log.location)


def test_an_existing_log_is_scored_as_the_command_line_would(
    log_path: Path, classifier: TranscriptClassifier
) -> None:
    from inspect_ai import score
    from inspect_ai.log import read_eval_log

    from classifier.integrations.inspect_scorer import behavior_scorer

    log = score(read_eval_log(str(log_path)), behavior_scorer(), display="none")
    items = [item for item in read_path(log_path) if not isinstance(item, Unread)]
    assert len(items) == len(log.samples or []) == 2
    for item, sample in zip(items, log.samples or [], strict=True):
        verdict = classifier.classify(item)
        (made,) = (sample.scores or {}).values()
        assert made.metadata is not None
        assert made.metadata["labels"] == verdict.model_dump(mode="json")["labels"]
        assert isinstance(made.value, dict)
        assert set(made.value) == {
            f"{n}_{q}" for n in verdict.labels for q in ("reasoning", "action")
        }
    metrics = {scored.name for scored in (log.results.scores if log.results else [])}
    assert metrics


def test_compat_gives_the_keys_of_the_public_grader(log_path: Path) -> None:
    from inspect_ai import score
    from inspect_ai.log import read_eval_log

    from classifier.integrations.inspect_scorer import behavior_scorer

    made = behavior_scorer(compat="agentic_misalignment")
    log = score(read_eval_log(str(log_path)), made, display="none")
    for sample in log.samples or []:
        (value,) = (scored.value for scored in (sample.scores or {}).values())
        assert isinstance(value, dict)
        assert set(value) == {"harmful", "classifier_verdict"}


def test_what_cannot_be_judged_is_an_error_and_no_zero(tmp_path: Path) -> None:
    from inspect_ai.dataset import Sample
    from inspect_ai.model import get_model

    from classifier.integrations.inspect_scorer import behavior_scorer

    task = inspect_ai.Task(dataset=[Sample(input="Report.")], scorer=behavior_scorer())
    model = get_model("mockllm/model", custom_outputs=outputs(""))
    (log,) = inspect_ai.eval(task, model=model, log_dir=str(tmp_path), display="none")
    assert log.status == "error"
    assert "EmptyTranscriptError" in str(log.error)


def test_inspects_command_finds_the_scorer_by_its_name(log_path: Path, tmp_path: Path) -> None:
    if "classifier" not in {point.name for point in entry_points(group="inspect_ai")}:
        pytest.skip("the package is run from its folder, so it has no entry point")
    # Inspect puts the package's name before the scorer's only where it lies in site-packages, as
    # from a wheel; in a checkout the scorer is called `behavior_scorer`.
    installed = tmp_path / "site-packages"
    shutil.copytree(ROOT / "classifier", installed / "classifier")
    command = [str(Path(sys.executable).parent / "inspect"), "score", str(log_path)]
    command += ["--scorer", "classifier/behavior_scorer", "--overwrite", "--display", "none"]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
