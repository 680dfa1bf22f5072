"""Shared fixtures: the shipped bundle, and small transcripts."""

import pytest
from hypothesis import settings as hypothesis_settings

from classifier.bundle import Bundle, load_bundle
from classifier.pipeline import TranscriptClassifier
from classifier.session import OnnxSession
from classifier.tokenization import Tokenizer
from classifier.windowing import WindowSettings

# Time is measured in benchmarks, not here: a busy machine must not fail a property.
hypothesis_settings.register_profile("project", deadline=None)
hypothesis_settings.load_profile("project")


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
