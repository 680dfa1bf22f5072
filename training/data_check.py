"""Verify `labeled_data/` and print the tables of its datasheet.

    python -m training.data_check labeled_data

Checks the schema, the guide's implications, that every quote stands in its message, that ids are
unique, that no group lies in two splits, that no text is nearly another's, and the manifest. Fails
with every fault named.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from datasketch import MinHash, MinHashLSH
from sklearn.metrics import cohen_kappa_score

from classifier.bundle import sha256_of
from classifier.labels import DEFAULT_TAXONOMY, Question
from classifier.rendering import render
from training.labeled import SPLITS, LabeledTranscript, agent_text, find_quote, read_labeled

SIMILARITY: Final = 0.6
"""Jaccard similarity of five-word shingles from which two texts count as near-duplicates."""

PERMUTATIONS: Final = 64
SHORT_WORDS, LONG_WORDS = 250, 900
WAITING: Final = "unreviewed"
"""Folder of rows that nobody has read a second time: checked like the others, not trained on."""

TABLES_BEGIN: Final = "<!-- tables: begin -->"
TABLES_END: Final = "<!-- tables: end -->"


@dataclass(frozen=True, slots=True)
class Member:
    """A row with its split and what is derived from it."""

    split: str
    row: LabeledTranscript
    text: str

    @property
    def words(self) -> int:
        """Words of the agent's."""
        return len(self.text.split())

    @property
    def is_positive(self) -> bool:
        """Whether any label is at least considered."""
        return any(answers.reasoning for answers in self.row.labels.values())


def load(data: Path) -> list[Member]:
    """All rows of all splits, and those that wait for a second reading."""
    return [
        Member(split, row, agent_text(row.transcript()))
        for split in (*SPLITS, WAITING)
        for row in read_labeled(data / split)
    ]


def quote_faults(members: Sequence[Member]) -> list[str]:
    """Quotes that do not stand where they are said to, and positives without a quote."""
    faults = []
    for member in members:
        parts = [part for part in render(member.row.transcript()) if part.is_scored]
        faults += [
            f"{member.row.id}: quote {number} is not in message {quote.message_index}"
            for number, quote in enumerate(member.row.evidence)
            if find_quote(parts, quote) is None
        ]
        shown = {quote.label for quote in member.row.evidence}
        faults += [
            f"{member.row.id}: no evidence for {name}"
            for name, answers in member.row.labels.items()
            if answers.reasoning and name not in shown
        ]
    return faults


def split_faults(members: Sequence[Member]) -> list[str]:
    """Ids that repeat, groups that lie in two splits."""
    ids = Counter(member.row.id for member in members)
    faults = [f"{name}: id stands {count} times" for name, count in ids.items() if count > 1]
    splits = defaultdict(set)
    for member in members:
        splits[member.row.group].add(member.split)
    return faults + [
        f"group {group} lies in {sorted(found)}"
        for group, found in sorted(splits.items())
        if len(found) > 1
    ]


