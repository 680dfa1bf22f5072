"""Request bodies: read within their limits, unpacked within theirs, decoded as JSON.

A body is never read further than its limit, packed or not, so neither a large one nor a bomb costs
more than the limit says.
"""

import zlib
from collections.abc import AsyncGenerator, Iterator
from typing import BinaryIO, Protocol, cast

import zstandard
from fastapi import Request

from classifier.errors import ClassifierError
from classifier.formats.decoding import decode_json, decode_utf8

STEP_BYTES = 1 << 20
"""Unpacked bytes that are asked for at once."""


class BodyTooLargeError(ClassifierError):
    """The request body, or what it unpacks to, is larger than the limit."""

    def __init__(self, *, limit: int, setting: str) -> None:
        self.limit = limit
        super().__init__(f"the body is larger than the limit of {limit} bytes ({setting})")


class EncodingError(ClassifierError):
    """The body's `Content-Encoding` is not one that is read, or the body is not in it."""


class _Unpacker(Protocol):
    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Unpacked pieces of at most `STEP_BYTES`."""


class _Plain:
    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk:
                yield self._inner.decompress(chunk, STEP_BYTES)
                chunk = self._inner.unconsumed_tail
        except zlib.error as error:
            raise EncodingError("the body is not gzip") from error


class _Zstandard:
    """Unpacks into itself, so that one small chunk of a bomb stops at the limit and not after it."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit
        self._pieces: list[bytes] = []
        unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        self._inner = unpacker.stream_writer(cast("BinaryIO", self), closefd=False)

    def write(self, piece: bytes) -> int:
        """Take a piece of at most 128 KiB."""
        self._left -= len(piece)
        if self._left < 0:
            raise BodyTooLargeError(limit=self._limit, setting="TBC_MAX_UNPACKED_BYTES")
        self._pieces.append(bytes(piece))
        return len(piece)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            self._inner.write(chunk)
        except zstandard.ZstdError as error:
            raise EncodingError("the body is not zstd") from error
        pieces, self._pieces = self._pieces, []
        yield from pieces


def _unpacker(request: Request, limit: int) -> _Unpacker:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return _Plain()
    if encoding == "gzip":
        return _Gzip()
    if encoding == "zstd":
        return _Zstandard(limit)
    raise EncodingError("Content-Encoding must be gzip, zstd or identity")


async def chunks(
    request: Request, *, max_body_bytes: int, max_unpacked_bytes: int
) -> AsyncGenerator[bytes, None]:
    """The unpacked body, piece by piece.

    Raises:
        BodyTooLargeError: As soon as a limit is passed.
        EncodingError: If it cannot be unpacked.
    """
    unpacker = _unpacker(request, max_unpacked_bytes)
    packed = unpacked = 0
    async for chunk in request.stream():
        packed += len(chunk)
        if packed > max_body_bytes:
            raise BodyTooLargeError(limit=max_body_bytes, setting="TBC_MAX_BODY_BYTES")
        for piece in unpacker.feed(chunk):
            unpacked += len(piece)
            if unpacked > max_unpacked_bytes:
                raise BodyTooLargeError(limit=max_unpacked_bytes, setting="TBC_MAX_UNPACKED_BYTES")
            yield piece


async def read_json(request: Request, *, max_body_bytes: int, max_unpacked_bytes: int) -> object:
    """The whole body as JSON, of any shape.

    Raises:
        BodyTooLargeError: As soon as a limit is passed.
        EncodingError: If it cannot be unpacked.
        MalformedTranscriptError: If it is no JSON.
    """
    pieces = chunks(request, max_body_bytes=max_body_bytes, max_unpacked_bytes=max_unpacked_bytes)
    body = b"".join([piece async for piece in pieces])
    text = decode_utf8(body, where="body")
    return decode_json(text, where="body").value


async def lines(
    request: Request, *, max_body_bytes: int, max_line_bytes: int
) -> AsyncGenerator[bytes, None]:
    """The lines of a body, as they come in; the last may lack its line break.

    Raises:
        BodyTooLargeError: If a line is longer than its limit, or the body than its.
        EncodingError: If it cannot be unpacked.
    """
    rest = b""
    async for piece in chunks(
        request, max_body_bytes=max_body_bytes, max_unpacked_bytes=max_body_bytes * 16
    ):
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line
        if len(rest) > max_line_bytes:
            raise BodyTooLargeError(limit=max_line_bytes, setting="TBC_MAX_UNPACKED_BYTES")
    if rest:
        yield rest
