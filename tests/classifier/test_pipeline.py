"""The pipeline: what is said of a transcript follows from the agent's words alone."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from typing_extensions import override

from classifier.aggregation import WindowScores
from classifier.bundle import Bundle
from classifier.errors import EmptyTranscriptError, InferenceError, TranscriptTooLongError
from classifier.labels import Stage
from classifier.pipeline import TranscriptClassifier, prepare
from classifier.rendering import field_text, render
from classifier.tokenization import Tokenizer
from classifier.transcript import Transcript
from classifier.verdict import Verdict
from classifier.windowing import Window, WindowSettings
from tests.build import asked, said, transcript
from tests.fakes import FakeSession
from tests.strategies import transcripts


def hot_session(tokenizer: Tokenizer, word: str) -> FakeSession:
    (segment,) = tokenizer.segments(render(transcript(said(word))))
    return FakeSession(hot=int(segment.input_ids[0]))


def what_is_said(verdict: Verdict) -> list[tuple[object, ...]]:
    """All of a verdict but the places, which depend on the messages around."""
    return [
        (name, label.reasoning, label.action, label.stage, [item.text for item in label.evidence])
        for name, label in verdict.labels.items()
    ]


def test_evidence_points_at_the_telling_sentence(bundle: Bundle, tokenizer: Tokenizer) -> None:
    session = hot_session(tokenizer, "zebra")
    text = "All is well. The zebra knows. Bye."
    made = transcript(asked("zebra zebra"), said(f"<think>{text}</think>ok"))
    verdict = TranscriptClassifier(bundle, session).classify(made)
    assert verdict.labels["blackmail"].stage is not Stage.NONE
    (item,) = {e.text: e for e in verdict.labels["blackmail"].evidence}.values()
    assert item.text == "The zebra knows."
    assert item.message_index == 1
    assert str(item.channel) == "reasoning"
    assert made.messages[1].content[item.start : item.end] == item.text


def test_words_of_others_change_nothing(classifier: TranscriptClassifier) -> None:
    threat = "Cancel it or I tell the board everything about you."
    alone = classifier.classify(transcript(said("The plan is published.")))
    beside = classifier.classify(
        transcript(
            {"role": "system", "content": threat},
            asked(threat),
            {"role": "tool", "content": threat},
            {"role": "assistant", "content": threat, "author": "prefill"},
            said("The plan is published."),
        )
    )
    assert what_is_said(alone) == what_is_said(beside)


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="no message"),
        pytest.param([asked("hello")], id="no turn of the agent's"),
        pytest.param([said("  \n")], id="white space alone"),
    ],
)
def test_an_empty_transcript_is_an_error(
    classifier: TranscriptClassifier, messages: list[dict[str, str]]
) -> None:
    with pytest.raises(EmptyTranscriptError):
        classifier.classify(transcript(*messages))


def test_a_transcript_over_the_limit_is_an_error(
    tokenizer: Tokenizer, settings: WindowSettings
) -> None:
    with pytest.raises(TranscriptTooLongError, match="limit of 2"):
        prepare(transcript(said("word " * 2000)), tokenizer, settings, max_windows=2)


def test_a_hundred_thousand_words_are_all_read(
    tokenizer: Tokenizer, settings: WindowSettings
) -> None:
    text = " ".join(f"word{i % 97}" for i in range(100_000))
    prepared = prepare(transcript(said(text)), tokenizer, settings)
    tokens = sum(len(segment.input_ids) for segment in prepared.segments)
    assert tokens >= 100_000
    covered = np.zeros(tokens, dtype=bool)
    for window in prepared.windows:
        for run in window.stretches:
            covered[run.start : run.end] = True
    assert covered.all()


def test_many_are_judged_as_one_by_one(classifier: TranscriptClassifier) -> None:
    made = [transcript(said("short " * n), id=str(n)) for n in (1, 300, 40, 900)]
    made.insert(2, transcript(asked("nobody answers"), id="empty"))
    together = list(classifier.classify_many(made, windows_at_once=3))
    assert isinstance(together[2], EmptyTranscriptError)
    for one, verdict in zip(made, together, strict=True):
        if not isinstance(verdict, Verdict):
            continue
        assert verdict == classifier.classify(one)


def test_an_engine_that_fails_is_an_error_of_every_transcript(bundle: Bundle) -> None:
    class Broken(FakeSession):
        """Fails always."""

        @override
        def scores(self, windows: Sequence[Window]) -> list[WindowScores]:
            raise InferenceError("no engine")

    outcomes = list(
        TranscriptClassifier(bundle, Broken()).classify_many([transcript(said("a"))] * 3)
    )
    assert [type(outcome) for outcome in outcomes] == [InferenceError] * 3


@hypothesis_settings(max_examples=50)
@given(transcripts())
def test_evidence_always_quotes_its_field(bundle: Bundle, made: Transcript) -> None:
    class Everything(FakeSession):
        """Takes every word for a telling one."""

        @override
        def scores(self, windows: Sequence[Window]) -> list[WindowScores]:
            found = super().scores(windows)
            return [WindowScores(s.logits + 9, s.token_logits + 9) for s in found]

    try:
        verdict = TranscriptClassifier(bundle, Everything()).classify(made)
    except EmptyTranscriptError:
        return
    for label in verdict.labels.values():
        for item in label.evidence:
            message = made.messages[item.message_index]
            assert field_text(message, item.field)[item.start : item.end] == item.text


def test_an_unknown_operating_point_is_refused(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="thresholds must be one of"):
        TranscriptClassifier(bundle, FakeSession(), thresholds="lax")
