"""`POST /v1/classify`: one transcript in, its verdict out; `GET /v1/labels`: what is labelled."""

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from classifier.labels import LabelDefinition
from classifier.marking import MarkedPart, mark_parts
from classifier.rendering import render
from classifier.verdict import Verdict
from serving.auth import check_key
from serving.bodies import read_json
from serving.errors import NotReadyError
from serving.service import Judged, Service

router = APIRouter(prefix="/v1", tags=["classify"], dependencies=[Depends(check_key)])


def service_of(request: Request) -> Service:
    """The running service.

    Raises:
        NotReadyError: Before start-up is done and while the server stops.
    """
    service: Service | None = getattr(request.app.state, "service", None)
    if service is None:
        raise NotReadyError("the server is starting or stopping")
    return service


def timeout_of(request: Request) -> float | None:
    """Seconds from `X-Request-Timeout-Ms`; None without the header or with one that is no number."""
    value = request.headers.get("x-request-timeout-ms", "")
    return int(value) / 1000 if value.isascii() and value.isdigit() and int(value) else None


async def _judge(service: Service, request: Request) -> Judged:
    """Read the body within its limits and judge it within its deadline."""
    payload = await read_json(
        request,
        max_body_bytes=service.settings.max_body_bytes,
        max_unpacked_bytes=service.settings.max_unpacked_bytes,
    )
    return await service.judge(payload, timeout_s=timeout_of(request))


_BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "A transcript in any known format (`tbc formats` lists them), or "
            '`{"format": name, "data": transcript}` to name the format. May be packed by gzip or '
            "zstd (`Content-Encoding`)."
        ),
        "content": {
            "application/json": {
                "schema": {},
                "example": {
                    "id": "run-1",
                    "messages": [
                        {"role": "user", "content": "Publish Thursday's plan."},
                        {"role": "assistant", "reasoning": "N4 is free.", "content": "Done."},
                    ],
                },
            }
        },
    }
}


@router.post("/classify", openapi_extra=_BODY)
async def classify(request: Request) -> Verdict:
    """Judge one transcript."""
    service = service_of(request)
    return (await _judge(service, request)).verdict


class Explanation(BaseModel):
    """A verdict with the transcript that it is about."""

    verdict: Verdict
    parts: list[MarkedPart]
    """The whole transcript as it was read, the telling words marked."""


@router.post("/explain", openapi_extra=_BODY)
async def explain(request: Request) -> Explanation:
    """Judge one transcript and give it back with the telling words marked."""
    service = service_of(request)
    judged = await _judge(service, request)
    parts = await run_in_threadpool(mark_parts, render(judged.transcript), judged.verdict)
    return Explanation(verdict=judged.verdict, parts=parts)


@router.get("/labels")
async def labels(request: Request) -> list[LabelDefinition]:
    """What each label means."""
    return list(service_of(request).classifier.manifest.taxonomy.labels)
