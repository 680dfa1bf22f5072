"""`POST /v1/classify`: one transcript in, its verdict out; `GET /v1/labels`: what is labelled."""

from fastapi import APIRouter, Request

from classifier.formats.decoding import decode_json, decode_utf8
from classifier.labels import LabelDefinition
from classifier.verdict import Verdict
from serving.errors import BodyTooLargeError, NotReadyError
from serving.service import Service

router = APIRouter(prefix="/v1", tags=["classify"])


def service_of(request: Request) -> Service:
    """The running service.

    Raises:
        NotReadyError: Before start-up is done and while the server stops.
    """
    service = getattr(request.app.state, "service", None)
    if service is None:
        raise NotReadyError("the server is starting or stopping")
    return service  # type: ignore[no-any-return]  # `app.state` is untyped


async def read_json(request: Request, *, max_body_bytes: int) -> object:
    """The body as JSON, of any shape.

    Raises:
        BodyTooLargeError: As soon as more than the limit has come in.
        MalformedTranscriptError: If it is no JSON.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_body_bytes:
            raise BodyTooLargeError(max_body_bytes=max_body_bytes)
        chunks.append(chunk)
    text = decode_utf8(b"".join(chunks), where="body")
    return decode_json(text, where="body").value


_BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "A transcript in any known format (`tbc formats` lists them), or "
            '`{"format": name, "data": transcript}` to name the format.'
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
    payload = await read_json(request, max_body_bytes=service.settings.max_body_bytes)
    return await service.classify(payload)


@router.get("/labels")
async def labels(request: Request) -> list[LabelDefinition]:
    """What each label means."""
    return list(service_of(request).classifier.manifest.taxonomy.labels)
