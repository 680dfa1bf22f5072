import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from classifier.errors import SourceError, UnknownFormatError
from classifier.formats.reading import Unread, read_path
from classifier.transcript import Transcript
from tests.classifier.formats.samples import JSON, zstandard_frames

USER: JSON = {"role": "user", "content": "Hi"}
ROWS: list[JSON] = [{"id": name, "messages": [USER]} for name in ("a", "b", "c")]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
PACKERS = [
    pytest.param(bytes, "", id="as it is"),
    pytest.param(gzip.compress, ".gz", id="gzip"),
    pytest.param(zstandard.ZstdCompressor().compress, ".zst", id="zstandard"),
    pytest.param(zstandard_frames, ".zst", id="zstandard in several frames"),
]


def write(folder: Path, name: str, raw: bytes) -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


def outcome(path: Path, format: str | None = None) -> list[str]:
    """Ids of transcripts, and places and errors of unread records."""
    return [
        record.id
        if isinstance(record, Transcript)
        else f"{record.source.sample}: {record.error}".replace(str(path), "FILE")
        for record in read_path(path, format=format)
    ]


@pytest.mark.parametrize(("pack", "suffix"), PACKERS)
@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        pytest.param("a.jsonl", LINES, ["a", "b", "c"], id="JSON Lines"),
        pytest.param("a.ndjson", b"\r\n\n" + LINES, ["a", "b", "c"], id="with blank lines"),
        pytest.param("a.json", LINES, ["a", "b", "c"], id="JSON Lines called .json"),
        pytest.param("a.log", LINES, ["a", "b", "c"], id="JSON Lines called anything"),
        pytest.param("a.json", json.dumps(ROWS).encode(), ["a", "b", "c"], id="a list of rows"),
        pytest.param("a.json", json.dumps(ROWS, indent=1).encode(), ["a", "b", "c"], id="indented"),
        pytest.param("a.json", json.dumps(ROWS[0]).encode(), ["a"], id="one row"),
        pytest.param("a.jsonl", b"\xef\xbb\xbf" + LINES, ["a", "b", "c"], id="a byte order mark"),
        pytest.param("a.jsonl", LINES.rstrip(), ["a", "b", "c"], id="no end of the last line"),
    ],
)
def test_a_file_gives_its_transcripts(
    tmp_path: Path,
    pack: Callable[[bytes], bytes],
    suffix: str,
    name: str,
    raw: bytes,
    expected: list[str],
) -> None:
    assert outcome(write(tmp_path, name + suffix, pack(raw))) == expected


