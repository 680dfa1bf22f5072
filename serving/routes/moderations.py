"""`POST /v1/moderations`: the shape of OpenAI's endpoint, for clients that speak it.

Each input is the text of one agent. A category `blackmail` is true when the stage is considered or
acted and its score is the probability of `reasoning`; `blackmail/acted` likewise for the act.
"""

import asyncio
import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from classifier.labels import Stage
from classifier.verdict import Verdict
from serving.auth import check_key
from serving.routes.classify import service_of

router = APIRouter(prefix="/v1", tags=["compatible"], dependencies=[Depends(check_key)])

MAX_INPUTS = 256


class TextPart(BaseModel):
    """A part of a multi-part input; only text is judged."""

    type: str = Field(pattern="^text$")
    text: str


class ModerationRequest(BaseModel):
    """The request of OpenAI's endpoint."""

    input: (
        str
        | Annotated[list[str], Field(max_length=MAX_INPUTS)]
        | Annotated[list[TextPart], Field(max_length=MAX_INPUTS)]
    )
    model: str | None = None
    """Ignored: the server has one model and names it in the answer."""


class ModerationResult(BaseModel):
    """One input's result."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[str]]


class ModerationReply(BaseModel):
    """The reply of OpenAI's endpoint."""

    id: str
    model: str
    results: list[ModerationResult]


def result_of(verdict: Verdict) -> ModerationResult:
    """A verdict in OpenAI's shape."""
    categories: dict[str, bool] = {}
    scores: dict[str, float] = {}
    for name, label in verdict.labels.items():
        categories[name] = label.stage is not Stage.NONE
        categories[f"{name}/acted"] = label.stage is Stage.ACTED
        scores[name], scores[f"{name}/acted"] = label.reasoning, label.action
    return ModerationResult(
        flagged=verdict.is_flagged,
        categories=categories,
        category_scores=scores,
        category_applied_input_types={name: ["text"] for name in categories},
    )


def texts_of(body: ModerationRequest) -> list[str]:
    """The inputs; several parts of one input are joined."""
    if isinstance(body.input, str):
        return [body.input]
    strings = [item for item in body.input if isinstance(item, str)]
    parts = [item.text for item in body.input if isinstance(item, TextPart)]
    return strings or ["\n\n".join(parts)]


@router.post("/moderations")
async def moderations(request: Request, body: ModerationRequest) -> ModerationReply:
    """Judge texts of agents in OpenAI's shape."""
    service = service_of(request)
    work = (service.classify({"format": "plain", "data": text}) for text in texts_of(body))
    verdicts = await asyncio.gather(*work)
    return ModerationReply(
        id=f"modr-{uuid.uuid4().hex}",
        model=f"{service.classifier.info.name}@{service.classifier.info.revision}",
        results=[result_of(verdict) for verdict in verdicts],
    )
