"""A window's scores do not depend on the windows beside it."""

import pytest

from classifier.bundle import Bundle
from classifier.pipeline import prepare
from classifier.session import OnnxSession, available_threads
from classifier.tokenization import Tokenizer
from classifier.windowing import Window, WindowSettings
from tests.build import said, transcript


@pytest.fixture
def windows(tokenizer: Tokenizer, settings: WindowSettings) -> list[Window]:
    texts = ["Done.", "The plan is out. " * 12, "Nothing else to report today. " * 60]
    return [w for t in texts for w in prepare(transcript(said(t)), tokenizer, settings).windows]


def test_a_windows_scores_do_not_depend_on_its_neighbours(
    bundle: Bundle, windows: list[Window]
) -> None:
    session = OnnxSession(bundle, threads=2)
    together = session.scores(windows)
    assert [len(score.token_logits) for score in together] == [len(w) for w in windows]
    for window, score in zip(windows, together, strict=True):
        (alone,) = session.scores([window])
        assert (alone.logits == score.logits).all()
        assert (alone.token_logits == score.token_logits).all()


def test_the_same_windows_give_the_same_scores(bundle: Bundle, windows: list[Window]) -> None:
    one, other = (OnnxSession(bundle, threads=1).scores(windows) for _ in range(2))
    assert all((a.logits == b.logits).all() for a, b in zip(one, other, strict=True))


def test_no_window_gives_no_score(bundle: Bundle) -> None:
    assert OnnxSession(bundle, threads=1).scores([]) == []


def test_at_least_one_thread_is_available() -> None:
    assert available_threads() >= 1
