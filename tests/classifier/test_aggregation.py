"""One window convicts, and evidence is made of whole sentences."""

import numpy as np
import pytest

from classifier.aggregation import WindowScores, aggregate, token_sentences
from classifier.pipeline import prepare
from classifier.tokenization import Tokenizer
from classifier.windowing import WindowSettings
from tests.build import said, transcript


def test_the_highest_window_decides() -> None:
    windows = [
        WindowScores(np.array(row, dtype=np.float32), np.zeros((1, 2), dtype=np.float32))
        for row in ([0.0, 5.0], [3.0, -1.0])
    ]
    assert aggregate(windows).tolist() == [3.0, 5.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One here. Two there!", ["One here.", "Two there!"], id="sentences"),
        pytest.param("a line\nanother", ["a line", "another"], id="lines"),
        pytest.param("これは一。これは二。", ["これは一。", "これは二。"], id="no white space"),
        pytest.param("no end", ["no end"], id="one without an end"),
    ],
)
def test_sentences(
    tokenizer: Tokenizer, settings: WindowSettings, text: str, expected: list[str]
) -> None:
    segment = prepare(transcript(said(text)), tokenizer, settings).segments[0]
    found = [
        text[segment.offsets[first, 0] : segment.offsets[last - 1, 1]]
        for first, last in token_sentences(segment.part, segment.offsets)
    ]
    assert found == expected
