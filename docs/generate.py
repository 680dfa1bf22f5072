"""Write the pages that are made from the code, or check that they are current.

    python -m docs.generate [--check]

`cli.md` from the command line's help, `configuration.md` from the settings, `openapi.json` from the
application, the label table of `labels.md` from the taxonomy.
"""

import argparse
import ast
import inspect
import itertools
import json
import sys
from pathlib import Path

import click

from classifier.cli.main import tbc
from classifier.formats import FORMATS
from classifier.labels import DEFAULT_TAXONOMY
from serving.app import create_app
from serving.settings import ServerSettings

DOCS = Path(__file__).parent
HEAD = "<!-- made by `python -m docs.generate`; do not edit -->\n"


def cli_page() -> str:
    """Help of every command."""
    blocks = [f"{HEAD}# Command line\n"]
    commands: list[tuple[str, click.Command]] = [("tbc", tbc)]
    commands += [(f"tbc {name}", command) for name, command in sorted(tbc.commands.items())]
    for name, command in commands:
        context = click.Context(command, info_name=name, max_content_width=96, terminal_width=96)
        blocks.append(f"## `{name}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(blocks)


def _field_docs() -> dict[str, str]:
    """The sentence under each setting, from the source."""
    tree = ast.parse(inspect.getsource(ServerSettings))
    body = tree.body[0].body  # type: ignore[attr-defined]  # the only node is the class
    docs = {}
    for field, sentence in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(sentence, ast.Expr):
            name, text = field.target, sentence.value
            if isinstance(name, ast.Name) and isinstance(text, ast.Constant):
                docs[name.id] = str(text.value)
    return docs


def configuration_page() -> str:
    """Table of the server's settings."""
    docs = _field_docs()
    lines = [
        f"{HEAD}# Configuration of the server\n",
        "Set as environment variables.\n",
        "| variable | default | what it does |",
        "|---|---|---|",
    ]
    for name, field in ServerSettings.model_fields.items():
        default = "unset" if field.default is None else f"`{field.default}`"
        lines.append(f"| `TBC_{name.upper()}` | {default} | {docs[name]} |")
    return "\n".join(lines) + "\n"


def formats_page() -> str:
    """Table of the log formats."""
    lines = [
        f"{HEAD}# Log formats\n",
        "Detected in this order; `--format NAME` always wins. An input that no format recognises is",
        "an error that lists what was tried.\n",
        "| name | what it is |",
        "|---|---|",
        *(f"| `{module.NAME}` | {module.TITLE} |" for module in FORMATS),
    ]
    return "\n".join(lines) + "\n"


def taxonomy_page() -> str:
    """The labels' definitions."""
    lines = [f"{HEAD}# Labels in brief\n", f"Taxonomy {DEFAULT_TAXONOMY.version}.\n"]
    for label in DEFAULT_TAXONOMY.labels:
        lines += [f"## {label.title} (`{label.name}`)\n", f"{label.definition}\n"]
        lines += [f"Not: {label.excludes}\n"]
    return "\n".join(lines)


def openapi_page() -> str:
    """The OpenAPI document."""
    schema = create_app(ServerSettings()).openapi()
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


PAGES = {
    "cli.md": cli_page,
    "configuration.md": configuration_page,
    "formats.md": formats_page,
    "taxonomy.md": taxonomy_page,
    "openapi.json": openapi_page,
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write or check the generated pages.")
    parser.add_argument("--check", action="store_true")
    stale = []
    check = parser.parse_args().check
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    if stale:
        sys.exit(f"not current: {', '.join(stale)}; run `make docs` and commit")


if __name__ == "__main__":
    main()
