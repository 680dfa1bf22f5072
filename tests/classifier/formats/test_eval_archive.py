import json
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from classifier.formats.reading import Unread, read_path
from classifier.transcript import Message, Transcript
from tests.classifier.formats.samples import JSON, Said, all_said, write_zip

HEADER: JSON = {"version": 2, "status": "success", "eval": {"model": "m", "task": "demo"}}
METHODS = [
    pytest.param(0, id="stored"),
    pytest.param(8, id="deflate"),
    pytest.param(93, id="zstandard in several frames"),
]


def sample(id: str, epoch: int = 1) -> bytes:
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": f"I am {id} in {epoch}. " + "Padding. " * 400},
    ]
    return encoded({"id": id, "epoch": epoch, "input": "Hi", "messages": messages})


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def read(path: Path) -> list[Transcript]:
    records = list(read_path(path))
    assert all(isinstance(record, Transcript) for record in records), records
    return [record for record in records if isinstance(record, Transcript)]


@pytest.mark.parametrize("method", METHODS)
def test_samples_come_one_by_one_with_the_headers_metadata(tmp_path: Path, method: int) -> None:
    members = {
        "header.json": encoded(HEADER),
        "summaries.json": b"[]",
        "samples/a_epoch_1.json": sample("a"),
        "samples/a_epoch_2.json": sample("a", 2),
        "samples/b/c_epoch_1.json": sample("b/c"),
    }
    transcripts = read(write_zip(tmp_path / "log.eval", members, method=method))
    assert [transcript.id for transcript in transcripts] == ["a#1", "a#2", "b/c#1"]
    assert transcripts[1].messages[1].content.startswith("I am a in 2.")
    assert {transcript.metadata["model"] for transcript in transcripts} == {"m"}
    assert "running" not in transcripts[0].metadata


def test_a_running_log_says_so(tmp_path: Path) -> None:
    members = {
        "_journal/start.json": encoded({"version": 2, "eval": {"model": "m"}}),
        "samples/a_epoch_1.json": sample("a"),
    }
    (transcript,) = read(write_zip(tmp_path / "log.eval", members, method=8))
    assert transcript.metadata == {"model": "m", "running": True, "status": "started"}


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_sample_is_unread_and_the_rest_is_read(tmp_path: Path, method: int) -> None:
    members = {
        "samples/a_epoch_1.json": sample("a"),
        "samples/b_epoch_1.json": b'{"id": "b", "messages": [',
        "samples/c_epoch_1.json": encoded({"id": "c", "messages": [{"role": "boss"}]}),
        "samples/d_epoch_1/sample.json": b"{}",
        "samples/e_epoch_1.json": sample("e"),
        "header.json": b"\xff",
    }
    path = write_zip(tmp_path / "log.eval", members, method=method)
    raw = bytearray(path.read_bytes())
    raw[70] ^= 0xFF
    path.write_bytes(raw)
    records = list(read_path(path))
    unread = [record.source.sample for record in records if isinstance(record, Unread)]
    assert unread == [
        "header.json",
        "samples/a_epoch_1.json",
        "samples/b_epoch_1.json",
        "samples/c_epoch_1.json",
        "samples/d_epoch_1/sample.json",
    ]
    assert [record.id for record in records][-1] == "e#1"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({"header.json": encoded(HEADER)}, "no samples", id="a log without samples"),
        pytest.param({"word/document.xml": b"<w/>"}, "not one of Inspect's", id="another archive"),
        pytest.param({}, "not one of Inspect's", id="an empty archive"),
    ],
)
def test_an_archive_without_samples_is_unread(
    tmp_path: Path, members: dict[str, bytes], message: str
) -> None:
    (record,) = read_path(write_zip(tmp_path / "log.eval", members, method=8))
    assert isinstance(record, Unread)
    assert message in str(record.error)


def test_a_truncated_archive_is_unread(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "log.eval", {"samples/a_epoch_1.json": sample("a")}, method=8)
    path.write_bytes(path.read_bytes()[:-30])
    (record,) = read_path(path)
    assert isinstance(record, Unread)


def test_an_archive_is_no_other_format(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "log.eval", {"samples/a_epoch_1.json": sample("a")}, method=8)
    (record,) = read_path(path, format="native")
    assert isinstance(record, Unread)
    assert "only inspect_log reads" in str(record.error)


