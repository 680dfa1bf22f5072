"""Export trained weights to ONNX, prove parity with PyTorch, quantise to int8.

    python -m training.export runs/default

Writes `model.fp32.onnx` and `model.onnx` (dynamic int8) and `export.json` with the largest
difference in logits over mixed lengths and batch sizes. Fails above the tolerance.
"""

import argparse
import json
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from classifier.labels import DEFAULT_TAXONOMY
from training.base import find_base
from training.config import TrainConfig
from training.model import TranscriptEncoder

PARITY_TOLERANCE: Final = 1e-3
"""Largest |difference| of a logit in fp32: the order of additions differs, nothing else may."""

OPSET: Final = 17


def load_trained(run: Path) -> tuple[TranscriptEncoder, TrainConfig]:
    """The model with the weights of a run's best epoch, of its second phase if it has one."""
    settings: dict[str, Any] = json.loads((run / "training.json").read_text())["config"]
    settings["external"] = tuple(settings["external"])
    config = TrainConfig(**settings)
    model = TranscriptEncoder.from_pretrained(
        find_base(config.base).path, n_outputs=len(DEFAULT_TAXONOMY.outputs), dropout=0.0
    )
    weights = run / ("crops/weights.pt" if config.crop_epochs else "weights.pt")
    model.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    return model.eval(), config


def _inputs(n_windows: int, n_tokens: int, seed: int) -> tuple[torch.Tensor, ...]:
    """Random windows with padding and unpooled context."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1000, 20_000, (n_windows, n_tokens))
    attention = np.ones_like(ids)
    pooled = np.ones_like(ids)
    pooled[:, 0] = pooled[:, -1] = 0
    for row in range(1, n_windows):
        end = int(rng.integers(n_tokens // 2, n_tokens))
        attention[row, end:] = pooled[row, end:] = 0
    return tuple(torch.from_numpy(array) for array in (ids, attention, pooled))


def export_onnx(model: TranscriptEncoder, path: Path) -> None:
    """Write the fp32 graph with dynamic batch and length."""
    names = ["input_ids", "attention_mask", "pool_mask"]
    axes: dict[str, dict[int, str]] = {name: {0: "windows", 1: "tokens"} for name in names}
    axes |= {"logits": {0: "windows"}, "token_logits": {0: "windows", 1: "tokens"}}
    with warnings.catch_warnings():
        # The tracing exporter is deprecated in name; its graphs are the fastest.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            _inputs(2, 24, 0),
            str(path),
            input_names=names,
            output_names=["logits", "token_logits"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
    onnx.checker.check_model(str(path))


def parity(model: TranscriptEncoder, path: Path) -> float:
    """Largest difference of a logit between PyTorch and the graph, over mixed shapes."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for seed, (n_windows, n_tokens) in enumerate([(1, 4), (1, 256), (3, 33), (7, 128), (2, 256)]):
        inputs = _inputs(n_windows, n_tokens, seed)
        with torch.inference_mode():
            expected, expected_tokens = model(*inputs)
        names = [value.name for value in session.get_inputs()]
        feed = {name: array.numpy() for name, array in zip(names, inputs, strict=True)}
        logits, tokens = session.run(None, feed)
        worst = max(worst, float(np.abs(logits - expected.numpy()).max()))
        pooled = inputs[2].numpy()[..., None] * (tokens - expected_tokens.numpy())
        worst = max(worst, float(np.abs(pooled).max()))
    return worst


def quantize(source: Path, target: Path) -> None:
    """Dynamic int8: weights per channel, embeddings too; activations at run time."""
    quantize_dynamic(
        str(source),
        str(target),
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=False,
        op_types_to_quantize=["MatMul", "Gather"],
        extra_options={"MatMulConstBOnly": True},
    )


def export(run: Path) -> None:
    """Export a run.

    Raises:
        SystemExit: If the graph does not give what PyTorch gives.
    """
    model, _ = load_trained(run)
    export_onnx(model, run / "model.fp32.onnx")
    difference = parity(model, run / "model.fp32.onnx")
    if difference > PARITY_TOLERANCE:
        raise SystemExit(f"ONNX differs from PyTorch by {difference:.2e}, above {PARITY_TOLERANCE}")
    quantize(run / "model.fp32.onnx", run / "model.onnx")
    report = {
        "parity_max_abs_difference": difference,
        "parity_tolerance": PARITY_TOLERANCE,
        "opset": OPSET,
        "bytes": {p.name: p.stat().st_size for p in run.glob("*.onnx")},
    }
    (run / "export.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Export a run to ONNX and int8.")
    parser.add_argument("run", type=Path)
    export(parser.parse_args().run)


if __name__ == "__main__":
    main()
