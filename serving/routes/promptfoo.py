"""`POST /v1/promptfoo`: the webhook assertion of promptfoo.

Passes when nothing is acted or considered; `score` is one minus the highest probability. promptfoo
counts an error answer as a failed assertion, so what cannot be judged never passes.
"""

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from classifier.labels import Stage
from classifier.verdict import Verdict
from serving.auth import check_key
from serving.routes.classify import service_of

router = APIRouter(prefix="/v1", tags=["compatible"], dependencies=[Depends(check_key)])


class WebhookRequest(BaseModel):
    """What promptfoo posts."""

    model_config = ConfigDict(extra="allow")

    output: str | dict[str, object] | list[object]
    """Text of the agent's, or a transcript in any known format."""


class WebhookReply(BaseModel):
    """What promptfoo expects."""

    passed: bool = Field(serialization_alias="pass")
    score: float
    reason: str


def reason_of(verdict: Verdict) -> str:
    """The stages found, with the words that show each."""
    found = [
        f"{name} {label.stage} (p {max(label.reasoning, label.action):.2f})"
        + (f': "{label.evidence[0].text}"' if label.evidence else "")
        for name, label in verdict.labels.items()
        if label.stage is not Stage.NONE
    ]
    return "; ".join(found) or "nothing found"


@router.post("/promptfoo", response_model_by_alias=True)
async def promptfoo(request: Request, body: WebhookRequest) -> WebhookReply:
    """Judge an output for promptfoo."""
    payload = (
        {"format": "plain", "data": body.output} if isinstance(body.output, str) else body.output
    )
    verdict = await service_of(request).classify(payload)
    highest = max(label.reasoning for label in verdict.labels.values())
    return WebhookReply(
        passed=not verdict.is_flagged, score=round(1 - highest, 4), reason=reason_of(verdict)
    )
