"""Open a file as a stream of plain bytes, and take records from it within a bound.

Compression is told by the first bytes, never by the name. A stream that is damaged or cut short is
an error when its end is reached, not a shorter file.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

import zstandard
from typing_extensions import override

from classifier.errors import MalformedTranscriptError

ZIP_MAGIC: Final = b"PK\x03\x04"
ZIP_EMPTY_MAGIC: Final = b"PK\x05\x06"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTANDARD_MAGIC: Final = b"\x28\xb5\x2f\xfd"

MAX_RECORD_BYTES: Final = 1 << 30
"""Most decompressed bytes of one record (a line, or a file that is one document): 1 GiB."""

_FEED_BYTES: Final = 1 << 10
"""Compressed bytes unpacked at a time: a kilobyte of a bomb unpacks to some 30 MiB."""

_DAMAGE: Final = (EOFError, zlib.error, zstandard.ZstdError, gzip.BadGzipFile)


class Line(NamedTuple):
    """A line of a stream."""

    number: int
    """From 1."""

    raw: bytes
    """Its bytes, without the end of the line; cut at the limit when too long."""

    is_too_long: bool


class ZstandardStream(io.RawIOBase):
    """The frames of a Zstandard file, one after the other.

    `zstandard`'s own reader takes a file that is cut short for one that ends there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame = self._decompressor.decompressobj()
        self._is_inside = False
        self._unpacked = memoryview(b"")

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: any Buffer
        while not self._unpacked:
            packed = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = self._decompressor.decompressobj()
                self._is_inside = False
            packed = packed or self._file.read(_FEED_BYTES)
            if not packed:
                if self._is_inside:
                    raise EOFError
                return 0
            self._is_inside = True
            self._unpacked = memoryview(self._frame.decompress(packed))
        n_bytes = min(len(buffer), len(self._unpacked))
        buffer[:n_bytes] = self._unpacked[:n_bytes]
        self._unpacked = self._unpacked[n_bytes:]
        return n_bytes


def is_zip(file: io.BufferedReader) -> bool:
    """Whether a file begins like a zip archive."""
    return file.peek(4)[:4] in (ZIP_MAGIC, ZIP_EMPTY_MAGIC)


def unpacked(file: io.BufferedReader) -> io.BufferedReader:
    """The file's bytes, decompressed where it is gzip or Zstandard."""
    magic = file.peek(4)[:4]
    if magic.startswith(_GZIP_MAGIC):
        return io.BufferedReader(gzip.GzipFile(fileobj=file))
    if magic == _ZSTANDARD_MAGIC:
        return io.BufferedReader(ZstandardStream(file))
    return file


class Lines:
    """The lines of a stream, each within a bound."""

    def __init__(self, stream: io.BufferedReader, *, max_bytes: int = MAX_RECORD_BYTES) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self.n_read = 0

    def next(self) -> Line | None:
        """The next line, or None at the end.

        Raises:
            MalformedTranscriptError: If the compressed data is damaged.
        """
        raw = _checked_readline(self._stream, self._max_bytes + 1)
        if not raw:
            return None
        self.n_read += 1
        is_too_long = len(raw) > self._max_bytes and not raw.endswith(b"\n")
        rest = raw
        while is_too_long and rest and not rest.endswith(b"\n"):
            rest = _checked_readline(self._stream, 1 << 20)
        return Line(self.n_read, raw.rstrip(b"\r\n"), is_too_long)

    def written(self) -> Iterator[Line]:
        """The lines that are not blank."""
        while (line := self.next()) is not None:
            if line.raw.strip():
                yield line

    def rest(self, *, n_before: int) -> bytes:
        """All that is left, as one record of which `n_before` bytes were taken already.

        Raises:
            MalformedTranscriptError: If the record is too large, or the data damaged.
        """
        left = self._max_bytes - n_before
        raw = _checked_read(self._stream, max(left, 0) + 1)
        if len(raw) > left:
            raise too_long(self._max_bytes)
        return raw


def too_long(max_bytes: int, *, where: str = "") -> MalformedTranscriptError:
    """The error for a record beyond the limit."""
    return MalformedTranscriptError(
        f"a record of more than {max_bytes} bytes", format="log", where=where
    )


def _checked_readline(stream: io.BufferedReader, max_bytes: int) -> bytes:
    try:
        return stream.readline(max_bytes)
    except _DAMAGE:
        raise _cut_short() from None


def _checked_read(stream: io.BufferedReader, max_bytes: int) -> bytes:
    try:
        return stream.read(max_bytes)
    except _DAMAGE:
        raise _cut_short() from None


def _cut_short() -> MalformedTranscriptError:
    return MalformedTranscriptError("damaged or cut short", format="compressed")
