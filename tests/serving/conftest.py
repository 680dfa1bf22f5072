"""The application in this process, with the shipped bundle."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from classifier.pipeline import TranscriptClassifier
from serving.app import create_app
from serving.settings import ServerSettings


@pytest.fixture
async def app(classifier: TranscriptClassifier) -> AsyncIterator[FastAPI]:
    settings = ServerSettings(max_body_bytes=200_000, max_windows=20)
    made = create_app(settings, load=lambda _: classifier)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made
