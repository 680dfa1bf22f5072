"""Read an Inspect `.eval` archive, one sample at a time.

A damaged sample is one `Unread` and the others are read all the same; so is a damaged header, for
the samples do not need it. Memory is bounded by one sample.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from classifier.errors import MalformedTranscriptError, TranscriptError, UnknownFormatError
from classifier.formats import inspect_log
from classifier.formats.decoding import decode_json, decode_utf8
from classifier.formats.fields import Object, Place, expect_object
from classifier.formats.unread import Unread
from classifier.formats.zip_members import ZipMembers
from classifier.transcript import Source, Transcript

HEADER: Final = "header.json"
JOURNAL: Final = "_journal/start.json"
"""Stands for the header while the evaluation runs."""

_SAMPLE: Final = re.compile(r"samples/.+_epoch_\d+\.json", re.DOTALL)
_CHUNKED: Final = re.compile(r"samples/.+_epoch_\d+/sample\.json", re.DOTALL)
"""A sample in many members, which `inspect log convert` writes when asked to."""


def read_archive(file: BinaryIO, *, path: str) -> Iterator[Transcript | Unread]:
    """Read the samples of an archive, in its order.

    Args:
        file: The archive; it must be able to seek.
        path: Its name, for sources and ids.

    Raises:
        MalformedTranscriptError: If it is a damaged archive or holds no samples.
        UnknownFormatError: If it is an archive of something else.
    """
    members = ZipMembers(file)
    samples = [
        name for name in members.names if _SAMPLE.fullmatch(name) or _CHUNKED.fullmatch(name)
    ]
    if not samples and HEADER not in members.names and JOURNAL not in members.names:
        raise UnknownFormatError(
            tried=(inspect_log.NAME,), hint="a zip archive, and not one of Inspect's"
        )
    if not samples:
        raise MalformedTranscriptError("the log holds no samples", format=inspect_log.NAME)
    header: Object = {}
    try:
        header = _header(members)
    except TranscriptError as error:
        yield _unread(HEADER, path, error)
    for name in samples:
        yield _sample(members, name, header=header, path=path)


def _header(members: ZipMembers) -> Object:
    is_running = HEADER not in members.names
    name = JOURNAL if is_running else HEADER
    if name not in members.names:
        return {}
    header = expect_object(_decoded(members, name), Place(inspect_log.NAME, record=name))
    return {**header, "status": "started", "running": True} if is_running else header


def _sample(members: ZipMembers, name: str, *, header: Object, path: str) -> Transcript | Unread:
    source = Source(format=inspect_log.NAME, path=path, sample=name)
    try:
        if _CHUNKED.fullmatch(name):
            raise MalformedTranscriptError(
                "stored in chunks, which are not read here; convert the log to plain samples first",
                format=inspect_log.NAME,
                where=name,
            )
        return inspect_log.parse_sample(
            _decoded(members, name), header=header, source=source, default_id=f"{path}#{name}"
        )
    except TranscriptError as error:
        return _unread(name, path, error)


def _decoded(members: ZipMembers, name: str) -> object:
    # Inspect writes NaN for a sample that was not scored.
    text = decode_utf8(members.read(name), format=inspect_log.NAME, where=name)
    return decode_json(text, where=name).value


def _unread(name: str, path: str, error: TranscriptError) -> Unread:
    source = Source(format=inspect_log.NAME, path=path, sample=name)
    return Unread(id=f"{path}#{name}", source=source, error=error)