def near_duplicates(members: Sequence[Member]) -> list[tuple[str, str]]:
    """Pairs of transcripts whose agent's words are nearly the same; MinHash, Broder (1997)."""
    index = MinHashLSH(threshold=SIMILARITY, num_perm=PERMUTATIONS)
    pairs = []
    for member in members:
        words = member.text.lower().split()
        sketch = MinHash(num_perm=PERMUTATIONS)
        shingles = [" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))]
        sketch.update_batch([shingle.encode() for shingle in shingles])
        pairs += [(other, member.row.id) for other in index.query(sketch)]
        index.insert(member.row.id, sketch, check_duplication=False)
    return pairs


def manifest_of(data: Path) -> dict[str, str]:
    """sha256 of every data file."""
    folders = (data / name for name in (*SPLITS, WAITING))
    files = (path for folder in folders for path in sorted(folder.rglob("*.jsonl")))
    return {str(path.relative_to(data)): sha256_of(path) for path in files}


def manifest_faults(data: Path) -> list[str]:
    """Files that are not the ones the manifest lists."""
    path = data / "manifest.json"
    if not path.exists():
        return [f"{path} is missing; write it with --write"]
    listed = json.loads(path.read_text(encoding="utf-8"))["files"]
    actual = manifest_of(data)
    return [
        f"{name}: not as listed in manifest.json; write it anew with --write"
        for name in sorted(set(listed) | set(actual))
        if listed.get(name) != actual.get(name)
    ]


def schema_faults(data: Path) -> list[str]:
    """Whether `schema.json` is the one that the code generates."""
    path = data / "schema.json"
    current = path.read_text(encoding="utf-8") if path.exists() else ""
    return [] if current == schema_text() else [f"{path} is not current; write it with --write"]


def schema_text() -> str:
    """JSON Schema of a row."""
    return json.dumps(LabeledTranscript.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _share(count: int, total: int) -> str:
    return f"{count} ({count / total:.0%})" if total else "0"


def _table(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *([str(cell) for cell in line] for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _counts(members: Sequence[Member], key: str) -> str:
    counts = Counter(str(getattr(member.row, key)) for member in members)
    positive = Counter(str(getattr(m.row, key)) for m in members if m.is_positive)
    lines = [(name, count, _share(positive[name], count)) for name, count in counts.most_common()]
    return _table((key, "transcripts", "with any label"), lines)


def tables(everyone: Sequence[Member]) -> str:
    """The datasheet's tables, as Markdown; of the splits alone but for the last line."""
    members = [member for member in everyone if member.split != WAITING]
    waiting = [member for member in everyone if member.split == WAITING]
    total = len(members)
    by_split = [
        (
            split,
            len(chosen),
            len({m.row.group for m in chosen}),
            len({m.row.domain for m in chosen}),
            _share(sum(not m.is_positive for m in chosen), len(chosen)),
        )
        for split in SPLITS
        if (chosen := [m for m in members if m.split == split])
    ]
    labels = []
    for name in DEFAULT_TAXONOMY.names:
        acted = sum(m.row.labels[name].action for m in members if name in m.row.labels)
        both = sum(m.row.labels[name].reasoning for m in members if name in m.row.labels)
        labels.append((name, both - acted, acted, _share(both, total)))
    positives = [m for m in members if m.is_positive]
    considered = sum(not any(a.action for a in m.row.labels.values()) for m in positives)
    lengths = [
        (
            name,
            _share(sum(t for t in test), total),
            _share(sum(t and m.is_positive for t, m in zip(test, members, strict=True)), sum(test)),
        )
        for name, test in (
            ("short, under 250 words", [m.words < SHORT_WORDS for m in members]),
            ("medium", [SHORT_WORDS <= m.words < LONG_WORDS for m in members]),
            ("long, 900 words and more", [m.words >= LONG_WORDS for m in members]),
        )
    ]
    sections = [
        _table(("split", "transcripts", "groups", "domains", "all clear"), by_split),
        _table(("label", "considered", "acted", "positive"), labels),
        f"Considered only: {_share(considered, len(positives))} of the transcripts with any label.",
        _table(("length of the agent's text", "transcripts", "with any label"), lengths),
        *(_counts(members, key) for key in ("domain", "language", "format", "hard_case")),
        f"Waiting for a second reading in `{WAITING}/`: {len(waiting)} transcripts in "
        f"{len({member.row.group for member in waiting})} groups, in none of the tables above.",
    ]
    return "\n\n".join(sections)


def agreement(data: Path, members: Sequence[Member]) -> str:
    """Kappa of the second, blind reader against the first, by label and question, as Markdown."""
    path = data / "second_reader.jsonl"
    if not path.exists():
        return "No second reading yet."
    second = {
        row["id"]: row["labels"] for row in map(json.loads, path.read_text("utf-8").splitlines())
    }
    first_path = data / "first_reader.jsonl"
    first = {
        row["id"]: row["labels"]
        for row in map(json.loads, first_path.read_text("utf-8").splitlines())
    }
    read = [m.row.id for m in members if m.row.id in second and m.row.id in first]
    lines = []
    for name in DEFAULT_TAXONOMY.names:
        for question in Question:
            ours = [first[i][name][question] for i in read]
            theirs = [second[i][name][question] for i in read]
            same = sum(a == b for a, b in zip(ours, theirs, strict=True))
            kappa = cohen_kappa_score(ours, theirs)
            lines.append((name, question, f"{kappa:.3f}", _share(same, len(read))))
    head = ("label", "question", f"kappa, n = {len(read)}", "same answer")
    return _table(head, lines)


def check(data: Path, members: Sequence[Member]) -> list[str]:
    """Every fault found."""
    pairs = near_duplicates(members)
    return [
        *split_faults(members),
        *quote_faults(members),
        *(f"{one} and {other} are near-duplicates" for one, other in pairs),
        *schema_faults(data),
        *manifest_faults(data),
        *readme_faults(data, members),
    ]


def readme_with_tables(data: Path, members: Sequence[Member]) -> str:
    """The datasheet with the tables between its two markers made anew."""
    text = (data / "README.md").read_text(encoding="utf-8")
    before, rest = text.split(TABLES_BEGIN, 1)
    after = rest.split(TABLES_END, 1)[1]
    made = f"{tables(members)}\n\n### Agreement\n\n{agreement(data, members)}"
    return f"{before}{TABLES_BEGIN}\n{made}\n{TABLES_END}{after}"


def readme_faults(data: Path, members: Sequence[Member]) -> list[str]:
    """Whether the datasheet's tables are those of the data."""
    path = data / "README.md"
    if not path.exists():
        return []
    current = path.read_text(encoding="utf-8")
    stale = current != readme_with_tables(data, members)
    return [f"{path}: tables are not current; write them with --write"] if stale else []


def write_derived(data: Path) -> None:
    """Write `schema.json`, `manifest.json` and the datasheet's tables."""
    readme = data / "README.md"
    if readme.exists():
        readme.write_text(readme_with_tables(data, load(data)), encoding="utf-8")
    (data / "schema.json").write_text(schema_text(), encoding="utf-8")
    listed = json.dumps({"files": manifest_of(data)}, indent=1) + "\n"
    (data / "manifest.json").write_text(listed, encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Verify the labelled data.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--quiet", action="store_true", help="faults only")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write schema.json, manifest.json and the datasheet's tables",
    )
    arguments = parser.parse_args()
    if arguments.write:
        write_derived(arguments.data)
    try:
        members = load(arguments.data)
    except ValueError as error:
        sys.exit(str(error))
    faults = check(arguments.data, members)
    if not arguments.quiet:
        print(tables(members), agreement(arguments.data, members), sep="\n\n")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(members)} transcripts, {len(faults)} faults", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
