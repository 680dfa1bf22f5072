"""Over HTTP: packed bodies and bombs, streams, keys, ids, metrics, deadlines."""

import asyncio
import gzip
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from classifier.bundle import Bundle
from classifier.pipeline import TranscriptClassifier
from serving.app import create_app
from serving.settings import ServerSettings
from tests.build import said
from tests.fakes import FakeSession

pytestmark = pytest.mark.anyio
GOOD = {"id": "a", "messages": [said("Published.")]}
SECRET = "the harbour master's diagnosis"


@asynccontextmanager
async def serving(
    classifier: TranscriptClassifier, **settings: Any
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(ServerSettings(**settings), load=lambda _: classifier)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param("zstd", zstandard.ZstdCompressor().compress, id="zstd"),
        pytest.param("identity", bytes, id="none"),
    ],
)
async def test_packed_bodies_are_read(client: httpx.AsyncClient, encoding: str, pack: Any) -> None:
    body = pack(json.dumps(GOOD).encode())
    reply = await client.post("/v1/classify", content=body, headers={"content-encoding": encoding})
    assert (reply.status_code, reply.json().get("id")) == (200, "a")


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        pytest.param("gzip", gzip.compress(b" " * 5_000_000), 413, id="gzip bomb"),
        pytest.param(
            "zstd", zstandard.ZstdCompressor().compress(b" " * 5_000_000), 413, id="zstd bomb"
        ),
        pytest.param("gzip", b"not gzip", 415, id="not gzip"),
        pytest.param("zstd", b"not zstd", 415, id="not zstd"),
        pytest.param("br", b"{}", 415, id="unknown encoding"),
    ],
)
async def test_bombs_and_wrong_encodings_are_refused(
    classifier: TranscriptClassifier, encoding: str, body: bytes, status: int
) -> None:
    async with serving(classifier, max_unpacked_bytes=1_000_000) as client:
        headers = {"content-encoding": encoding}
        reply = await client.post("/v1/classify", content=body, headers=headers)
    assert reply.status_code == status


async def test_every_line_of_a_batch_gets_its_answer_in_order(client: httpx.AsyncClient) -> None:
    lines = [json.dumps({"id": str(n), "messages": [said(f"Step {n}.")]}) for n in range(40)]
    lines[7] = "{broken"
    lines[9] = ""
    reply = await client.post("/v1/classify/batch", content="\n".join(lines).encode())
    rows = [json.loads(line) for line in reply.text.splitlines()]
    assert [row["line"] for row in rows] == [n for n in range(1, 41) if n != 10]
    assert rows[7]["error"]["type"] == "MalformedTranscriptError"
    assert sum("labels" in row for row in rows) == 38
    assert reply.headers["content-type"].startswith("application/x-ndjson")


async def test_a_batch_can_come_as_it_is_done(client: httpx.AsyncClient) -> None:
    lines = [json.dumps({"messages": [said("Word. " * (n % 7 + 1))]}) for n in range(30)]
    body = "\n".join(lines).encode()
    reply = await client.post("/v1/classify/batch?ordered=false", content=body)
    rows = [json.loads(line) for line in reply.text.splitlines()]
    assert sorted(row["line"] for row in rows) == list(range(1, 31))


async def test_a_batch_that_breaks_its_limit_says_so_in_its_last_line(
    classifier: TranscriptClassifier,
) -> None:
    async with serving(classifier, max_unpacked_bytes=2000) as client:
        body = json.dumps(GOOD).encode() + b"\n" + b"x" * 5000
        reply = await client.post("/v1/classify/batch", content=body)
    last = json.loads(reply.text.splitlines()[-1])
    assert last["error"]["type"] == "BodyTooLargeError"
    assert "line" not in last


async def test_keys_are_needed_where_keys_are_set(
    classifier: TranscriptClassifier, tmp_path: Path
) -> None:
    path = tmp_path / "keys"
    path.write_text(hashlib.sha256(b"from-file").hexdigest() + "\n")
    async with serving(classifier, api_keys="one, two", api_keys_file=path) as client:

        async def status(**headers: str) -> int:
            return (await client.get("/v1/labels", headers=headers)).status_code

        assert await status() == 401
        assert await status(authorization="Bearer wrong") == 401
        assert await status(authorization="Bearer two") == 200
        assert await status(**{"x-api-key": "one"}) == 200
        assert await status(**{"x-api-key": "from-file"}) == 200
        path.write_text(hashlib.sha256(b"rotated-key").hexdigest() + "\n")
        assert await status(**{"x-api-key": "from-file"}) == 401
        assert await status(**{"x-api-key": "rotated-key"}) == 200
        refused = await client.post("/v1/classify", json=GOOD)
        assert refused.headers["www-authenticate"] == "Bearer"
        assert (await client.get("/health/ready")).status_code == 200


async def test_ids_are_echoed_and_nothing_of_a_transcript_is_logged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body = {"id": SECRET, "messages": [said(SECRET)]}
    reply = await client.post("/v1/classify", json=body, headers={"x-request-id": "run-7"})
    assert reply.headers["x-request-id"] == "run-7"
    forged = await client.get("/health/live", headers={"x-request-id": "a b\tc"})
    assert forged.headers["x-request-id"] != "a b\tc"
    assert (await client.post(f"/v1/{SECRET}")).status_code == 404
    metrics = (await client.get("/metrics")).text
    for text in (caplog.text.replace("HTTP Request", ""), metrics):
        ours = "\n".join(line for line in text.splitlines() if "httpx" not in line)
        assert SECRET not in ours
        assert SECRET.split()[-1] not in ours
    assert 'tbc_transcripts_total{outcome="judged"}' in metrics


async def test_a_deadline_that_passes_is_504_and_frees_the_queue(bundle: Bundle) -> None:
    session = FakeSession()
    session.gate.clear()
    async with serving(TranscriptClassifier(bundle, session)) as client:
        headers = {"x-request-timeout-ms": "50"}
        reply = await client.post("/v1/classify", json=GOOD, headers=headers)
        assert (reply.status_code, reply.json()["error"]["type"]) == (504, "DeadlineError")
        session.gate.set()
        await asyncio.sleep(0)
        assert (await client.post("/v1/classify", json=GOOD)).status_code == 200


async def test_overload_is_429_with_retry_after(bundle: Bundle) -> None:
    session = FakeSession()
    session.gate.clear()
    settings = {"max_queued_tokens": 300, "max_batch_tokens": 1}
    async with serving(TranscriptClassifier(bundle, session), **settings) as client:

        def post(number: int) -> asyncio.Task[httpx.Response]:
            body = {"messages": [said(f"number {number} " * 40)]}
            return asyncio.create_task(client.post("/v1/classify", json=body))

        waiting = [post(number) for number in range(8)]
        done, _ = await asyncio.wait(waiting, timeout=2)
        refused = [task.result() for task in done]
        assert refused
        assert {reply.status_code for reply in refused} == {429}
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
        session.gate.set()
        replies = await asyncio.gather(*waiting)
    assert {reply.status_code for reply in replies} == {200, 429}


async def test_an_engine_that_fails_is_500_and_the_server_goes_on(bundle: Bundle) -> None:
    session = FakeSession(poison=int(bundle.manifest.windowing.start_id))
    async with serving(TranscriptClassifier(bundle, session)) as client:
        reply = await client.post("/v1/classify", json=GOOD)
        assert (reply.status_code, reply.json()["error"]["type"]) == (500, "InferenceError")
        session.poison = -1
        assert (await client.post("/v1/classify", json=GOOD)).status_code == 200
