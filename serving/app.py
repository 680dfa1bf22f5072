"""The ASGI application: routes, errors, and a bundle loaded for as long as it runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from classifier import __version__
from classifier.pipeline import TranscriptClassifier
from serving.auth import ApiKeys
from serving.batcher import Batcher
from serving.cache import CachedScorer
from serving.errors import install_error_handlers
from serving.metrics import Metrics
from serving.requests import RequestLine
from serving.routes import batch, classify, health, moderations, page, predict, promptfoo
from serving.service import Service
from serving.settings import ServerSettings


def load_classifier(settings: ServerSettings) -> TranscriptClassifier:
    """The bundle that the settings name."""
    return TranscriptClassifier.from_bundle(
        settings.bundle, threads=settings.threads, thresholds=settings.thresholds
    )


@asynccontextmanager
async def run_service(
    classifier: TranscriptClassifier, settings: ServerSettings, metrics: Metrics
) -> AsyncIterator[Service]:
    """The service with its batcher running."""
    async with Batcher(
        classifier.session,
        max_batch_tokens=settings.max_batch_tokens,
        max_queued_tokens=settings.max_queued_tokens,
        observe=metrics.batch,
    ) as batcher:
        scorer = CachedScorer(batcher, max_bytes=settings.cache_bytes, observe=metrics.lookups)
        metrics.watch(queued=lambda: batcher.queued_tokens, cache_bytes=lambda: scorer.kept_bytes)
        metrics.model.info({k: str(v) for k, v in classifier.info.model_dump().items()})
        yield Service(classifier, scorer, settings, metrics)


def create_app(
    settings: ServerSettings,
    load: Callable[[ServerSettings], TranscriptClassifier] = load_classifier,
) -> FastAPI:
    """Build the application.

    Args:
        settings: What the machine decides.
        load: Gives the classifier at start-up; a broken bundle ends the process there.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with run_service(load(settings), settings, metrics) as service:
            app.state.service = service
            yield
            app.state.service = None

    app = FastAPI(
        title="Transcript behaviour classifier",
        version=__version__,
        description="Labels transcripts of AI agents for blackmail, coercion, leaking and self-preservation.",
        lifespan=lifespan,
    )
    app.state.metrics = metrics
    app.state.keys = ApiKeys(settings)
    app.add_middleware(RequestLine, metrics=metrics)
    install_error_handlers(app)
    for routes in (classify, batch, moderations, predict, promptfoo, page, health):
        app.include_router(routes.router)
    return app
