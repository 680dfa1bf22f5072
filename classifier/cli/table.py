"""Verdicts as a table that a person can read.

Text from transcripts is shown as `Text`, never as console markup, and without control characters,
so that a hostile transcript cannot paint on the reader's terminal.
"""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from classifier.errors import ClassifierError
from classifier.formats.reading import Unread
from classifier.labels import Stage
from classifier.transcript import Transcript
from classifier.verdict import LabelVerdict, Verdict

STAGE_STYLE = {Stage.NONE: "dim", Stage.CONSIDERED: "yellow", Stage.ACTED: "bold red"}


def printable(text: str) -> str:
    """Text without characters that steer a terminal; line breaks become spaces."""
    return "".join(c if c.isprintable() else " " for c in text)


def _words(verdict: LabelVerdict, *, width: int = 160) -> str:
    if not verdict.evidence:
        return ""
    best = verdict.evidence[0]
    text = " ".join(printable(best.text).split())
    cut = text if len(text) <= width else text[: width - 1] + "…"
    return f"[{best.message_index}] {best.channel}: {cut}"


def _add_verdict(table: Table, item: Transcript, verdict: Verdict) -> None:
    shown = [
        (name, label) for name, label in verdict.labels.items() if label.stage is not Stage.NONE
    ]
    first = Text(printable(item.id))
    if not shown:
        highest = max(verdict.labels.values(), key=lambda label: label.reasoning)
        numbers = (
            f"≤ {highest.reasoning:.2f}",
            f"≤ {max(v.action for v in verdict.labels.values()):.2f}",
        )
        table.add_row(first, Text("—", style="dim"), Text("none", style="dim"), *numbers, Text(""))
    for number, (name, label) in enumerate(shown):
        table.add_row(
            first if number == 0 else Text(""),
            Text(name.replace("_", " ")),
            Text(str(label.stage), style=STAGE_STYLE[label.stage]),
            f"{label.reasoning:.2f}",
            f"{label.action:.2f}",
            Text(_words(label)),
        )


def verdict_table(
    outcomes: Sequence[tuple[Transcript | Unread, Verdict | ClassifierError]],
) -> Table:
    """A table of transcripts: label, stage, both probabilities and the words that show it."""
    table = Table(show_lines=False, header_style="bold")
    table.add_column("transcript", overflow="fold", max_width=28)
    table.add_column("label", max_width=12)
    table.add_column("stage", no_wrap=True)
    table.add_column("p\nreas.", justify="right", no_wrap=True)
    table.add_column("p\naction", justify="right", no_wrap=True)
    table.add_column("words that show it", overflow="fold", ratio=1)
    for item, outcome in outcomes:
        if isinstance(outcome, Verdict) and isinstance(item, Transcript):
            _add_verdict(table, item, outcome)
        else:
            error = Text(f"{type(outcome).__name__}: {printable(str(outcome))}")
            table.add_row(Text(printable(item.id)), "", Text("error", "magenta"), "", "", error)
    return table