@pytest.fixture(scope="module")
def inspect_log_module() -> ModuleType:
    """`inspect_ai.log`, whose imports may warn of deprecations that are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        module = pytest.importorskip(
            "inspect_ai.log", reason="the extra `inspect` is not installed"
        )
    assert isinstance(module, ModuleType)
    return module


def inspect_messages() -> list[Any]:  # messages of four classes of inspect_ai
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageTool,
        ChatMessageUser,
        ContentImage,
        ContentReasoning,
        ContentText,
    )
    from inspect_ai.tool import ToolCall

    call = ToolCall(id="c1", function="send_email", arguments={"to": "kyle", "body": "x" * 300})
    return [
        ChatMessageSystem(content="You are Alex."),
        ChatMessageUser(
            content=[ContentText(text="Look"), ContentImage(image="data:image/png;base64,AAAA")]
        ),
        ChatMessageAssistant(content="Sure:", metadata={"prefill": True}),
        ChatMessageAssistant(
            content=[ContentReasoning(reasoning="Hm. " * 100), ContentText(text="On it.")],
            tool_calls=[call],
        ),
        ChatMessageTool(content="sent", tool_call_id="c1", function="send_email"),
        ChatMessageAssistant(
            content=[
                ContentReasoning(reasoning="gAAA", redacted=True, summary="I thought."),
                ContentText(text="Done."),
            ]
        ),
        ChatMessageAssistant(content=[ContentReasoning(reasoning="gAAA", redacted=True)]),
    ]


def inspect_eval_log(module: ModuleType) -> Any:  # an EvalLog of inspect_ai
    from inspect_ai.scorer import Score

    samples = [
        module.EvalSample(
            id=7,
            epoch=epoch,
            input="Look",
            target="x",
            messages=inspect_messages(),
            scores={"match": Score(value=float("nan"))},
        )
        for epoch in (1, 2)
    ]
    spec = module.EvalSpec(
        created="2026-11-01T00:00:00+00:00",
        task="demo",
        model="mockllm/model",
        dataset=module.EvalDataset(),
        config=module.EvalConfig(),
    )
    return module.EvalLog(eval=spec, status="success", samples=samples)


def oracle(message: Any) -> tuple[str | None, str, str, list[tuple[str, object]]]:
    """What inspect_ai's own reader says of a message of inspect_ai's."""
    parts = message.content_list
    thoughts = [part for part in parts if part.type == "reasoning"]
    return (
        message.id,
        "\n\n".join(part.text for part in parts if part.type == "text"),
        "\n\n".join((t.summary or "") if t.redacted else t.reasoning for t in thoughts),
        [(call.function, call.arguments) for call in getattr(message, "tool_calls", None) or []],
    )


def ours(message: Message) -> tuple[str | None, str, str, list[tuple[str, object]]]:
    calls: list[tuple[str, object]] = [(call.name, call.arguments) for call in message.tool_calls]
    return message.id, message.content, message.reasoning, calls


@pytest.mark.parametrize("format", ["eval", "json"])
def test_logs_that_inspect_writes_are_read_as_inspect_reads_them(
    tmp_path: Path, format: str, inspect_log_module: ModuleType
) -> None:
    path = tmp_path / f"log.{format}"
    inspect_log_module.write_eval_log(
        inspect_eval_log(inspect_log_module), str(path), format=format
    )
    transcripts = read(path)
    assert [transcript.id for transcript in transcripts] == ["7#1", "7#2"]
    read_back = inspect_log_module.read_eval_log(str(path), resolve_attachments=True)
    for transcript, expected in zip(transcripts, read_back.samples, strict=True):
        assert [ours(message) for message in transcript.messages] == [
            oracle(message) for message in expected.messages
        ]
        assert transcript.metadata["model"] == read_back.eval.model
        assert transcript.metadata["scores"]["match"]["value"] == "NaN"


@pytest.mark.parametrize("format", ["eval", "json"])
def test_authors_and_channels_of_a_log_that_inspect_writes(
    tmp_path: Path, format: str, inspect_log_module: ModuleType
) -> None:
    path = tmp_path / f"log.{format}"
    inspect_log_module.write_eval_log(
        inspect_eval_log(inspect_log_module), str(path), format=format
    )
    transcript, _ = read(path)
    arguments = {"to": "kyle", "body": "x" * 300}
    assert all_said(transcript) == [
        Said("system", "operator", "You are Alex."),
        Said("user", "human", "Look", dropped=(("image", 1),)),
        Said("assistant", "operator", "Sure:"),
        Said("assistant", "agent", "On it.", "Hm. " * 100, "full", (("send_email", arguments),)),
        Said("tool", "environment", "sent", name="send_email"),
        Said("assistant", "agent", "Done.", "I thought.", "summary"),
        Said("assistant", "agent", kind="redacted", dropped=(("reasoning", 1),)),
    ]
