"""Read the transcripts of a file, whatever its format, packing and size.

Every record of a file comes out: as transcripts, or as one `Unread` that says why not. Memory is
bounded by one record where the container allows (JSON Lines, `.eval`); a document is one record.
"""

import io
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from classifier.errors import (
    MalformedTranscriptError,
    SourceError,
    TranscriptError,
    UnknownFormatError,
)
from classifier.formats import (
    NAMES,
    agentic_misalignment,
    inspect_log,
    named,
    parse_payload,
    plain,
    rows,
)
from classifier.formats.containers import MAX_RECORD_BYTES, Line, Lines, is_zip, too_long, unpacked
from classifier.formats.decoding import FORMAT as JSON
from classifier.formats.decoding import decode_json, decode_utf8
from classifier.formats.eval_archive import read_archive
from classifier.formats.fields import Object, Place
from classifier.formats.unread import Unread
from classifier.transcript import Source, Transcript

__all__ = ["Unread", "read_path"]

LINES_SUFFIXES: Final = frozenset({".jsonl", ".ndjson"})
TEXT_SUFFIXES: Final = frozenset({".txt", ".md"})
_JSON_SUFFIXES: Final = LINES_SUFFIXES | {".json", ".eval"}
_PACKED_SUFFIXES: Final = frozenset({".gz", ".zst", ".zstd"})

Records = Iterator[Transcript | Unread]


def read_path(
    path: Path, *, format: str | None = None, max_record_bytes: int = MAX_RECORD_BYTES
) -> Records:
    """Read the transcripts of one file, one at a time.

    Args:
        path: An `.eval` archive, JSON, JSON Lines or text, as it is or packed by gzip or Zstandard.
        format: Name of its format; told from each record without.
        max_record_bytes: Most decompressed bytes of a line or a document.

    Returns:
        Transcripts and unread records, in the file's order. A file that cannot be read as a whole
        gives, or ends with, one `Unread`.

    Raises:
        UnknownFormatError: At once, if no format has the name given.
        SourceError: While reading, if the system refuses the file.
    """
    if format is not None:
        named(format)
    return _contained(_File(path, format, max_record_bytes))


def _contained(file: "_File") -> Records:
    """The boundary where errors of a file become its row, or say that the system refused it."""
    try:
        yield from file.records()
    except TranscriptError as error:
        yield file.unread(None, error)
    except OSError as error:
        raise SourceError(file.name, error.strerror or "unreadable") from error


