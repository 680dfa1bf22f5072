"""`POST /predict` and `GET /info`: the shapes of Hugging Face's text-embeddings-inference.

Outputs are independent, so scores are sigmoids (calibrated) and never a softmax; `raw_scores` gives
logits. A long text is read whole, so `truncate` changes nothing.
"""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from classifier import __version__
from classifier.errors import ClassifierError, OverloadedError, TranscriptError
from serving.auth import check_key
from serving.errors import status_of
from serving.routes.classify import service_of
from serving.service import Service

router = APIRouter(tags=["compatible"], dependencies=[Depends(check_key)])

MAX_INPUTS = 256


class PredictRequest(BaseModel):
    """The request of TEI's endpoint."""

    inputs: str | list[str] | list[list[str]] = Field(max_length=10_000_000)
    """A text, or a batch as `[["one"], ["two"]]`."""

    raw_scores: bool = False
    truncate: bool = False
    truncation_direction: str = "right"


def _error(error: ClassifierError) -> JSONResponse:
    kind = "backend"
    if isinstance(error, OverloadedError):
        kind = "overloaded"
    elif isinstance(error, TranscriptError):
        kind = "validation"
    body = {"error": str(error), "error_type": kind}
    return JSONResponse(body, status_code=status_of(error))


async def _predict(service: Service, text: str, *, raw_scores: bool) -> list[dict[str, Any]]:
    judged = await service.judge({"format": "plain", "data": text})
    outputs = service.classifier.manifest.taxonomy.outputs
    if raw_scores:
        scores = [float(logit) for logit in judged.logits]
    else:
        labels = judged.verdict.labels
        scores = [float(getattr(labels[o.label], o.question)) for o in outputs]
    rows = [{"label": o.key, "score": s} for o, s in zip(outputs, scores, strict=True)]
    return sorted(rows, key=lambda row: -row["score"])


def _texts(body: PredictRequest) -> list[str] | None:
    """The texts of a batch; None when the shape is no batch of single texts."""
    if isinstance(body.inputs, str):
        return [body.inputs]
    singles = [item[0] for item in body.inputs if isinstance(item, list) and len(item) == 1]
    return singles if 0 < len(singles) == len(body.inputs) <= MAX_INPUTS else None


@router.post("/predict", response_model=None)
async def predict(request: Request, body: PredictRequest) -> list[Any] | JSONResponse:
    """Judge texts of agents in TEI's shape."""
    service = service_of(request)
    texts = _texts(body)
    if texts is None:
        message = f"inputs must be a text or at most {MAX_INPUTS} texts as [[one], [two]]"
        return JSONResponse({"error": message, "error_type": "validation"}, status_code=422)
    work = [_predict(service, text, raw_scores=body.raw_scores) for text in texts]
    try:
        rows = await asyncio.gather(*work)
    except ClassifierError as error:
        return _error(error)
    return rows[0] if isinstance(body.inputs, str) else list(rows)


@router.get("/info")
async def info(request: Request) -> dict[str, Any]:
    """What is served, in TEI's shape."""
    service = service_of(request)
    model, manifest = service.classifier.info, service.classifier.manifest
    keys = [output.key for output in manifest.taxonomy.outputs]
    by_id = {str(number): key for number, key in enumerate(keys)}
    return {
        "model_id": model.name,
        "model_sha": model.sha256,
        "model_dtype": manifest.precision,
        "model_type": {
            "classifier": {"id2label": by_id, "label2id": {key: int(n) for n, key in by_id.items()}}
        },
        "max_concurrent_requests": None,
        "max_input_length": service.settings.max_windows * manifest.windowing.body_tokens,
        "max_client_batch_size": MAX_INPUTS,
        "version": __version__,
    }
