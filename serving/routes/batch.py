"""`POST /v1/classify/batch`: NDJSON in, NDJSON out, both streamed, memory bounded.

Every line that is not blank gets exactly one line back, with its number: a verdict or an error. A
line's error never ends the stream.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from classifier.errors import ClassifierError
from classifier.formats.decoding import decode_json, decode_utf8
from serving.auth import check_key
from serving.batcher import Lane
from serving.bodies import lines
from serving.errors import TooManyStreamsError, error_body
from serving.routes.classify import service_of
from serving.service import Service

router = APIRouter(prefix="/v1", tags=["classify"], dependencies=[Depends(check_key)])


async def _row(service: Service, number: int, line: bytes) -> dict[str, Any]:
    """The answer to one line."""
    try:
        text = decode_utf8(line, where=f"line {number}")
        payload = decode_json(text, where=f"line {number}").value
        verdict = await service.classify(payload, lane=Lane.BATCH)
    except ClassifierError as error:
        return {"line": number, **error_body(type(error).__name__, str(error))}
    return {"line": number, **verdict.model_dump(mode="json")}


async def _tasks(
    service: Service, request: Request
) -> AsyncGenerator[asyncio.Task[dict[str, Any]], None]:
    settings = service.settings
    number = 0
    source = lines(
        request,
        max_body_bytes=settings.max_batch_body_bytes,
        max_line_bytes=settings.max_unpacked_bytes,
    )
    async with aclosing(source):
        async for line in source:
            number += 1
            if line.strip():
                yield asyncio.create_task(_row(service, number, line))


async def _answers(
    service: Service, request: Request, *, is_ordered: bool
) -> AsyncGenerator[dict[str, Any], None]:
    """Rows in the order of the lines, or as they come; at most so many lines are open at once."""
    running: deque[asyncio.Task[dict[str, Any]]] = deque()
    tasks = _tasks(service, request)
    try:
        async with aclosing(tasks):
            async for task in tasks:
                running.append(task)
                while len(running) >= service.settings.batch_concurrency:
                    yield await _next(running, is_ordered=is_ordered)
        while running:
            yield await _next(running, is_ordered=is_ordered)
    finally:
        for task in running:
            task.cancel()


async def _next(
    running: deque[asyncio.Task[dict[str, Any]]], *, is_ordered: bool
) -> dict[str, Any]:
    if is_ordered:
        return await running.popleft()
    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    task = done.pop()
    running.remove(task)
    return await task


async def _body(
    service: Service, request: Request, *, is_ordered: bool
) -> AsyncGenerator[bytes, None]:
    answers = _answers(service, request, is_ordered=is_ordered)
    service.batch_streams += 1
    try:
        async with aclosing(answers):
            async for row in answers:
                yield json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except ClassifierError as error:
        # The stream itself cannot be read on; the answers so far stand, and the last line says why.
        yield json.dumps(error_body(type(error).__name__, str(error))).encode() + b"\n"
    finally:
        service.batch_streams -= 1


class NdjsonResponse(Response):
    """Streams rows while the request's body is still being read.

    Starlette's own streaming response waits for a disconnect on the same channel that the body
    comes in by, and so would swallow lines.
    """

    media_type = "application/x-ndjson"

    def __init__(self, body: AsyncGenerator[bytes, None], status_code: int = 200) -> None:
        super().__init__(status_code=status_code)
        del self.headers["content-length"]
        self._rows = body

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, then each row as it is made."""
        start = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)
        async with aclosing(self._rows):
            async for row in self._rows:
                await send({"type": "http.response.body", "body": row, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@router.post("/classify/batch", response_class=NdjsonResponse)
async def classify_batch(
    request: Request,
    ordered: Annotated[bool, Query(description="Answer in the lines' order.")] = True,
) -> NdjsonResponse:
    """Judge a stream of transcripts, one JSON document a line.

    A last line without `line` says that the stream broke off and why.
    """
    service = service_of(request)
    if service.batch_streams >= service.settings.max_batch_streams:
        raise TooManyStreamsError(limit=service.settings.max_batch_streams)
    return NdjsonResponse(_body(service, request, is_ordered=ordered))