def test_a_list_of_messages_is_one_transcript(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", json.dumps([USER, USER]).encode())
    assert outcome(path) == [path.as_posix()]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.txt.gz"])
def test_text_files_are_plain(tmp_path: Path, name: str) -> None:
    raw = b"I will tell."
    path = write(tmp_path, name, gzip.compress(raw) if name.endswith(".gz") else raw)
    (record,) = read_path(path)
    assert isinstance(record, Transcript)
    assert (record.source.format, record.messages[0].content) == ("plain", "I will tell.")


def test_a_named_format_wins_over_the_suffix(tmp_path: Path) -> None:
    assert outcome(write(tmp_path, "a.txt", LINES), "native") == ["a", "b", "c"]
    (record,) = read_path(write(tmp_path, "a.jsonl", LINES), format="plain")
    assert isinstance(record, Transcript)
    assert record.messages[0].content == LINES.decode()


def test_a_bad_line_is_unread_with_its_number_and_the_reading_goes_on(tmp_path: Path) -> None:
    bad = [b"{oops", b"", b'{"x": 1, "x": 2}', b"3", b'{"messages": [{"role": "boss"}]}', b"\xff"]
    path = write(tmp_path, "a.jsonl", b"\n".join((*bad, b"NaN", LINES)))
    records = list(read_path(path))
    unread = [record for record in records if isinstance(record, Unread)]
    assert [record.source.sample for record in unread] == [
        f"line {number}" for number in (1, 3, 4, 5, 6, 7)
    ]
    assert unread[0].id == f"{path.as_posix()}:1"
    assert unread[0].source.path == path.as_posix()
    assert "line 1, character 1" in str(unread[0].error)
    assert "line 5, messages[0].role" in str(unread[3].error)
    assert [record.id for record in records[len(unread) :]] == ["a", "b", "c"]


def test_rows_without_an_id_are_named_by_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", b'{"messages": []}\n\n[{"role": "user"}]')
    assert outcome(path) == [f"{path.as_posix()}:1", f"{path.as_posix()}:3"]


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        pytest.param("a.json", b"", "the file is empty", id="nothing"),
        pytest.param("a.jsonl", b"\n \n", "the file is empty", id="blank lines"),
        pytest.param("a.txt", b" ", "the file is empty", id="blank text"),
        pytest.param("a.json", b'{"a": ', "line 1 column 7", id="cut short"),
        pytest.param("a.json", b"\n\n{\n\noops}", "line 5 column 1", id="the file's own lines"),
        pytest.param("a.json", b'{"id": 1, "id": 2}', "same key twice", id="a key twice"),
        pytest.param("a.json", b'{"id": NaN}', "NaN", id="NaN"),
        pytest.param("a.json", b'{"id": 1e999}', "beyond the range", id="a float out of range"),
        pytest.param("a.json", b"9" * 5000, "too many digits", id="a huge integer"),
        pytest.param("a.json", b"[" * 99_999, "nested too deeply", id="deep nesting"),
        pytest.param("a.json", b"\xff\xfe", "byte 0", id="no UTF-8"),
        pytest.param("a.json", b'{"a": "\0"}', "NUL", id="a NUL"),
        pytest.param("a.txt", b"a\0", "NUL", id="a NUL in text"),
        pytest.param("a.json", b'{"a": 1}', "unknown transcript format", id="unknown"),
        pytest.param("a.log", b"Hello.", "unknown transcript format (not JSON", id="a text"),
        pytest.param("a.json", b"[]", "unknown transcript format", id="an empty list"),
        pytest.param("a.eval", b"PK\x03\x04", "malformed zip", id="a broken archive"),
        pytest.param("a.gz", gzip.compress(LINES)[:-9], "cut short", id="gzip cut short"),
        pytest.param(
            "a.zst",
            zstandard.ZstdCompressor().compress(LINES)[:-9],
            "cut short",
            id="zstandard cut short",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_unread_record(
    tmp_path: Path, name: str, raw: bytes, message: str
) -> None:
    (line,) = outcome(write(tmp_path, name, raw))
    assert message in line


def test_lines_before_the_damage_are_read(tmp_path: Path) -> None:
    rows = [json.dumps({"id": str(n), "messages": [USER]}) for n in range(20_000)]
    packed = zstandard_frames("\n".join(rows).encode())
    *first, last = outcome(write(tmp_path, "a.jsonl.zst", packed[:-20]))
    assert first == [str(number) for number in range(len(first))]
    assert len(first) > 10_000
    assert last == f"line {len(first) + 1}: malformed compressed transcript: damaged or cut short"


def test_a_record_beyond_the_limit_is_unread_and_the_rest_is_read(tmp_path: Path) -> None:
    long = json.dumps({"id": "long", "messages": [{**USER, "content": "x" * 3_000_000}]}).encode()
    path = write(tmp_path, "a.jsonl", long + b"\n" + LINES + long)
    records = list(read_path(path, max_record_bytes=1000))
    assert [isinstance(record, Unread) for record in records] == [True, False, False, False, True]
    (document,) = read_path(write(tmp_path, "a.json", long), max_record_bytes=1000)
    (indented,) = read_path(write(tmp_path, "b.json", b"[\n" + long + b"]"), max_record_bytes=1000)
    (text,) = read_path(write(tmp_path, "a.txt", long), max_record_bytes=1000)
    for record in (records[0], document, indented, text):
        assert isinstance(record, Unread)
        assert "more than 1000 bytes" in str(record.error)


def test_reading_is_lazy(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", LINES)
    records = read_path(path)
    assert next(records).id == "a"
    path.unlink()
    assert [record.id for record in records] == ["b", "c"]


def test_one_bad_row_of_a_list_is_unread_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = [ROWS[0], {"x": 1}, ROWS[2]]
    path = write(tmp_path, "a.json", json.dumps(rows).encode())
    records = list(read_path(path))
    assert [record.id for record in records] == ["a", f"{path.as_posix()}[1]", "c"]
    assert records[1].source.sample == "[1]"


def test_one_bad_sample_of_a_log_in_json_is_unread_and_the_rest_is_read(tmp_path: Path) -> None:
    def sample(id: str, messages: object) -> JSON:
        return {"id": id, "epoch": 1, "input": "", "messages": messages}

    samples = [sample("a", []), sample("b", 3), sample("c", [])]
    log = {"eval": {"model": "m"}, "status": "success", "samples": samples, "x": float("nan")}
    path = write(tmp_path, "a.json", json.dumps(log).encode())
    records = list(read_path(path))
    assert [record.id for record in records] == ["a#1", f"{path.as_posix()}:samples[1]", "c#1"]
    assert isinstance(records[1], Unread)


@pytest.mark.parametrize("name", ["missing.jsonl", "folder", "a\0b"])
def test_what_the_system_refuses_is_a_source_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError, match="cannot read"):
        list(read_path(tmp_path / name))


def test_an_unknown_format_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError):
        read_path(tmp_path / "missing.jsonl", format="sharegpt")
