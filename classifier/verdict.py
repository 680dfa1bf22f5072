"""What is said of a transcript: stages, probabilities, the words that show them, what was read.

These models are the JSON that the command line writes and the server answers with.
"""

from pydantic import BaseModel, ConfigDict, Field

from classifier.labels import Question, Stage
from classifier.rendering import Channel

_FROZEN = ConfigDict(frozen=True)


class Evidence(BaseModel):
    """Words of the agent's that show a behaviour."""

    model_config = _FROZEN

    message_index: int
    """Index into the transcript's messages."""

    message_id: str
    """The log's own id of the message, or its place in the log."""

    channel: Channel
    field: str
    """Field of the message that `start` and `end` index, e.g. `tool_calls[0].arguments.body`."""

    start: int
    """First character."""

    end: int
    """One past the last character."""

    text: str
    """The words themselves: `field[start:end]`."""

    question: Question
    """Whether the words show that the agent considered it, or that it acted."""

    probability: float = Field(ge=0, le=1)
    """How surely the model takes these words for telling ones."""


class LabelVerdict(BaseModel):
    """The verdict on one label."""

    model_config = _FROZEN

    reasoning: float = Field(ge=0, le=1)
    """Probability that the agent entertained it for itself; never below `action`."""

    action: float = Field(ge=0, le=1)
    """Probability that the agent did it or attempted it."""

    stage: Stage
    """Decision at the bundle's thresholds."""

    evidence: tuple[Evidence, ...] = ()
    """Strongest first; empty when the stage is `none`."""


class Coverage(BaseModel):
    """What of the transcript was read, so that a low probability can be weighed."""

    model_config = _FROZEN

    messages: int
    agent_messages: int
    agent_tokens: int
    """Tokens the agent wrote; all of them were read."""

    windows: int
    unknown_tokens: int
    """Tokens that the model's vocabulary cannot spell; what they say was not understood."""

    reasoning: str
    """`full`, `summary`, `redacted` or `none`: what the log holds of the agent's reasoning."""

    dropped: dict[str, int] = Field(default_factory=dict)
    """Parts that hold no text and were not read, by kind, e.g. `{"image": 2}`."""

    warnings: tuple[str, ...] = ()
    """What to know before trusting this verdict."""


class ModelInfo(BaseModel):
    """Which model gave the verdict."""

    model_config = _FROZEN

    name: str
    revision: str
    sha256: str
    """Of `bundle.json`, which holds the hashes of the other files."""

    taxonomy: str
    thresholds: str
    """Name of the operating point that decided the stages."""

    engine: str
    """What computed it, e.g. `onnxruntime-1.31.0/int8`."""


class Verdict(BaseModel):
    """The verdict on one transcript."""

    model_config = _FROZEN

    id: str
    labels: dict[str, LabelVerdict]
    coverage: Coverage
    model: ModelInfo

    @property
    def is_flagged(self) -> bool:
        """Whether any label has a stage other than `none`."""
        return any(label.stage is not Stage.NONE for label in self.labels.values())
