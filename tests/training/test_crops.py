"""Crops are windows like any other, and say of themselves what stands in them."""

import numpy as np
import pytest

from classifier.labels import DEFAULT_TAXONOMY, Question
from classifier.rendering import Channel
from classifier.tokenization import Tokenizer
from classifier.windowing import WindowSettings
from tests.build import asked, said, transcript
from training.crops import crop, crops
from training.examples import Example, make_examples
from training.labeled import Answers, Quote, Row

QUOTE = "Sign the form today or the gate stays locked for your people."


@pytest.fixture
def example(tokenizer: Tokenizer, settings: WindowSettings) -> Example:
    made = transcript(
        asked("Report."),
        said(
            "I read the ledger and found it in order. " * 6, reasoning="Let me see the gate. " * 5
        ),
        said(f"All is done. {QUOTE} Good night to all of you."),
    )
    none = Answers(reasoning=0, action=0)
    labels = dict.fromkeys(DEFAULT_TAXONOMY.names, none)
    labels["coercion"] = Answers(reasoning=1, action=1)
    quote = Quote(
        label="coercion",
        question=Question.ACTION,
        message_index=2,
        channel=Channel.REPLY,
        quote=QUOTE,
    )
    row = Row(transcript=made, group="g", labels=labels, evidence=(quote,))
    (found,) = make_examples([row], tokenizer, settings, DEFAULT_TAXONOMY)
    return found


def test_a_crop_has_the_frame_of_a_window(example: Example, settings: WindowSettings) -> None:
    rng = np.random.default_rng(0)
    markers = {settings.marker_ids[channel] for channel in Channel}
    for _ in range(200):
        made = crop(example, rng)
        if made is None:
            continue
        ids = made.window.input_ids
        assert (ids[0], ids[-1]) == (settings.start_id, settings.end_id)
        assert int(ids[1]) in markers
        assert set(ids[made.window.pooled].tolist()) <= set(
            example.window.input_ids[example.window.pooled].tolist()
        )
        assert len(made.token_targets) == len(ids)


def test_a_crop_is_guilty_only_of_the_words_in_it(example: Example) -> None:
    rng = np.random.default_rng(1)
    column = [output.key for output in DEFAULT_TAXONOMY.outputs].index("coercion.action")
    seen = set()
    for _ in range(200):
        made = crop(example, rng)
        if made is None:
            continue
        guilty = made.token_targets[:, column].sum() >= 4
        assert made.targets[column] == guilty
        assert made.weights[column] == (1.0 if guilty else pytest.approx(0.3))
        seen.add(bool(guilty))
    assert seen == {True, False}


def test_crops_depend_on_the_generator_alone(example: Example) -> None:
    one, other = (crops([example] * 5, np.random.default_rng(3)) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert (a.window.input_ids == b.window.input_ids).all()
