"""Fine-tune the encoder on the training split; keep the epoch that ranks calibration best.

    python -m training.train training/configs/default.toml runs/default

A second phase goes on from there with short crops of the windows, in `crops/`. Writes
`checkpoint.pt` (to go on after a kill, with the same command), `weights.pt` (the best epoch),
`tokenizer.json` and `training.json`. The same seed gives the same weights on one machine.
"""

import argparse
import copy
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from classifier.arrays import Floats
from classifier.batching import plan_batches
from classifier.labels import DEFAULT_TAXONOMY
from training.base import find_base, load_tokenizer, save_tokenizer, window_settings
from training.config import TrainConfig, load_config
from training.crops import crops
from training.examples import Example, batches, gold, make_examples
from training.labeled import Row, load_external, load_split
from training.losses import device_of, positive_weights, token_loss, window_loss
from training.metrics import macro_auroc
from training.model import TranscriptEncoder


@dataclass(frozen=True, slots=True)
class Tensors:
    """A padded batch."""

    input_ids: Tensor
    attention_mask: Tensor
    pool_mask: Tensor
    targets: Tensor
    weights: Tensor
    token_targets: Tensor


def collate(batch: Sequence[Example], *, pad_id: int, device: torch.device) -> Tensors:
    """Pad examples to the longest of them."""
    longest = max(len(example.window) for example in batch)
    shape = (len(batch), longest)
    ids = np.full(shape, pad_id, dtype=np.int64)
    attention = np.zeros(shape, dtype=np.int64)
    pooled = np.zeros(shape, dtype=np.float32)
    tokens = np.zeros((*shape, batch[0].targets.size), dtype=np.float32)
    for row, example in enumerate(batch):
        length = len(example.window)
        ids[row, :length] = example.window.input_ids
        attention[row, :length] = 1
        pooled[row, :length] = example.window.pooled
        tokens[row, :length] = example.token_targets
    stacks = [ids, attention, pooled, np.stack([e.targets for e in batch])]
    stacks += [np.stack([e.weights for e in batch]), tokens]
    return Tensors(*(torch.from_numpy(stack).to(device) for stack in stacks))


def parameter_groups(model: TranscriptEncoder, config: TrainConfig) -> list[dict[str, Any]]:
    """Parameters with the learning rate of their depth: lower layers move less."""
    depth = int(model.encoder.config.num_hidden_layers)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if "embeddings" in name:
            below = depth + 1
        elif ".layer." in name or ".layers." in name:
            number = next(int(piece) for piece in name.split(".") if piece.isdigit())
            below = depth - number
        else:
            below = -1
        decay = 0.0 if parameter.ndim < 2 else config.weight_decay
        rate = config.learning_rate * config.layer_decay**below
        if below < 0:
            rate = config.head_learning_rate
        groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": members, "lr": rate, "weight_decay": decay}
        for (rate, decay), members in groups.items()
    ]


def predict(model: TranscriptEncoder, examples: Sequence[Example], *, pad_id: int) -> Floats:
    """Window logits, in order; shape (n_examples, n_outputs)."""
    model.eval()
    result = np.zeros((len(examples), examples[0].targets.size), dtype=np.float32)
    lengths = [len(example.window) for example in examples]
    with torch.inference_mode(), torch.autocast(device_of(model).type, torch.bfloat16):
        for batch in plan_batches(lengths, max_batch_tokens=8192):
            tensors = collate([examples[i] for i in batch], pad_id=pad_id, device=device_of(model))
            logits, _ = model(tensors.input_ids, tensors.attention_mask, tensors.pool_mask)
            result[batch] = logits.float().cpu().numpy()
    return result


def transcript_logits(logits: Floats, examples: Sequence[Example], n_rows: int) -> Floats:
    """Highest window of each transcript; shape (n_rows, n_outputs)."""
    result = np.full((n_rows, logits.shape[1]), -np.inf, dtype=np.float32)
    for row, example in zip(logits, examples, strict=True):
        np.maximum(result[example.row], row, out=result[example.row])
    return result