@dataclass(frozen=True, slots=True)
class _File:
    """One file being read."""

    path: Path
    format: str | None
    max_record_bytes: int

    @property
    def name(self) -> str:
        """Its path as given: the source of its transcripts and the stem of their ids."""
        return self.path.as_posix()

    @property
    def suffix(self) -> str:
        """Its suffix, that of the packing not counted."""
        inner = self.path.with_suffix("") if self.path.suffix in _PACKED_SUFFIXES else self.path
        return inner.suffix.lower()

    def unread(self, sample: str | None, error: TranscriptError, *, place: str = "") -> Unread:
        """A record that cannot be read."""
        source = Source(format=self.format or "unknown", path=self.name, sample=sample)
        return Unread(id=f"{self.name}{place}", source=source, error=error)

    def malformed(self, message: str, *, where: str = "") -> MalformedTranscriptError:
        """An error of the file as a whole."""
        return MalformedTranscriptError(message, format=self.format or JSON, where=where)

    def records(self) -> Records:
        """Every record, or the error that stops the reading."""
        try:
            opened = self.path.open("rb")
        except ValueError as error:  # a path with a NUL
            raise SourceError(self.name, "no valid path") from error
        with opened as file:
            if not is_zip(file):
                yield from self._stream(unpacked(file))
            elif self.format in (None, inspect_log.NAME):
                yield from read_archive(file, path=self.name)
            else:
                raise self.malformed(f"a zip archive, which only {inspect_log.NAME} reads")

    def _stream(self, stream: io.BufferedReader) -> Records:
        lines = Lines(stream, max_bytes=self.max_record_bytes)
        is_text = self.format is None and self.suffix in TEXT_SUFFIXES
        if self.format == plain.NAME or is_text:
            yield from self._text(lines.rest(n_before=0))
        elif self.suffix in LINES_SUFFIXES:
            yield from self._lines(lines.written())
        else:
            yield from self._lines_or_document(lines)

    def _text(self, raw: bytes) -> Records:
        text = decode_utf8(raw, format=plain.NAME)
        if not text.strip():
            raise self.malformed("the file is empty")
        yield from parse_payload(text, format=plain.NAME, default_id=self.name, path=self.name)

    def _lines_or_document(self, lines: Lines) -> Records:
        """JSON Lines where the first line is a document and more follows, else one document."""
        written = lines.written()
        head = list(itertools.islice(written, 2))
        if len(head) == 2 and not head[0].is_too_long and _is_json(head[0].raw):
            yield from self._lines(itertools.chain(head, written))
            return
        raw = b""
        for line in head:
            if line.is_too_long:
                raise too_long(self.max_record_bytes, where=f"line {line.number}")
            # Blank lines are put back so that errors give the file's own line numbers.
            raw += b"\n" * (line.number - 1 - raw.count(b"\n")) + line.raw
        if rest := lines.rest(n_before=len(raw) + 1):
            raw += b"\n" + rest
        yield from self._document(raw)

    def _lines(self, lines: Iterable[Line]) -> Records:
        number = 0
        try:
            for line in lines:
                number = line.number
                yield from self._line(line)
        except TranscriptError as error:  # the stream is damaged; what stood before it was read
            yield self.unread(f"line {number + 1}", error, place=f":{number + 1}")
            return
        if not number:
            raise self.malformed("the file is empty")

    def _line(self, line: Line) -> Records:
        sample, place = f"line {line.number}", f":{line.number}"
        try:
            if line.is_too_long:
                raise too_long(self.max_record_bytes, where=sample)
            yield from self._parsed(self._decoded(line.raw, where=sample), sample, place)
        except TranscriptError as error:
            yield self.unread(sample, error, place=place)

    def _document(self, raw: bytes) -> Records:
        if not raw.strip():
            raise self.malformed("the file is empty")
        payload = self._document_payload(raw)
        if inspect_log.is_log(payload) and self._may_be(inspect_log.NAME):
            yield from self._samples(payload)
            return
        for row in rows(payload):
            value = row.value
            try:
                if agentic_misalignment.matches(value) and self._may_be(agentic_misalignment.NAME):
                    value = agentic_misalignment.with_prompts(value, self.path)
                yield from self._parsed(value, row.place or None, row.place)
            except TranscriptError as error:
                yield self.unread(row.place or None, error, place=row.place)

    def _document_payload(self, raw: bytes) -> object:
        try:
            return self._decoded(raw)
        except MalformedTranscriptError as error:
            if self.format is not None or self.suffix in _JSON_SUFFIXES:
                raise
            hint = "not JSON, and plain text is read only when asked for"
            raise UnknownFormatError(tried=NAMES, hint=hint) from error

    def _samples(self, log: Object) -> Records:
        """Samples of an Inspect log in JSON, each on its own as in an archive."""
        for sample in inspect_log.samples_of(log, Place(inspect_log.NAME)):
            source = Source(format=inspect_log.NAME, path=self.name, sample=sample.place)
            id = f"{self.name}:{sample.place}"
            try:
                yield inspect_log.parse_sample(
                    sample.value, header=log, source=source, default_id=id
                )
            except TranscriptError as error:
                yield Unread(id=id, source=source, error=error)

    def _parsed(self, payload: object, sample: str | None, place: str) -> list[Transcript]:
        return parse_payload(
            payload,
            format=self.format,
            default_id=f"{self.name}{place}",
            path=self.name,
            sample=sample,
        )

    def _decoded(self, raw: bytes, *, where: str = "") -> object:
        decoded = decode_json(decode_utf8(raw, where=where), where=where)
        # Inspect writes NaN for a sample that was not scored; elsewhere it is no JSON.
        may_hold_nan = self._may_be(inspect_log.NAME) and inspect_log.matches(decoded.value)
        if decoded.has_non_finite and not may_hold_nan:
            message = "NaN or a number beyond the range of floats"
            raise MalformedTranscriptError(message, format=JSON, where=where)
        return decoded.value

    def _may_be(self, name: str) -> bool:
        return self.format in (None, name)


def _is_json(raw: bytes) -> bool:
    try:
        decode_json(decode_utf8(raw))
    except MalformedTranscriptError:
        return False
    return True
