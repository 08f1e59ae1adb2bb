"""The ``asst`` command: its verbs, and what becomes of an error, an interrupt or a closed pipe.

Exit codes: 0, something was found; 1, nothing was found; 2, bad input, or output that cannot be written; 130,
interrupted; 141, the reader of standard output went away. The last two are what a shell reports for a program ended by
those signals.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from asst._version import __version__
from asst.cli.audit import audit
from asst.cli.demo import demo
from asst.cli.detect import detect
from asst.cli.evaluate import evaluate
from asst.cli.features import app as features
from asst.cli.fuse import WeightsCommand, fuse
from asst.cli.index import index
from asst.cli.library import app as library
from asst.cli.locate import locate
from asst.cli.models import models
from asst.cli.search import search
from asst.cli.serve import serve
from asst.cli.simulate import simulate
from asst.cli.streams import OutputError, drop_output, take_streams
from asst.cli.tables import tables
from asst.cli.train import train
from asst.errors import InputError
from asst.outputs.printable import printable

_PARTLY_FAILED, _BAD_INPUT, _INTERRUPTED, _PIPE_CLOSED = 1, 2, 130, 141


class _Verbs(TyperGroup):
    """Runs a verb; the errors that a person can cause become one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OutputError:
            raise
        except InputError as error:
            _say(str(error))
            raise typer.Exit(_BAD_INPUT) from error
        except KeyboardInterrupt as interrupt:
            _say("interrupted")
            raise typer.Exit(_INTERRUPTED) from interrupt


app = typer.Typer(
    cls=_Verbs,
    name="asst",
    help="Find the moment in a video that an English sentence describes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(locate)
app.command()(detect)
app.command()(demo)
app.command()(models)
app.command()(index)
app.command()(search)
app.command()(serve)
app.command()(train)
app.command()(simulate)
app.command()(evaluate)
app.command(cls=WeightsCommand)(fuse)
app.command()(tables)
app.command()(audit)
app.add_typer(features)
app.add_typer(library)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"asst {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Find the moment in a video that an English sentence describes."""


def run() -> None:
    """Run the command on the process's arguments, flush its output and exit."""
    messages = take_streams()
    code = _code()
    if messages.lost and code in (0, _PARTLY_FAILED):
        code = _BAD_INPUT
    sys.exit(code)


def _code() -> int:
    """Runs the command; the code to exit with."""
    try:
        try:
            app(prog_name="asst")
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except OutputError as error:
        drop_output()
        if error.reader_gone:
            return _PIPE_CLOSED
        _say(str(error))
        return _BAD_INPUT
    return 0


def _say(message: str) -> None:
    print(f"asst: {printable(message)}", file=sys.stderr)  # noqa: T201