class Trainer:
    """One run: its data, model, optimiser and where it stands."""

    def __init__(
        self, config: TrainConfig, out: Path, *, start: Path | None = None, with_crops: bool = False
    ) -> None:
        """Read the data and set up the model.

        Args:
            config: The run's settings.
            out: Folder to write into.
            start: Weights to begin from; the base encoder's when None.
            with_crops: Put a short crop of each window beside it; see `training.crops`.
        """
        random.seed(config.seed)
        np.random.seed(config.seed)  # noqa: NPY002  # seeds libraries that use the global state
        torch.manual_seed(config.seed)
        self.config, self.out = config, out
        out.mkdir(parents=True, exist_ok=True)
        base = find_base(config.base)
        save_tokenizer(base, out / "tokenizer.json")
        self.settings = window_settings(out / "tokenizer.json", config)
        tokenizer = load_tokenizer(out / "tokenizer.json")
        rows = load_split(Path(config.data), "train")
        for path in config.external:
            rows += load_external(Path(path), part="train")
        self.held_out: list[Row] = load_split(Path(config.data), "calibration")
        self.examples = make_examples(rows, tokenizer, self.settings, DEFAULT_TAXONOMY)
        self.held_out_examples = make_examples(
            self.held_out, tokenizer, self.settings, DEFAULT_TAXONOMY
        )
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = TranscriptEncoder.from_pretrained(
            base.path, n_outputs=len(DEFAULT_TAXONOMY.outputs), dropout=config.dropout
        ).to(device)
        if start is not None:
            self.model.load_state_dict(torch.load(start, weights_only=True, map_location=device))
        self.with_crops = with_crops
        self.averaged = copy.deepcopy(self.model)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.model, config))
        self.positive_weight = positive_weights(
            torch.from_numpy(np.stack([e.targets for e in self.examples])),
            torch.from_numpy(np.stack([e.weights for e in self.examples])),
        ).to(device)
        self.steps_per_epoch = len(self._epoch_batches(0))
        total = self.steps_per_epoch * config.epochs
        warm = max(1, int(config.warmup * total))
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min((step + 1) / warm, 0.5 * (1 + math.cos(math.pi * step / total))),
        )
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        say(f"{len(rows)} transcripts, {len(self.examples)} windows, {total} steps on {device}")

    def _epoch_batches(self, epoch: int) -> list[list[Example]]:
        """The batches of an epoch; they depend on the seed and the epoch alone."""
        rng = np.random.default_rng((self.config.seed, epoch))
        examples = self.examples + (crops(self.examples, rng) if self.with_crops else [])
        made = batches(
            examples,
            rng.permutation(len(examples)).tolist(),
            max_batch_tokens=self.config.batch_tokens,
        )
        return [made[i] for i in rng.permutation(len(made))]

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one of the same settings."""
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        if state["config"] != json.dumps(asdict(self.config), sort_keys=True):
            raise SystemExit(f"{path} is of other settings; remove it or choose another folder")
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.epoch, self.history = state["epoch"], state["history"]
        say(f"going on after epoch {self.epoch}")

    def save(self) -> None:
        """Write the checkpoint; the old one stands until the new one is whole."""
        state = {
            "config": json.dumps(asdict(self.config), sort_keys=True),
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "history": self.history,
        }
        torch.save(state, self.out / "checkpoint.tmp")
        (self.out / "checkpoint.tmp").replace(self.out / "checkpoint.pt")

    def step(self, batch: Sequence[Example]) -> float:
        """One optimiser step; returns the loss."""
        device = device_of(self.model)
        tensors = collate(batch, pad_id=self.settings.pad_id, device=device)
        enabled = self.config.precision == "bf16"
        with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
            logits, token_logits = self.model(
                tensors.input_ids, tensors.attention_mask, tensors.pool_mask
            )
        smooth = self.config.label_smoothing
        targets = tensors.targets * (1 - smooth) + 0.5 * smooth
        loss = window_loss(logits.float(), targets, tensors.weights, self.positive_weight)
        if self.config.token_weight:
            words = token_loss(
                token_logits.float(), tensors.token_targets, tensors.pool_mask, tensors.weights
            )
            loss = loss + self.config.token_weight * words
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        """Move the mean of the weights towards the weights; Polyak and Juditsky (1992)."""
        step = self.schedule.last_epoch
        # Early weights are poor: a short memory first, the configured one later.
        keep = min(self.config.averaging, step / (step + 10))
        with torch.no_grad():
            pairs = zip(self.averaged.parameters(), self.model.parameters(), strict=True)
            for mean, parameter in pairs:
                mean.lerp_(parameter, 1.0 - keep)

    def held_out_auroc(self) -> float:
        """Macro AUROC of the transcripts of the calibration split."""
        logits = predict(self.averaged, self.held_out_examples, pad_id=self.settings.pad_id)
        scores = transcript_logits(logits, self.held_out_examples, len(self.held_out))
        answers = np.stack([gold(row, DEFAULT_TAXONOMY)[0] for row in self.held_out])
        return macro_auroc(answers, scores)

    def run_epoch(self, started: float) -> None:
        """Train one epoch, measure it, write checkpoint and best weights."""
        # Dropout of an epoch depends on the seed and the epoch alone, so that a resumed run is the
        # run that was not stopped.
        torch.manual_seed(1000 * self.config.seed + self.epoch)
        self.model.train()
        total = self.steps_per_epoch * self.config.epochs
        losses: list[float] = []
        for number, batch in enumerate(self._epoch_batches(self.epoch), start=1):
            losses.append(self.step(batch))
            done = self.epoch * self.steps_per_epoch + number
            if number % 20 == 0 or number == self.steps_per_epoch:
                rate = number / max(time.monotonic() - started, 1e-9)
                left = (total - done) / rate
                mean = float(np.mean(losses[-20:]))
                say(
                    f"epoch {self.epoch + 1} step {done}/{total} loss {mean:.4f} {rate:.2f}/s {left:.0f} s left"
                )
        self.epoch += 1
        score = self.held_out_auroc()
        best = max((entry["auroc"] for entry in self.history), default=0.0)
        self.history.append({"loss": float(np.mean(losses)), "auroc": score})
        say(f"epoch {self.epoch} calibration macro AUROC {score:.4f}")
        if score >= best:
            torch.save(self.averaged.state_dict(), self.out / "weights.pt")
        self.save()


def say(line: str) -> None:
    """Progress, at once."""
    print(line, file=sys.stderr, flush=True)


def run(trainer: Trainer) -> list[dict[str, float]]:
    """Train all epochs that are left; gives the history."""
    trainer.resume()
    while trainer.epoch < trainer.config.epochs:
        trainer.run_epoch(time.monotonic())
    return trainer.history


def train_crops(config: TrainConfig, out: Path) -> list[dict[str, float]]:
    """The second phase: from the best weights, at half the rate, with crops; writes `crops/`."""
    second = replace(
        config,
        epochs=config.crop_epochs,
        learning_rate=config.learning_rate / 2,
        head_learning_rate=config.head_learning_rate / 2,
    )
    return run(Trainer(second, out / "crops", start=out / "weights.pt", with_crops=True))


def train(config: TrainConfig, out: Path) -> None:
    """Run or resume a training, both phases."""
    history = run(Trainer(config, out))
    if config.crop_epochs:
        history = history + train_crops(config, out)
    report = {
        "config": asdict(config),
        "history": history,
        "torch": torch.__version__,
    }
    (out / "training.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--external", action="append", help="file of labelled transcripts to add")
    arguments = parser.parse_args()
    overrides = {"seed": arguments.seed, "epochs": arguments.epochs, "external": arguments.external}
    train(load_config(arguments.config, **overrides), arguments.out)


if __name__ == "__main__":
    main()
