"""Logs to read in tests, and what was read of them in a form that fits a table."""

import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import zstandard

from classifier.transcript import Message, Transcript

JSON = dict[str, object]


class Said(NamedTuple):
    """A message as a row of a table; what is not stated is empty."""

    role: str
    author: str
    content: str = ""
    reasoning: str = ""
    kind: str = "none"
    calls: tuple[tuple[str, object], ...] = ()
    dropped: tuple[tuple[str, int], ...] = ()
    name: str | None = None


def said(message: Message) -> Said:
    """A message as a row of a table."""
    return Said(
        message.role.value,
        message.author.value,
        message.content,
        message.reasoning,
        message.reasoning_kind,
        tuple((call.name, call.arguments) for call in message.tool_calls),
        tuple(sorted(message.dropped.items())),
        message.name,
    )


def all_said(transcript: Transcript) -> list[Said]:
    """The messages of a transcript as rows of a table."""
    return [said(message) for message in transcript.messages]


def zstandard_frames(data: bytes) -> bytes:
    """Compress into several frames, as Inspect does with large members."""
    size = max(len(data) // 3, 1)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(zstandard.ZstdCompressor().compress(piece) for piece in pieces)


def deflated(data: bytes) -> bytes:
    """Compress as zip's method 8 does."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: Mapping[int, Callable[[bytes], bytes]] = {0: bytes, 8: deflated, 93: zstandard_frames}
"""Compressors by zip method."""


def write_zip(path: Path, members: Mapping[str, bytes], *, method: int) -> Path:
    """Write a zip archive by hand, for methods that `zipfile` does not write."""
    body, directory = b"", b""
    for name, data in members.items():
        raw_name, packed = name.encode(), PACKERS[method](data)
        sizes = (zlib.crc32(data), len(packed), len(data), len(raw_name))
        offset = len(body)
        body += struct.pack("<4s5H3L2H", b"PK\x03\x04", 63, 0, method, 0, 0x21, *sizes, 0)
        body += raw_name + packed
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 63, 63, 0, method, 0, 0x21, *sizes, 0, 0, 0, 0, 0, offset
        )
        directory += raw_name
    n = len(members)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, n, n, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path
