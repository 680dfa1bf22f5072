import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier.errors import ClassifierError
from classifier.formats import NAMES, parse_payload
from classifier.formats.reading import Unread, read_path
from classifier.transcript import Transcript
from tests.classifier.formats.samples import JSON, write_zip, zstandard_frames

# Keys and values that readers look for, so that random objects get past the first check.
KEYS = """
messages role content user assistant tool system text type thinking tool_use tool_result
reasoning redacted summary tool_calls function name arguments input id epoch eval status samples
raw_response metadata request response choices message author prefill tool_use_id attachments
attachment://x reasoning_details reasoning.text custom body error prompts parse_error
"""
WORDS = st.sampled_from(KEYS.split())
TEXTS = WORDS | st.text(st.characters(exclude_categories=()), max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=25,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "system", "boss"])},
        optional={
            "content": VALUES,
            "reasoning": SCALARS,
            "reasoning_details": VALUES,
            "tool_calls": VALUES,
            "id": SCALARS,
            "author": SCALARS,
            "metadata": VALUES,
        },
    ),
    max_size=4,
)
LOGS = st.fixed_dictionaries(
    {"messages": MESSAGES},
    optional={
        "id": SCALARS,
        "epoch": SCALARS,
        "input": SCALARS,
        "system": VALUES,
        "choices": VALUES,
        "response": VALUES,
        "attachments": VALUES,
        "scores": VALUES,
    },
)
WRAPPED = LOGS | st.builds(lambda log: {"eval": {}, "status": "x", "samples": [log]}, LOGS)
PAYLOADS = VALUES | WRAPPED | MESSAGES

USER: JSON = {"role": "user", "content": "Hi"}
ROW = json.dumps({"id": "a", "messages": [USER, {"role": "assistant", "content": "Ok"}]}).encode()
SAMPLE = json.dumps({"id": "a", "epoch": 1, "input": "x", "messages": [USER] * 20}).encode()


def file_bytes() -> Iterator[bytes]:
    """Sound files of every container."""
    with tempfile.TemporaryDirectory() as folder:
        for method in (0, 8, 93):
            path = Path(folder) / "log.eval"
            members = {"header.json": b'{"eval": {}}', "samples/a_epoch_1.json": SAMPLE}
            yield write_zip(path, members, method=method).read_bytes()
    lines = b"\n".join([ROW] * 5)
    yield from (lines, gzip.compress(lines), zstandard_frames(lines), b"[" + ROW + b"]")


FILES = st.sampled_from(list(file_bytes()))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound file, cut short or with some bytes changed."""
    raw = bytearray(draw(FILES))
    for _ in range(draw(st.integers(0, 4))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw[: draw(st.integers(0, len(raw)))]) if draw(st.booleans()) else bytes(raw)


@given(PAYLOADS, st.sampled_from([None, *NAMES]))
@settings(max_examples=400, deadline=None)
def test_any_payload_gives_transcripts_or_an_error_of_ours(
    payload: object, format: str | None
) -> None:
    try:
        transcripts = parse_payload(payload, format=format, default_id="x")
    except ClassifierError:
        return
    for transcript in transcripts:
        assert Transcript.model_validate_json(transcript.model_dump_json()) == transcript


@given(
    damaged() | st.binary(max_size=200),
    st.sampled_from(["a.eval", "a.jsonl", "a.json", "a.txt", "a.gz", "a"]),
    st.sampled_from([None, "native", "inspect_log"]),
)
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_give_records_or_an_error_of_ours(
    tmp_path: Path, raw: bytes, name: str, format: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    try:
        records = list(read_path(path, format=format))
    except ClassifierError:
        return
    assert records, "a file vanished without a word"
    assert all(isinstance(record, Transcript | Unread) for record in records)


@pytest.mark.parametrize("n_levels", [90, 200, 600, 5000])
def test_nesting_of_any_depth_gives_a_transcript_or_an_error_of_ours(n_levels: int) -> None:
    deep: object = "x"
    for _ in range(n_levels):
        deep = {"a": [deep]}
    for key in ("content", "reasoning", "tool_calls", "metadata", "id", "extra"):
        for payload in ({"messages": [{"role": "user", key: deep}]}, {"messages": [], key: deep}):
            for format in NAMES:
                try:
                    transcripts = parse_payload(payload, format=format, default_id="x")
                except ClassifierError:
                    continue
                assert all(transcript.model_dump_json() for transcript in transcripts)
