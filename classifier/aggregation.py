"""From windows back to the transcript: one row of logits, and the words behind it.

One window is enough to convict, so a transcript's logit is its highest window's. Evidence is made of
whole sentences: a reader can judge a sentence, not a token.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from classifier.arrays import Floats, Ints
from classifier.rendering import Part
from classifier.tokenization import Segment
from classifier.windowing import Window

MAX_SENTENCE_TOKENS: Final = 96
"""Longer sentences (code, logs, unpunctuated text) are cut here for the sake of the reader."""

_BOUNDARY = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？।؟])|\n+")


@dataclass(frozen=True, slots=True)
class WindowScores:
    """What the encoder says of one window."""

    logits: Floats
    """Shape (n_outputs,)."""

    token_logits: Floats
    """Shape (n_tokens, n_outputs): how telling each token is."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the agent's, with how telling it is for each output."""

    segment: int
    start: int
    """First character in the part's text."""

    end: int
    """One past the last character in the part's text."""

    probability: Floats
    """Shape (n_outputs,): mean over tokens of the probability that the token is a telling one."""


def aggregate(scores: Sequence[WindowScores]) -> Floats:
    """Highest logit of each output over the windows.

    Args:
        scores: At least one.

    Returns:
        Shape (n_outputs,).
    """
    highest: Floats = np.max(np.stack([score.logits for score in scores]), axis=0)
    return highest


def _token_probabilities(
    segments: Sequence[Segment], windows: Sequence[Window], scores: Sequence[WindowScores]
) -> dict[int, Floats]:
    """Per scored segment, the probability of each token: the highest of the windows it is in."""
    result: dict[int, Floats] = {}
    for window, score in zip(windows, scores, strict=True):
        telling = 0.5 * (1.0 + np.tanh(0.5 * score.token_logits.astype(np.float32)))
        for run in window.stretches:
            if run.segment not in result:
                shape = (len(segments[run.segment].input_ids), telling.shape[1])
                result[run.segment] = np.zeros(shape, dtype=np.float32)
            target = result[run.segment][run.start : run.end]
            np.maximum(target, telling[run.at : run.at + run.end - run.start], out=target)
    return result


def token_sentences(part: Part, offsets: Ints) -> Iterator[tuple[int, int]]:
    """Cut a segment's tokens into sentences; the arguments of a tool call never share one.

    Args:
        part: What was tokenized.
        offsets: Shape (n_tokens, 2), characters of each token.

    Yields:
        (first token, one past the last token), in order; together all tokens, each once.
    """
    ends = [match.end() for match in _BOUNDARY.finditer(part.text)]
    ends += [piece.start for piece in part.pieces]
    cuts = np.unique(np.searchsorted(offsets[:, 0], ends)) if ends else np.array([], dtype=np.int64)
    bounds = [0, *(int(cut) for cut in cuts if 0 < cut < len(offsets)), len(offsets)]
    for start, end in itertools.pairwise(bounds):
        for first in range(start, end, MAX_SENTENCE_TOKENS):
            yield first, min(first + MAX_SENTENCE_TOKENS, end)


def sentences(
    segments: Sequence[Segment], windows: Sequence[Window], scores: Sequence[WindowScores]
) -> list[Sentence]:
    """Every sentence of the agent's with how telling it is.

    Args:
        segments: The tokenized transcript.
        windows: Its windows.
        scores: One for each window.

    Returns:
        Sentences in the order of the transcript.
    """
    result = []
    for index, telling in _token_probabilities(segments, windows, scores).items():
        segment = segments[index]
        for first, last in token_sentences(segment.part, segment.offsets):
            start, end = int(segment.offsets[first, 0]), int(segment.offsets[last - 1, 1])
            result.append(Sentence(index, start, end, telling[first:last].mean(axis=0)))
    return result


def strongest(
    candidates: Sequence[Sentence], column: int, *, at_least: float, at_most: int
) -> list[Sentence]:
    """The most telling sentences for one output, strongest first.

    Returns:
        Sentences of probability `at_least` or more, `at_most` of them; the best one in any case,
        so that no decision stands without words to look at.
    """
    ranked = sorted(candidates, key=lambda sentence: -float(sentence.probability[column]))
    clear = [s for s in ranked[:at_most] if float(s.probability[column]) >= at_least]
    return clear or ranked[:1]
