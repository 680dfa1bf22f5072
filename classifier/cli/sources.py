"""Turn the sources a user names into transcripts and errors, one at a time."""

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from classifier.errors import SourceError
from classifier.formats.reading import Unread, read_path
from classifier.transcript import Source, Transcript

READABLE = (".eval", ".json", ".jsonl", ".ndjson", ".txt", ".md")
"""Suffixes that are read when a folder is given; `.gz` and `.zst` may follow."""


def _is_readable(path: Path) -> bool:
    suffixes = [suffix for suffix in path.suffixes if suffix not in (".gz", ".zst")]
    return bool(suffixes) and suffixes[-1] in READABLE


def find_files(sources: Iterable[str]) -> list[Path]:
    """Files behind the sources, each once, in order.

    Args:
        sources: Files, folders (searched below, by suffix) and glob patterns.

    Raises:
        SourceError: If one names nothing.
    """
    found: dict[Path, None] = {}
    for source in sources:
        path = Path(source)
        if path.is_dir():
            matches = sorted(p for p in path.rglob("*") if p.is_file() and _is_readable(p))
        elif path.exists():
            matches = [path]
        else:
            matches = sorted(Path(name) for name in glob.glob(source, recursive=True))  # noqa: PTH207  # absolute patterns too
            matches = [match for match in matches if match.is_file()]
        if not matches:
            suffixes = " ".join(READABLE)
            raise SourceError(source, f"no such file, and no readable file below it ({suffixes})")
        found.update(dict.fromkeys(matches))
    return list(found)


def read_files(paths: Iterable[Path], *, format: str | None) -> Iterator[Transcript | Unread]:
    """Transcripts of files, in order; what cannot be read comes as `Unread`, whole files too."""
    for path in paths:
        try:
            yield from read_path(path, format=format)
        except SourceError as error:
            yield Unread(str(path), Source(format="unknown", path=str(path)), error)
