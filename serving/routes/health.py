"""`/health/live`, `/health/ready` and `/metrics`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from serving.metrics import Metrics
from serving.routes.classify import service_of

router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/health/ready")
async def ready(request: Request) -> dict[str, str]:
    """A bundle is loaded and requests are taken; 503 otherwise."""
    return {"status": "ready", "model": service_of(request).classifier.info.revision}


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Metrics for Prometheus."""
    held: Metrics = request.app.state.metrics
    return Response(held.page(), media_type=CONTENT_TYPE_LATEST)
