"""`tbc label`: one row for each transcript of the sources.

No transcript is lost: one that cannot be judged is a row with an `error`. The output appears under
its name only when it is whole.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typing_extensions import override

from classifier.cli.sources import find_files, read_files
from classifier.cli.table import verdict_table
from classifier.errors import ClassifierError
from classifier.formats.reading import Unread
from classifier.pipeline import TranscriptClassifier
from classifier.transcript import Source, Transcript
from classifier.verdict import Verdict


@dataclass(slots=True)
class Tally:
    """What has been done so far."""

    rows: int = 0
    errors: int = 0
    flagged: int = 0
    windows: int = 0
    started: float = field(default_factory=time.monotonic)

    def add(self, outcome: Verdict | ClassifierError) -> None:
        """Count a row."""
        self.rows += 1
        if isinstance(outcome, Verdict):
            self.flagged += outcome.is_flagged
            self.windows += outcome.coverage.windows
        else:
            self.errors += 1

    @override
    def __str__(self) -> str:
        seconds = time.monotonic() - self.started
        return (
            f"labelled {self.rows - self.errors} transcripts ({self.windows:,} windows) in "
            f"{seconds:.1f} s, {self.flagged} flagged, {self.errors} with errors"
        )


def error_body(error: ClassifierError) -> dict[str, str]:
    """An error as it stands in a row."""
    return {"type": type(error).__name__, "message": str(error)}


def source_place(source: Source) -> dict[str, Any]:
    """Where a transcript came from, as it stands in a row."""
    return source.model_dump(exclude_none=True)


def _in_groups(
    items: Iterator[Transcript | Unread], size: int
) -> Iterator[list[Transcript | Unread]]:
    group: list[Transcript | Unread] = []
    for item in items:
        group.append(item)
        if len(group) >= size:
            yield group
            group = []
    if group:
        yield group


def label_all(
    classifier: TranscriptClassifier, items: Iterator[Transcript | Unread], *, at_once: int = 32
) -> Iterator[tuple[Transcript | Unread, Verdict | ClassifierError]]:
    """Judge a stream; each item comes back once, in order, with its verdict or error."""
    for group in _in_groups(items, at_once):
        ready = [item for item in group if isinstance(item, Transcript)]
        verdicts = classifier.classify_many(ready)
        for item in group:
            yield item, item.error if isinstance(item, Unread) else next(verdicts)


def row_of(item: Transcript | Unread, outcome: Verdict | ClassifierError) -> dict[str, Any]:
    """The output row of one transcript."""
    head = {"id": item.id, "source": source_place(item.source)}
    if isinstance(outcome, Verdict):
        return head | outcome.model_dump(mode="json", exclude={"id"})
    return head | {"error": error_body(outcome)}


@contextmanager
def _output(out: Path | None) -> Iterator[IO[str]]:
    """The file under a temporary name that becomes the real one when all went well."""
    if out is None:
        yield sys.stdout
        return
    temporary = out.with_name(out.name + ".tmp")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            yield file
        temporary.replace(out)
    except OSError as error:
        raise click.ClickException(f"cannot write {out}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _progress() -> Progress:
    columns = (TextColumn("labelling"), BarColumn(), MofNCompleteColumn(), TextColumn("files"))
    status = TextColumn("{task.fields[status]}")
    return Progress(*columns, status, TimeElapsedColumn(), console=Console(stderr=True))


@click.command()
@click.argument("sources", nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSONL file to write; stdout without it.",
)
@click.option(
    "--format", "format_name", help="Log format; detected without it (see `tbc formats`)."
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, file_okay=False),
    help="Model bundle; the shipped one without it.",
)
@click.option("--thresholds", help="Operating point of the bundle, e.g. balanced or strict.")
@click.option(
    "--threads", type=click.IntRange(min=1), help="Threads; all available ones without it."
)
@click.option("--table", is_flag=True, help="Print a table for people instead of JSON.")
@click.option("--fail-on-error", is_flag=True, help="Exit with 1 if any row holds an error.")
def label(
    sources: tuple[str, ...],
    out: Path | None,
    format_name: str | None,
    bundle: Path | None,
    thresholds: str | None,
    threads: int | None,
    table: bool,
    fail_on_error: bool,
) -> None:
    """Label every transcript in SOURCES: files, folders and globs, in any known format."""
    files = find_files(sources)
    try:
        classifier = TranscriptClassifier.from_bundle(
            bundle, threads=threads, thresholds=thresholds
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--thresholds") from error
    tally, shown = Tally(), []
    with _output(out) as file, _progress() as progress:
        task = progress.add_task("", total=len(files), status="")
        for path in files:
            items = read_files([path], format=format_name)
            for item, outcome in label_all(classifier, items):
                tally.add(outcome)
                if table:
                    shown.append((item, outcome))
                else:
                    file.write(json.dumps(row_of(item, outcome), ensure_ascii=False) + "\n")
                status = f"{tally.rows} rows, {tally.flagged} flagged, {tally.errors} errors"
                progress.update(task, status=status)
            progress.advance(task)
        if table:
            Console(file=file, width=None if out is None else 160).print(verdict_table(shown))
    click.echo(str(tally), err=True)
    if tally.errors:
        click.echo('errors are rows with an "error" field', err=True)
    if tally.errors and fail_on_error:
        sys.exit(1)
