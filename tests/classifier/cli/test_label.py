"""`tbc label`, `explain` and `formats`, run as a person runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classifier.cli.main import main
from tests.build import said


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from classifier.cli.main import main; main()", *arguments]
    environment = {**os.environ, "COLUMNS": "160"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=environment
    )


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    good = {"id": "good", "messages": [said("Published.")], "score": 1}
    empty = {"id": "empty", "messages": [{"role": "user", "content": "hi"}]}
    lines = [json.dumps(good), "{broken", json.dumps(empty)]
    (folder / "runs.jsonl").write_text("\n".join(lines))
    (folder / "notes.csv").write_text("not a log")
    return folder


def test_every_transcript_gets_a_row_and_a_bad_one_an_error(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "verdicts.jsonl"
    done = run("label", str(logs), "--out", str(out))
    assert done.returncode == 0, done.stderr
    good, broken, empty = rows_of(out)
    assert (good["id"], set(good["labels"])) == (
        "good",
        {"blackmail", "coercion", "leaking", "self_preservation"},
    )
    assert set(good["labels"]["blackmail"]) == {"reasoning", "action", "stage", "evidence"}
    assert good["source"]["format"] == "native"
    assert broken["error"]["type"] == "MalformedTranscriptError"
    assert "line 2" in broken["error"]["message"]
    assert empty["error"]["type"] == "EmptyTranscriptError"
    assert "2 with errors" in done.stderr
    assert not list(out.parent.glob("*.tmp"))


def test_without_out_the_rows_go_to_stdout(logs: Path) -> None:
    done = run("label", str(logs))
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["label", "{logs}", "--fail-on-error"], 1, "2 with errors", id="errors"),
        pytest.param(["label"], 2, "Missing argument", id="no source"),
        pytest.param(
            ["label", "{logs}", "--thresholds", "x"], 2, "must be one of", id="thresholds"
        ),
        pytest.param(
            ["label", "nowhere.jsonl"], 3, "no such file", id="a source that is not there"
        ),
        pytest.param(["label", "{logs}", "--bundle", "{logs}"], 4, "bundle.json", id="no bundle"),
        pytest.param(["explain", "{logs}"], 2, "--id", id="several transcripts"),
    ],
)
def test_exit_codes(logs: Path, arguments: list[str], code: int, message: str) -> None:
    done = run(*(argument.format(logs=logs) for argument in arguments))
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def test_a_table_for_people(logs: Path) -> None:
    done = run("label", str(logs), "--table")
    assert "good" in done.stdout
    assert "EmptyTranscriptError" in done.stdout


def test_explain_shows_the_transcript_and_steers_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    hostile = "\x1b[2Jcleared \x1b]0;title\x07 [bold]not markup[/bold]"
    path.write_text(json.dumps({"id": "x", "messages": [said(hostile)]}))
    done = run("explain", str(path))
    assert done.returncode == 0, done.stderr
    assert "[bold]not markup[/bold]" in done.stdout
    assert "\x1b[2J" not in done.stdout
    assert "\x07" not in done.stdout


def test_formats_are_listed() -> None:
    done = run("formats")
    for name in ("native", "openai_chat", "anthropic", "inspect", "agentic_misalignment", "plain"):
        assert name in done.stdout


def test_the_help_names_the_exit_codes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["tbc", "--help"])
    main()
    assert "Exit codes" in capsys.readouterr().out
