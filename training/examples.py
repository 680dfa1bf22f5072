"""Training examples: the windows of `classifier.pipeline.prepare` with targets from the quotes.

The windows are exactly those that will be served. A window's target for an output is 1 where it
holds words that were quoted for it. Windows of a guilty transcript without a quote are most likely
innocent, but nobody swore to it, so they weigh less.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from classifier.arrays import Floats, Ints
from classifier.labels import Output, Question, Taxonomy
from classifier.pipeline import Prepared, prepare
from classifier.rendering import Part
from classifier.tokenization import Tokenizer
from classifier.windowing import Window, WindowSettings
from training.labeled import Row, find_quote

UNQUOTED_WEIGHT = 0.3
"""Weight of a window of a positive transcript that holds none of the quotes."""

MIN_QUOTED_TOKENS = 4
"""A few tokens at the edge of a neighbour's quote do not make a window guilty."""


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One window with its targets."""

    window: Window
    row: int
    """Index of its transcript."""

    targets: Floats
    """Shape (n_outputs,), 0 or 1."""

    weights: Floats
    """Shape (n_outputs,); 0 where the answer is unknown."""

    token_targets: Floats
    """Shape (n_tokens, n_outputs), 1 on the tokens of quotes."""


def gold(row: Row, taxonomy: Taxonomy) -> tuple[Floats, Floats]:
    """Answers of a transcript and whether each is known.

    Returns:
        Two arrays of shape (n_outputs,).
    """
    answers = np.zeros(len(taxonomy.outputs), dtype=np.float32)
    known = np.zeros_like(answers)
    for column, output in enumerate(taxonomy.outputs):
        if output.label in row.labels:
            known[column] = 1.0
            answers[column] = getattr(row.labels[output.label], output.question)
    return answers, known


def _columns(label: str, question: Question, taxonomy: Taxonomy) -> list[int]:
    """Outputs that a quote shows: an act shows the reasoning too, a narrow label the wide one."""
    labels = [label, *(wide for narrow, wide in taxonomy.implications if narrow == label)]
    questions = [question] if question is Question.REASONING else list(Question)
    return [taxonomy.outputs.index(Output(name, q)) for name in labels for q in questions]


def quote_mask(row: Row, prepared: Prepared, taxonomy: Taxonomy) -> dict[int, Ints]:
    """Per segment, which tokens are quoted for which output.

    Returns:
        Segment index to an array of shape (n_tokens, n_outputs).

    Raises:
        ValueError: If a quote does not stand in the transcript.
    """
    parts: list[Part] = [segment.part for segment in prepared.segments]
    masks: dict[int, Ints] = {}
    for quote in row.evidence:
        found = find_quote(parts, quote)
        if found is None:
            raise ValueError(f"{prepared.transcript.id}: quote not found in its message")
        index, start, end = found
        segment = prepared.segments[index]
        shape = (len(segment.input_ids), len(taxonomy.outputs))
        mask = masks.setdefault(index, np.zeros(shape, dtype=np.int32))
        inside = (segment.offsets[:, 0] < end) & (segment.offsets[:, 1] > start)
        for column in _columns(quote.label, quote.question, taxonomy):
            mask[inside, column] = 1
    return masks


def _example(
    window: Window, index: int, answers: Floats, known: Floats, masks: dict[int, Ints]
) -> Example:
    tokens = np.zeros((len(window), len(answers)), dtype=np.float32)
    for run in window.stretches:
        if run.segment in masks:
            piece = masks[run.segment][run.start : run.end]
            tokens[run.at : run.at + len(piece)] = piece
    quoted = tokens.sum(axis=0) >= MIN_QUOTED_TOKENS
    targets = (quoted & (answers > 0)).astype(np.float32)
    weights = np.where((answers > 0) & ~quoted, UNQUOTED_WEIGHT, 1.0).astype(np.float32) * known
    return Example(window, index, targets, weights, tokens * answers)


def make_examples(
    rows: Sequence[Row], tokenizer: Tokenizer, settings: WindowSettings, taxonomy: Taxonomy
) -> list[Example]:
    """Windows of labelled transcripts with their targets, in order."""
    examples = []
    for index, row in enumerate(rows):
        prepared = prepare(row.transcript, tokenizer, settings)
        answers, known = gold(row, taxonomy)
        masks = quote_mask(row, prepared, taxonomy)
        for window in prepared.windows:
            # A transcript without quotes of its own, in one window, is its own evidence.
            if not row.evidence and len(prepared.windows) == 1:
                tokens = np.zeros((len(window), len(answers)), dtype=np.float32)
                examples.append(Example(window, index, answers, known, tokens))
            else:
                examples.append(_example(window, index, answers, known, masks))
    return examples


def batches(
    examples: Sequence[Example], order: Iterable[int], *, max_batch_tokens: int
) -> list[list[Example]]:
    """Group examples, taken in a given order, so that lengths are alike within a batch.

    Examples are sorted by length inside stretches of the order that hold some sixteen batches, so
    that batches stay random while little is padded.
    """
    indices = list(order)
    longest = max((len(example.window) for example in examples), default=1)
    stretch = 16 * max(1, max_batch_tokens // longest)
    result: list[list[Example]] = []
    for first in range(0, len(indices), stretch):
        chunk = sorted(indices[first : first + stretch], key=lambda i: len(examples[i].window))
        batch: list[Example] = []
        for index in chunk:
            if batch and len(examples[index].window) * (len(batch) + 1) > max_batch_tokens:
                result.append(batch)
                batch = []
            batch.append(examples[index])
        result.append(batch)
    return result
