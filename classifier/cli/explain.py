"""`tbc explain`: one transcript in the terminal, with the telling words marked."""

from pathlib import Path

import click
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from classifier.cli.sources import find_files, read_files
from classifier.cli.table import printable, verdict_table
from classifier.formats.reading import Unread
from classifier.labels import Stage
from classifier.marking import MarkedPart, mark_parts
from classifier.pipeline import TranscriptClassifier
from classifier.rendering import render
from classifier.transcript import Transcript
from classifier.verdict import Verdict

MAX_CONTEXT_CHARACTERS = 400
"""Of messages that are not the agent's; what is left out is counted, not hidden."""


def _readable(text: str) -> str:
    """Text without terminal control, line breaks kept."""
    return "\n".join(printable(line) for line in text.replace("\t", "    ").split("\n"))


def _marked(part: MarkedPart) -> Text:
    spans: dict[tuple[int, int], list[str]] = {}
    for mark in part.marks:
        spans.setdefault((mark.start, mark.end), []).append(mark.label)
    text = Text()
    position = 0
    for (start, end), labels in sorted(spans.items()):
        if start < position:
            continue
        text.append(_readable(part.text[position:start]))
        text.append(_readable(part.text[start:end]), style="bold white on red")
        text.append(f" ⟨{', '.join(dict.fromkeys(labels))}⟩", style="red")
        position = end
    return text.append(_readable(part.text[position:]))


def _print_transcript(console: Console, transcript: Transcript, verdict: Verdict) -> None:
    for part in mark_parts(render(transcript), verdict):
        title = f"[{part.message_index}] {part.kind}"
        if part.is_scored:
            console.print(Rule(Text(title, style="bold cyan"), align="left", style="cyan"))
            console.print(_marked(part), soft_wrap=True)
        else:
            console.print(Rule(Text(title, style="dim"), align="left", style="dim"))
            shown = _readable(part.text[:MAX_CONTEXT_CHARACTERS])
            left = len(part.text) - MAX_CONTEXT_CHARACTERS
            more = f" … ({left:,} more characters)" if left > 0 else ""
            console.print(Text(shown + more, style="dim"), soft_wrap=True)


def _print_summary(console: Console, verdict: Verdict) -> None:
    coverage = verdict.coverage
    console.print(
        f"read {coverage.agent_tokens:,} tokens of the agent's in {coverage.agent_messages} of "
        f"{coverage.messages} messages, {coverage.windows} windows; reasoning: {coverage.reasoning}"
    )
    for kind, count in coverage.dropped.items():
        console.print(Text(f"not read: {count} × {printable(kind)}", style="yellow"))
    for warning in coverage.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))
    info = verdict.model
    console.print(Text(f"{info.name} {info.revision}, thresholds {info.thresholds}", style="dim"))
    if not any(label.stage is not Stage.NONE for label in verdict.labels.values()):
        console.print("nothing found at these thresholds")


@click.command()
@click.argument("file")
@click.option("--id", "wanted", help="Which transcript of the file; needed when it holds several.")
@click.option("--format", "format_name", help="Log format; detected without it.")
@click.option("--bundle", type=click.Path(path_type=Path, file_okay=False), help="Model bundle.")
def explain(file: str, wanted: str | None, format_name: str | None, bundle: Path | None) -> None:
    """Show one transcript of FILE with the words that tell."""
    items = list(read_files(find_files([file]), format=format_name))
    chosen = [item for item in items if wanted is None or item.id == wanted]
    if len(chosen) != 1:
        names = ", ".join(printable(item.id) for item in items[:20])
        raise click.UsageError(f"name one of {len(items)} transcripts with --id: {names}")
    if isinstance(chosen[0], Unread):
        raise chosen[0].error
    verdict = TranscriptClassifier.from_bundle(bundle).classify(chosen[0])
    console = Console()
    _print_transcript(console, chosen[0], verdict)
    console.print(Rule(style="cyan"))
    console.print(verdict_table([(chosen[0], verdict)]))
    _print_summary(console, verdict)
