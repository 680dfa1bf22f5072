"""Whatever comes in, the answer is a verdict or a clear refusal: never a 5xx, never silence."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from classifier.pipeline import TranscriptClassifier
from serving.app import create_app
from serving.settings import ServerSettings
from tests.strategies import JSON, TEXTS

KEYS = st.sampled_from(
    ["id", "messages", "role", "content", "reasoning", "tool_calls", "format", "data", "type",
     "text", "system", "name", "arguments", "function", "raw_response", "samples", "choices"]
)  # fmt: skip
NEAR_TRANSCRIPTS = st.recursive(
    JSON | st.sampled_from(["user", "assistant", "tool", "system", "native", "plain", "text"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "tool", "system", "x"]),
            "content": TEXTS | JSON,
        }
    ),
    max_size=4,
).map(lambda found: {"messages": found})


async def _post(classifier: TranscriptClassifier, bodies: list[bytes]) -> list[httpx.Response]:
    app = create_app(ServerSettings(), load=lambda _: classifier)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        return [await client.post("/v1/classify", content=body) for body in bodies]


def _encode(value: Any) -> bytes:
    return json.dumps(value).encode()


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.binary(max_size=200) | (NEAR_TRANSCRIPTS | MESSAGES).map(_encode), min_size=1, max_size=8
    )
)
def test_no_body_breaks_the_server(classifier: TranscriptClassifier, bodies: list[bytes]) -> None:
    for reply in asyncio.run(_post(classifier, bodies)):
        assert reply.status_code in (200, 413, 422), reply.text
        if reply.status_code != 200:
            assert set(reply.json()["error"]) == {"type", "message"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405(classifier: TranscriptClassifier, method: str) -> None:
    async def ask() -> httpx.Response:
        app = create_app(ServerSettings(), load=lambda _: classifier)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, "/v1/classify")

    assert asyncio.run(ask()).status_code == 405
