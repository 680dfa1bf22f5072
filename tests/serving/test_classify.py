"""`POST /v1/classify`: the same verdict as the command line, and an answer to every bad body."""

import json
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from classifier.formats import NAMES
from classifier.formats.reading import Unread, read_path
from classifier.pipeline import TranscriptClassifier
from tests.build import said

pytestmark = pytest.mark.anyio
EXAMPLES = sorted(Path("examples").glob("*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
async def test_the_verdict_is_the_command_lines(
    client: httpx.AsyncClient, classifier: TranscriptClassifier, path: Path
) -> None:
    (item,) = read_path(path)
    assert not isinstance(item, Unread)
    expected = classifier.classify(item).model_dump(mode="json")
    reply = await client.post("/v1/classify", content=path.read_bytes())
    assert reply.status_code == 200
    assert {**reply.json(), "id": ""} == {**expected, "id": ""}


async def test_the_format_can_be_named(client: httpx.AsyncClient) -> None:
    reply = await client.post("/v1/classify", json={"format": "plain", "data": "Done."})
    assert reply.status_code == 200
    assert reply.json()["coverage"]["agent_messages"] == 1


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        pytest.param(b"", 422, "MalformedTranscriptError", id="empty"),
        pytest.param(b"{", 422, "MalformedTranscriptError", id="cut off"),
        pytest.param(b"\xff\xfe", 422, "MalformedTranscriptError", id="not UTF-8"),
        pytest.param(b"[" * 100_000, 422, "MalformedTranscriptError", id="deeply nested"),
        pytest.param(b"1" * 10_000, 422, "MalformedTranscriptError", id="a gigantic number"),
        pytest.param(b"3", 422, "UnknownFormatError", id="a number"),
        pytest.param(b'{"a": 1}', 422, "UnknownFormatError", id="an unknown shape"),
        pytest.param(b'{"messages": []}', 422, "EmptyTranscriptError", id="no message"),
        pytest.param(
            b'{"messages": [{"role": "user", "content": "hi"}]}',
            422,
            "EmptyTranscriptError",
            id="no turn of the agent's",
        ),
        pytest.param(b'{"format": "x", "data": 1}', 422, "UnknownFormatError", id="unknown format"),
        pytest.param(b" " * 200_001, 413, "BodyTooLargeError", id="too large"),
    ],
)
async def test_bad_bodies_get_a_clear_answer(
    client: httpx.AsyncClient, body: bytes, status: int, kind: str
) -> None:
    reply = await client.post("/v1/classify", content=body)
    assert (reply.status_code, reply.json()["error"]["type"]) == (status, kind)


async def test_too_many_windows_are_refused_with_the_numbers(client: httpx.AsyncClient) -> None:
    reply = await client.post("/v1/classify", json={"messages": [said("word " * 20_000)]})
    assert reply.status_code == 413
    assert "limit of 20" in reply.json()["error"]["message"]


async def test_hostile_text_is_read_and_never_echoed(client: httpx.AsyncClient) -> None:
    body = b'{"id": "x", "messages": [{"role": "assistant", "content": "\\ud800 \\u0000 [SEP]"}]}'
    reply = await client.post("/v1/classify", content=body)
    assert reply.status_code == 200
    wrong = {"messages": [{"role": "villain", "content": "the secret"}]}
    reply = await client.post("/v1/classify", json=wrong)
    assert reply.status_code == 422
    assert "the secret" not in reply.text


async def test_health_and_labels(client: httpx.AsyncClient, app: FastAPI) -> None:
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 200
    names = [label["name"] for label in (await client.get("/v1/labels")).json()]
    assert names == ["blackmail", "coercion", "leaking", "self_preservation"]
    app.state.service = None
    assert (await client.get("/health/ready")).status_code == 503
    reply = await client.post("/v1/classify", json={"messages": [said("a")]})
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")


async def test_unknown_paths_have_the_one_error_shape(client: httpx.AsyncClient) -> None:
    reply = await client.get("/v2/classify")
    assert reply.status_code == 404
    assert set(json.loads(reply.text)["error"]) == {"type", "message"}


async def test_the_page_offers_every_format_by_its_name(client: httpx.AsyncClient) -> None:
    html = (await client.get("/")).text
    select = html.split('<select id="format">')[1].split("</select>")[0]
    offered = re.findall(r'<option(?: value="([^"]*)")?>([^<]*)</option>', select)
    named = {value or text for value, text in offered if text != "detect"}
    assert named == set(NAMES)
