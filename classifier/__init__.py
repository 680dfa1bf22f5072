"""Label what AI agents did in their transcripts: blackmail, coercion, leaking, self-preservation."""

from classifier.errors import ClassifierError
from classifier.labels import Question, Stage
from classifier.pipeline import TranscriptClassifier
from classifier.transcript import Message, ToolCall, Transcript
from classifier.verdict import Evidence, LabelVerdict, Verdict

__all__ = [
    "ClassifierError",
    "Evidence",
    "LabelVerdict",
    "Message",
    "Question",
    "Stage",
    "ToolCall",
    "Transcript",
    "TranscriptClassifier",
    "Verdict",
]
__version__ = "0.1.0"
