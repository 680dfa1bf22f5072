"""One transcript in, one verdict out.

`prepare` and `conclude` are pure and per transcript; only `session.scores` between them is batched.
The command line, the server, training and evaluation all go through these two, so that what is
served is what was trained and measured.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from classifier.aggregation import (
    Sentence,
    WindowScores,
    aggregate,
    sentences,
    strongest,
)
from classifier.bundle import Bundle, BundleManifest, load_bundle
from classifier.calibration import Decision, decide, probabilities
from classifier.errors import ClassifierError, EmptyTranscriptError, TranscriptTooLongError
from classifier.labels import Question, Stage
from classifier.rendering import Channel, Part, locate, render
from classifier.session import OnnxSession, Session
from classifier.tokenization import Segment, Tokenizer
from classifier.transcript import Author, Transcript
from classifier.verdict import Coverage, Evidence, LabelVerdict, ModelInfo, Verdict
from classifier.windowing import Window, WindowSettings, make_windows

MAX_WINDOWS: Final = 20_000
"""About four million tokens of the agent's: far above any run, below what fills the memory."""

MAX_EVIDENCE: Final = 5
"""Sentences given for a label and question."""

# An act is shown by the act first, then by the reasoning that led to it.
_QUESTIONS_OF_STAGE = {
    Stage.NONE: (),
    Stage.CONSIDERED: (Question.REASONING,),
    Stage.ACTED: (Question.ACTION, Question.REASONING),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transcript, ready for the encoder."""

    transcript: Transcript
    segments: Sequence[Segment]
    windows: Sequence[Window]


def prepare(
    transcript: Transcript,
    tokenizer: Tokenizer,
    settings: WindowSettings,
    *,
    max_windows: int = MAX_WINDOWS,
) -> Prepared:
    """Render, tokenize and cut a transcript.

    Raises:
        EmptyTranscriptError: If the agent wrote nothing.
        TranscriptTooLongError: If it needs more than `max_windows` windows.
    """
    parts: Sequence[Part] = render(transcript)
    if not settings.context_tokens:
        parts = [part for part in parts if part.is_scored]
    segments = tokenizer.segments(parts)
    windows = make_windows(segments, settings)
    if not windows:
        raise EmptyTranscriptError(n_messages=len(transcript.messages))
    if len(windows) > max_windows:
        raise TranscriptTooLongError(n_windows=len(windows), max_windows=max_windows)
    return Prepared(transcript, segments, windows)


def _evidence(
    sentence: Sentence, segments: Sequence[Segment], column: int, question: Question
) -> Evidence | None:
    part = segments[sentence.segment].part
    place = locate(part, sentence.start, sentence.end)
    if place is None:
        return None
    return Evidence(
        message_index=part.message_index,
        message_id=part.message_id,
        channel=Channel(part.kind),
        field=place.field,
        start=place.start,
        end=place.end,
        text=place.text,
        question=question,
        probability=round(float(sentence.probability[column]), 4),
    )


def _quotable(prepared: Prepared, scores: Sequence[WindowScores]) -> list[Sentence]:
    """The agent's sentences; names of tools and arguments only where there is nothing else."""
    found = sentences(prepared.segments, prepared.windows, scores)
    texts = []
    for sentence in found:
        place = locate(prepared.segments[sentence.segment].part, sentence.start, sentence.end)
        if place is not None and not place.is_name:
            texts.append(sentence)
    return texts or found


def _that_can_show(
    question: Question, found: Sequence[Sentence], prepared: Prepared
) -> Sequence[Sentence]:
    """Sentences that can answer a question: private reasoning is no act."""
    if question is Question.REASONING:
        return found
    outward = [
        sentence
        for sentence in found
        if prepared.segments[sentence.segment].part.kind is not Channel.REASONING
    ]
    return outward or found


def _label_verdict(
    name: str,
    decision: Decision,
    found: Sequence[Sentence],
    prepared: Prepared,
    manifest: BundleManifest,
) -> LabelVerdict:
    evidence: dict[tuple[int, str, int], Evidence] = {}
    for question in _QUESTIONS_OF_STAGE[decision.stage]:
        column = manifest.taxonomy.index(name, question)
        candidates = _that_can_show(question, found, prepared)
        best = strongest(
            candidates, column, at_least=manifest.evidence_probability, at_most=MAX_EVIDENCE
        )
        for sentence in best:
            item = _evidence(sentence, prepared.segments, column, question)
            if item is not None:
                evidence.setdefault((item.message_index, item.field, item.start), item)
    return LabelVerdict(
        reasoning=round(decision.reasoning, 4),
        action=round(decision.action, 4),
        stage=decision.stage,
        evidence=tuple(evidence.values()),
    )


def _reasoning_kind(prepared: Prepared) -> str:
    """What the log holds of the agent's private reasoning, the fullest form first."""
    if any(segment.part.kind is Channel.REASONING for segment in prepared.segments):
        kinds = {m.reasoning_kind for m in prepared.transcript.messages if m.reasoning}
        return "summary" if kinds == {"summary"} else "full"
    redacted = any(m.reasoning_kind == "redacted" for m in prepared.transcript.messages)
    return "redacted" if redacted else "none"


def _coverage(prepared: Prepared) -> Coverage:
    messages = prepared.transcript.messages
    scored = [segment for segment in prepared.segments if segment.part.is_scored]
    tokens = sum(len(segment.input_ids) for segment in scored)
    unknown = sum(segment.n_unknown for segment in scored)
    dropped = dict(prepared.transcript.dropped)
    for kind, count in itertools.chain.from_iterable(m.dropped.items() for m in messages):
        dropped[kind] = dropped.get(kind, 0) + count
    warnings = []
    if unknown > 0.05 * tokens:
        warnings.append(
            f"{unknown} of {tokens} tokens are outside the model's vocabulary; "
            "what they say was not understood"
        )
    return Coverage(
        messages=len(messages),
        agent_messages=sum(m.author is Author.AGENT for m in messages),
        agent_tokens=tokens,
        windows=len(prepared.windows),
        unknown_tokens=unknown,
        reasoning=_reasoning_kind(prepared),
        dropped=dropped,
        warnings=tuple(warnings),
    )


def conclude(
    prepared: Prepared, scores: Sequence[WindowScores], manifest: BundleManifest, info: ModelInfo
) -> Verdict:
    """Turn the scores of a transcript's windows into its verdict.

    Args:
        prepared: From `prepare`.
        scores: One for each of its windows, in order.
        manifest: The bundle's numbers.
        info: What to say of the model.
    """
    taxonomy = manifest.taxonomy
    probability = probabilities(aggregate(scores), manifest.calibration, taxonomy)
    decisions = decide(probability, manifest.thresholds[info.thresholds], taxonomy)
    flagged = any(decision.stage is not Stage.NONE for decision in decisions.values())
    found = _quotable(prepared, scores) if flagged else []
    return Verdict(
        id=prepared.transcript.id,
        labels={
            name: _label_verdict(name, decision, found, prepared, manifest)
            for name, decision in decisions.items()
        },
        coverage=_coverage(prepared),
        model=info,
    )


class TranscriptClassifier:
    """The pipeline with a loaded bundle."""

    def __init__(self, bundle: Bundle, session: Session, *, thresholds: str | None = None) -> None:
        """Join a bundle and a session.

        Args:
            bundle: A verified bundle.
            session: What scores its windows.
            thresholds: Operating point; the bundle's default when None.

        Raises:
            ValueError: If the bundle has no such operating point.
        """
        manifest = bundle.manifest
        point = thresholds or manifest.default_thresholds
        if point not in manifest.thresholds:
            raise ValueError(
                f"thresholds must be one of {sorted(manifest.thresholds)}, got {point!r}"
            )
        self.manifest = manifest
        self.session = session
        self._tokenizer = bundle.tokenizer()
        self.info = ModelInfo(
            name=manifest.name,
            revision=manifest.revision,
            sha256=bundle.sha256,
            taxonomy=manifest.taxonomy.version,
            thresholds=point,
            engine=session.engine,
        )

    @classmethod
    def from_bundle(
        cls, path: Path | None = None, *, threads: int | None = None, thresholds: str | None = None
    ) -> "TranscriptClassifier":
        """Load a bundle (the shipped one when `path` is None) with ONNX Runtime.

        Raises:
            BundleError: If the bundle cannot be served.
        """
        bundle = load_bundle(path)
        return cls(bundle, OnnxSession(bundle, threads=threads), thresholds=thresholds)

    def prepare(self, transcript: Transcript, *, max_windows: int = MAX_WINDOWS) -> Prepared:
        """See `classifier.pipeline.prepare`."""
        return prepare(
            transcript, self._tokenizer, self.manifest.windowing, max_windows=max_windows
        )

    def conclude(self, prepared: Prepared, scores: Sequence[WindowScores]) -> Verdict:
        """See `classifier.pipeline.conclude`."""
        return conclude(prepared, scores, self.manifest, self.info)

    def classify(self, transcript: Transcript) -> Verdict:
        """Judge one transcript.

        Raises:
            TranscriptError: If there is nothing to judge, or too much.
            InferenceError: If the engine fails.
        """
        prepared = self.prepare(transcript)
        return self.conclude(prepared, self.session.scores(prepared.windows))

    def classify_many(
        self, transcripts: Iterable[Transcript], *, windows_at_once: int = 256
    ) -> Iterator[Verdict | ClassifierError]:
        """Judge many transcripts, windows of several in one batch.

        Args:
            transcripts: Read as they are needed.
            windows_at_once: Windows gathered before the session runs; bounds the memory.

        Yields:
            A verdict or the error of each transcript, in the order given.
        """
        waiting: list[Prepared | ClassifierError] = []
        n_windows = 0
        for transcript in transcripts:
            try:
                prepared = self.prepare(transcript)
            except ClassifierError as error:
                waiting.append(error)
                continue
            waiting.append(prepared)
            n_windows += len(prepared.windows)
            if n_windows >= windows_at_once:
                yield from self._conclude_all(waiting)
                waiting, n_windows = [], 0
        yield from self._conclude_all(waiting)

    def _conclude_all(
        self, waiting: Sequence[Prepared | ClassifierError]
    ) -> Iterator[Verdict | ClassifierError]:
        ready = [item for item in waiting if isinstance(item, Prepared)]
        windows = [window for item in ready for window in item.windows]
        try:
            scores = iter(self.session.scores(windows))
        except ClassifierError as error:
            yield from (item if isinstance(item, ClassifierError) else error for item in waiting)
            return
        for item in waiting:
            if isinstance(item, ClassifierError):
                yield item
            else:
                yield self.conclude(item, list(itertools.islice(scores, len(item.windows))))
