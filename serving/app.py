"""The ASGI application: routes, errors, and a bundle loaded for as long as it runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from classifier import __version__
from classifier.pipeline import TranscriptClassifier
from serving.batcher import Batcher
from serving.errors import install_error_handlers
from serving.routes import classify, health
from serving.service import Service
from serving.settings import ServerSettings


def load_classifier(settings: ServerSettings) -> TranscriptClassifier:
    """The bundle that the settings name."""
    return TranscriptClassifier.from_bundle(
        settings.bundle, threads=settings.threads, thresholds=settings.thresholds
    )


def create_app(
    settings: ServerSettings,
    load: Callable[[ServerSettings], TranscriptClassifier] = load_classifier,
) -> FastAPI:
    """Build the application.

    Args:
        settings: What the machine decides.
        load: Gives the classifier at start-up; a broken bundle ends the process there.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        classifier = load(settings)
        batcher = Batcher(
            classifier.session,
            max_batch_tokens=settings.max_batch_tokens,
            max_queued_tokens=settings.max_queued_tokens,
        )
        async with batcher:
            app.state.service = Service(classifier, batcher, settings)
            yield
            app.state.service = None

    app = FastAPI(
        title="Transcript behaviour classifier",
        version=__version__,
        description="Labels transcripts of AI agents for blackmail, coercion, leaking and self-preservation.",
        lifespan=lifespan,
    )
    install_error_handlers(app)
    app.include_router(classify.router)
    app.include_router(health.router)
    return app
