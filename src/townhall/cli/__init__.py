"""The command line: `townhall serve | line | number | trunk | status | call | bench`.

Each command is a module; what it needs is imported when it runs, so that help is there at once. What went
wrong as it may go wrong is one line on stderr: exit status 2 when the command or a setting was wrong, 1
when it failed.

It leaves out every rule: settings, stored things, phones and the server are other rooms' business.
"""

import logging
import sys
from typing import Annotated

import typer

from townhall import __version__
from townhall.cli import calling, lines, measuring, numbers, serving, status, trunks
from townhall.cli.printing import complain
from townhall.errors import TownhallError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Moderated voice conferences that you host yourself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serving.serve)
app.add_typer(lines.app, name="line")
app.add_typer(numbers.app, name="number")
app.add_typer(trunks.app, name="trunk")
app.command("status")(status.status)
app.command("call")(calling.call)
app.command("bench")(measuring.bench)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"townhall {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say which version this is."),
    ] = False,
) -> None:
    # Only `serve` keeps a log; elsewhere an error is told once, by the command itself.
    logging.getLogger().addHandler(logging.NullHandler())


def main() -> None:
    """The `townhall` program."""
    try:
        app()
    except TownhallError as error:
        from townhall.settings import SettingsError

        complain(str(error))
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        sys.exit(1)
