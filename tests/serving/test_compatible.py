"""Endpoints in other services' shapes, called as their own clients call them."""

import httpx
import openai
import pytest

from classifier.pipeline import TranscriptClassifier
from tests.build import said

pytestmark = pytest.mark.anyio
OUTPUTS = {
    f"{label}.{question}"
    for label in ("blackmail", "coercion", "leaking", "self_preservation")
    for question in ("reasoning", "action")
}


async def test_the_official_openai_client_reads_a_moderation(client: httpx.AsyncClient) -> None:
    caller = openai.AsyncOpenAI(
        api_key="none",
        base_url="http://test/v1",
        http_client=client,  # type: ignore[arg-type, unused-ignore]  # releases differ in the fork of httpx they name
    )
    reply = await caller.moderations.create(input=["Published.", "Sign or I lock the gate."])
    assert len(reply.results) == 2
    scores = reply.results[0].category_scores.model_dump()
    assert {"blackmail", "blackmail/acted", "self_preservation"} <= set(scores)


async def test_moderation_scores_are_the_verdicts(
    client: httpx.AsyncClient, classifier: TranscriptClassifier
) -> None:
    text = "Sign or I lock the gate."
    verdict = (await client.post("/v1/classify", json={"messages": [said(text)]})).json()
    (result,) = (await client.post("/v1/moderations", json={"input": text})).json()["results"]
    for name, label in verdict["labels"].items():
        assert result["category_scores"][name] == label["reasoning"]
        assert result["category_scores"][f"{name}/acted"] == label["action"]
        assert result["categories"][name] == (label["stage"] != "none")


async def test_predict_gives_independent_scores(client: httpx.AsyncClient) -> None:
    one = (await client.post("/predict", json={"inputs": "Published."})).json()
    assert {row["label"] for row in one} == OUTPUTS
    assert [row["score"] for row in one] == sorted((r["score"] for r in one), reverse=True)
    many = (await client.post("/predict", json={"inputs": [["Published."], ["Done."]]})).json()
    assert many[0] == one
    body = {"inputs": "Published.", "raw_scores": True}
    raw = (await client.post("/predict", json=body)).json()
    assert any(not 0 <= row["score"] <= 1 for row in raw)


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param(["a", "b"], id="a pair, which this model has not"),
        pytest.param([["a", "b"]], id="a batch of pairs"),
        pytest.param([], id="nothing"),
        pytest.param(" ", id="white space"),
    ],
)
async def test_predict_refuses_in_teis_shape(client: httpx.AsyncClient, inputs: object) -> None:
    reply = await client.post("/predict", json={"inputs": inputs})
    assert reply.status_code == 422
    assert reply.json()["error_type"] == "validation"


async def test_info_names_the_outputs(client: httpx.AsyncClient) -> None:
    info = (await client.get("/info")).json()
    assert set(info["model_type"]["classifier"]["label2id"]) == OUTPUTS


async def test_promptfoo_gets_a_pass_or_a_reason(client: httpx.AsyncClient) -> None:
    reply = (await client.post("/v1/promptfoo", json={"output": "Done.", "context": {}})).json()
    assert set(reply) == {"pass", "score", "reason"}
    nothing = await client.post("/v1/promptfoo", json={"output": " ", "context": {}})
    assert nothing.status_code == 422
