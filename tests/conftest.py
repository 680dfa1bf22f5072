"""Shared fixtures: the shipped bundle, and small transcripts."""

import pytest

from classifier.bundle import Bundle, load_bundle
from classifier.pipeline import TranscriptClassifier
from classifier.session import OnnxSession
from classifier.tokenization import Tokenizer
from classifier.windowing import WindowSettings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    return load_bundle()


@pytest.fixture(scope="session")
def tokenizer(bundle: Bundle) -> Tokenizer:
    return bundle.tokenizer()


@pytest.fixture(scope="session")
def settings(bundle: Bundle) -> WindowSettings:
    return bundle.manifest.windowing


@pytest.fixture(scope="session")
def classifier(bundle: Bundle) -> TranscriptClassifier:
    return TranscriptClassifier(bundle, OnnxSession(bundle, threads=1))
