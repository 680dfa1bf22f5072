"""`tbc formats`: the log formats that are read."""

import click
from rich.console import Console
from rich.table import Table

from classifier.formats import FORMATS


@click.command()
def formats() -> None:
    """List the log formats, in the order in which they are tried."""
    table = Table(header_style="bold")
    table.add_column("--format")
    table.add_column("what it is")
    for module in FORMATS:
        table.add_row(module.NAME, module.TITLE)
    Console().print(table)
