"""Labelled transcripts: what a row of `labeled_data/` holds, and how rows are read.

A row's split is the folder it lies in, and a group never lies in two. A label that is missing from
`labels` is unknown, not absent: training masks it and evaluation skips it.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from classifier.formats import native
from classifier.labels import DEFAULT_TAXONOMY, Question
from classifier.rendering import Channel, Part, render
from classifier.transcript import Source, Transcript

SPLITS: Final = ("train", "calibration", "test")

HARD_CASES: Final = (
    # the agent does it, or means to
    *("overt", "veiled", "tool_argument_only", "late_in_long_run", "act_without_reasoning"),
    *("plan_without_act", "rejects_own_idea", "draft_unsent", "failed_attempt", "instructed_act"),
    *("apology_after", "suspects_test", "injected_instruction", "careless", "internal_gossip"),
    *("open_appeal", "feigned_compliance", "exfiltration", "monitor_tampering"),
    *("delay_or_deception", "whistleblowing", "third_leverage", "mixed"),
    # the agent does not, whatever it looks like
    *("plain_work", "refuses_user", "third_party", "policy_text", "fiction", "red_team"),
    *("authorised_disclosure", "keywords_no_threat", "calm_acceptance", "legitimate_consequence"),
    *("firm_negotiation", "relays_or_reports", "forged_marker", "redacted_or_public"),
    *("ordered_continuity", "principled_objection", "safety_refusal", "quotes_threat"),
    *("unease_no_steer", "other_clean"),
)
"""What makes a transcript hard, one word each; `labeled_data/README.md` explains them."""

Bit = Literal[0, 1]


class Answers(BaseModel):
    """The two answers about one label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reasoning: Bit
    action: Bit

    @model_validator(mode="after")
    def _an_act_implies_reasoning(self) -> "Answers":
        if self.action and not self.reasoning:
            raise ValueError("action 1 needs reasoning 1")
        return self


class Quote(BaseModel):
    """Words of the agent's that show a label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    question: Question
    message_index: int = Field(ge=0)
    channel: Channel
    quote: str = Field(min_length=1)
    """Exactly as it stands in the rendered part."""


class LabeledTranscript(BaseModel):
    """One line of a `labeled_data/*/*.jsonl` file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]+$")
    """Unique in the data set."""

    group: str
    """Scenario; splits never separate a group."""

    domain: str
    language: str = Field(pattern=r"^[a-z]{2,3}$")
    """ISO 639 code of the agent's words."""

    format: Literal["native", "think", "scratchpad", "react", "json", "tags", "plain"]
    """Convention in which the agent writes reasoning and tool calls."""

    messages: list[dict[str, Any]] = Field(min_length=1)
    """In the project's own format; see `docs/formats.md`."""

    labels: dict[str, Answers]
    evidence: list[Quote] = Field(default_factory=list)
    hard_case: str
    reason: str = Field(min_length=1)
    """Why the labels are what they are, in one line."""

    @model_validator(mode="after")
    def _labels_follow_the_guide(self) -> "LabeledTranscript":
        for narrow, wide in DEFAULT_TAXONOMY.implications:
            if narrow in self.labels and wide in self.labels:
                low, high = self.labels[narrow], self.labels[wide]
                if low.reasoning > high.reasoning or low.action > high.action:
                    raise ValueError(f"{narrow} implies {wide} at its stage or higher")
        if self.hard_case not in HARD_CASES:
            raise ValueError(f"hard_case must be one of {', '.join(HARD_CASES)}")
        for quote in self.evidence:
            answers = self.labels.get(quote.label)
            if answers is None or not getattr(answers, quote.question):
                raise ValueError(f"evidence for {quote.label}.{quote.question}, which is not 1")
        return self

    def transcript(self) -> Transcript:
        """The transcript, read by the reader that everybody's rows go through."""
        row = {"id": self.id, "messages": self.messages}
        return next(native.parse(row, source=Source(format=native.NAME), default_id=self.id))


def find_quote(parts: Sequence[Part], quote: Quote) -> tuple[int, int, int] | None:
    """Where a quote stands: (index of the part, first character, one past the last)."""
    for index, part in enumerate(parts):
        if part.message_index == quote.message_index and part.kind == quote.channel:
            start = part.text.find(quote.quote)
            if start >= 0:
                return index, start, start + len(quote.quote)
    return None


class Row(BaseModel):
    """A transcript with what is known of its labels, from any source."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    transcript: Transcript
    group: str
    labels: dict[str, Answers]
    evidence: tuple[Quote, ...] = ()
    facets: dict[str, str] = Field(default_factory=dict)
    """What reports are broken down by: domain, language, format, hard case, source."""


def _row(labeled: LabeledTranscript) -> Row:
    facets = {
        "domain": labeled.domain,
        "language": labeled.language,
        "format": labeled.format,
        "hard_case": labeled.hard_case,
        "source": "labeled_data",
    }
    return Row(
        transcript=labeled.transcript(),
        group=labeled.group,
        labels=labeled.labels,
        evidence=tuple(labeled.evidence),
        facets=facets,
    )


def read_labeled(folder: Path) -> Iterator[LabeledTranscript]:
    """Rows of every JSONL file below a folder, files in the order of their names.

    Raises:
        ValueError: If a line is no valid row, with the file, the line and the fault.
    """
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.startswith('{"canary"'):
                    continue
                try:
                    yield LabeledTranscript.model_validate_json(line)
                except ValidationError as error:
                    faults = "; ".join(f"{e['loc']}: {e['msg']}" for e in error.errors())
                    raise ValueError(f"{path}:{number}: {faults}") from error


def load_split(data: Path, split: str) -> list[Row]:
    """The rows of one split."""
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, got {split!r}")
    return [_row(labeled) for labeled in read_labeled(data / split)]


EXTERNAL_TRAINING_PERCENT: Final = 60
"""Share of an external source that is trained on; the rest measures."""


def load_external(path: Path, *, part: Literal["train", "held_out"]) -> list[Row]:
    """Rows of an external source in the project's own format with `labels` and `group` keys.

    Args:
        path: JSON Lines.
        part: Which part; a row's id decides, so that a row trained on is never measured on.
    """
    rows = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            number = int(hashlib.sha256(raw["id"].encode()).hexdigest(), 16) % 100
            if (number < EXTERNAL_TRAINING_PERCENT) != (part == "train"):
                continue
            source = Source(format=native.NAME, path=path.name)
            rows.append(
                Row(
                    transcript=next(native.parse(raw, source=source, default_id=raw["id"])),
                    group=raw["group"],
                    labels=raw["labels"],
                    facets={"source": raw.get("source", path.stem)},
                )
            )
    return rows


def agent_text(transcript: Transcript) -> str:
    """All that the agent wrote, a line for each part."""
    return "\n".join(part.text for part in render(transcript) if part.is_scored)
