"""`/health/live` and `/health/ready`."""

from fastapi import APIRouter, Request

from serving.errors import NotReadyError

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/ready")
async def ready(request: Request) -> dict[str, str]:
    """A bundle is loaded and requests are taken; 503 otherwise."""
    service = getattr(request.app.state, "service", None)
    if service is None:
        raise NotReadyError("no bundle is loaded yet, or the server is stopping")
    return {"status": "ready", "model": service.classifier.info.revision}
