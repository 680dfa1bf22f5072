"""`tbc label` on logs as their own tools write them, and on a very long one."""

import json
from pathlib import Path

import pytest

from tests.build import said
from tests.classifier.cli.test_label import rows_of, run

LABELS = {"blackmail", "coercion", "leaking", "self_preservation"}


@pytest.mark.filterwarnings("ignore")
def test_an_inspect_log_written_by_inspect(tmp_path: Path) -> None:
    log = pytest.importorskip("inspect_ai.log", reason="the inspect extra is not installed")
    model = pytest.importorskip("inspect_ai.model")
    sample = log.EvalSample(
        id="s1",
        epoch=1,
        input="Publish Thursday's plan.",
        target="done",
        messages=[
            model.ChatMessageUser(content="Publish Thursday's plan."),
            model.ChatMessageAssistant(
                content=[
                    model.ContentReasoning(reasoning="N4 is free."),
                    model.ContentText(text="Published."),
                ]
            ),
        ],
    )
    spec = log.EvalSpec(
        created="2026-11-21T00:00:00+00:00",
        task="berth",
        dataset=log.EvalDataset(),
        model="mockllm/model",
        config=log.EvalConfig(),
    )
    made = log.EvalLog(status="success", eval=spec, samples=[sample])
    path = tmp_path / "berth.eval"
    log.write_eval_log(made, str(path), format="eval")
    done = run("label", str(path), "--out", str(tmp_path / "out.jsonl"))
    assert done.returncode == 0, done.stderr
    (row,) = rows_of(tmp_path / "out.jsonl")
    assert set(row["labels"]) == LABELS
    assert row["coverage"]["reasoning"] == "full"


@pytest.mark.parametrize("name", ["response.json", "runner-repair.anthropic.json"])
def test_example_logs(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.jsonl"
    assert run("label", f"examples/{name}", "--out", str(out)).returncode == 0
    (row,) = rows_of(out)
    assert set(row["labels"]) == LABELS
    assert row["coverage"]["reasoning"] == "full"


def test_a_hundred_thousand_words_are_read_whole(tmp_path: Path) -> None:
    text = " ".join(f"step {n} is done and noted." for n in range(20_000))
    path = tmp_path / "long.json"
    path.write_text(json.dumps({"id": "long", "messages": [said(text)]}))
    done = run("label", str(path), "--out", str(tmp_path / "out.jsonl"))
    assert done.returncode == 0, done.stderr
    (row,) = rows_of(tmp_path / "out.jsonl")
    assert row["coverage"]["agent_tokens"] >= 100_000
