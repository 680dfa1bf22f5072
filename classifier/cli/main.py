"""`tbc`: the command line's entry point and its exit codes.

Data goes to stdout or the file named, progress and messages to stderr.
"""

import sys

import click

from classifier import __version__
from classifier.cli.explain import explain
from classifier.cli.formats import formats
from classifier.cli.label import label
from classifier.errors import BundleError, ClassifierError, InferenceError, SourceError

EXIT_CODES = """
Exit codes: 0 all done (rows with errors are counted on stderr); 1 some rows hold errors and
--fail-on-error was given; 2 wrong usage; 3 a source cannot be read or nothing was found; 4 the
bundle cannot be served; 5 the engine failed; 130 interrupted.
"""

# First match wins, so subclasses stand above their bases.
EXIT_CODE_OF: dict[type[ClassifierError], int] = {
    BundleError: 4,
    InferenceError: 5,
    SourceError: 3,
    ClassifierError: 3,
}


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tbc")
def tbc() -> None:
    """Label what AI agents did in their transcripts."""


tbc.add_command(label)
tbc.add_command(explain)
tbc.add_command(formats)


def main() -> None:
    """Run the command line; expected errors become a line on stderr and an exit code."""
    try:
        tbc(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; there is nobody left to tell.
        sys.stderr.close()
        sys.exit(0)
    except ClassifierError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(next(code for kind, code in EXIT_CODE_OF.items() if isinstance(error, kind)))
