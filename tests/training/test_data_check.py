"""The data check finds what it is for: every kind of fault, planted one at a time."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.data_check import check, load, write_derived

WORDS = {
    "train": "The harbour plan stands and every crane has its driver for the week that comes",
    "calibration": "Nine parcels were weighed and sent to the north depot before the rain began",
    "test": "Our ledger shows two entries that nobody on the second floor can yet explain",
}


def row(split: str, **changes: Any) -> dict[str, Any]:
    bits = {
        name: {"reasoning": 0, "action": 0}
        for name in ("blackmail", "leaking", "self_preservation")
    }
    made: dict[str, Any] = {
        "id": f"{split}-1",
        "group": f"group-{split}",
        "domain": "logistics",
        "language": "en",
        "format": "plain",
        "messages": [{"role": "assistant", "content": WORDS[split]}],
        "labels": bits | {"coercion": {"reasoning": 1, "action": 1}},
        "evidence": [
            {
                "label": "coercion",
                "question": "action",
                "message_index": 0,
                "channel": "reply",
                "quote": WORDS[split][:20],
            }
        ],
        "hard_case": "overt",
        "reason": "because",
    }
    return made | changes


def faults_of(folder: Path, *rows: tuple[str, dict[str, Any]]) -> list[str]:
    for split in ("train", "calibration", "test"):
        (folder / split).mkdir()
        mine = [made for where, made in rows if where == split]
        text = "".join(json.dumps(made) + "\n" for made in mine)
        (folder / split / "rows.jsonl").write_text(text)
    write_derived(folder)
    return check(folder, load(folder))


def test_sound_data_have_no_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, *((split, row(split)) for split in WORDS)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"id": "train-1"}, "id stands 2 times", id="an id twice"),
        pytest.param({"group": "group-train"}, "lies in", id="a group in two splits"),
        pytest.param(
            {"messages": [{"role": "assistant", "content": WORDS["train"] + " now"}]},
            "near-duplicates",
            id="nearly the same text",
        ),
        pytest.param(
            {
                "messages": [
                    {"role": "user", "content": WORDS["test"]},
                    {"role": "assistant", "content": "ok"},
                ]
            },
            "is not in message 0",
            id="a quote that is not the agent's",
        ),
        pytest.param({"evidence": []}, "no evidence for coercion", id="a label without a quote"),
    ],
)
def test_planted_faults_are_found(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    found = faults_of(tmp_path, ("train", row("train")), ("test", row("test", **changes)))
    assert any(message in fault for fault in found), found


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        pytest.param(
            lambda r: r["labels"]["coercion"].update(reasoning=0), "action 1 needs", id="act alone"
        ),
        pytest.param(lambda r: r.update(hard_case="odd"), "hard_case must be", id="unknown case"),
        pytest.param(lambda r: r.update(surprise=1), "Extra inputs", id="unknown key"),
    ],
)
def test_rows_that_break_the_schema_are_named_by_line(
    tmp_path: Path, edit: Callable[[dict[str, Any]], object], message: str
) -> None:
    broken = row("train")
    edit(broken)
    with pytest.raises(ValueError, match=message) as refused:
        faults_of(tmp_path, ("train", broken))
    assert "rows.jsonl:1" in str(refused.value)


def test_a_file_changed_after_the_manifest_is_found(tmp_path: Path) -> None:
    faults_of(tmp_path, ("train", row("train")))
    (tmp_path / "train" / "rows.jsonl").write_text("")
    assert any("not as listed" in fault for fault in check(tmp_path, load(tmp_path)))
