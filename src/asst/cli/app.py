"""The ``asst`` command: its verbs, and what becomes of an error, an interrupt or a closed pipe.

Exit codes: 0, something was found; 1, nothing was found; 2, bad input, or output that cannot be written; 130,
interrupted; 141, the reader of standard output went away. The last two are what a shell reports for a program ended by
those signals.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from asst._version import __version__
from asst.atomic import is_refusal, write_error
from asst.cli.asking import demo, locate, search
from asst.cli.audit import audit
from asst.cli.detect import detect
from asst.cli.evaluate import evaluate
from asst.cli.features import app as features
from asst.cli.features import simulate
from asst.cli.library import app as library
from asst.cli.library import index
from asst.cli.models import app as models
from asst.cli.options import Verb, expanded
from asst.cli.serve import serve
from asst.cli.shots import shots
from asst.cli.streams import OutputError, drop_output, take_streams
from asst.cli.systems import WeightsCommand, compare, fuse
from asst.cli.tables import tables
from asst.cli.train import export, recipes, train
from asst.errors import InputError
from asst.extras import lacking
from asst.outputs.printable import printable

_PARTLY_FAILED, _BAD_INPUT, _INTERRUPTED, _PIPE_CLOSED = 1, 2, 130, 141


class _Verbs(TyperGroup):
    """Runs a verb; the errors that a person can cause become one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OutputError:
            raise
        except (InputError, ModuleNotFoundError, KeyboardInterrupt, OSError) as error:
            told = _told(error, f"asst {ctx.invoked_subcommand}")
            if told is None:
                raise
            _say(told)
            raise typer.Exit(_INTERRUPTED if isinstance(error, KeyboardInterrupt) else _BAD_INPUT) from error


def _told(error: BaseException, what: str) -> str | None:
    """What to say of an error; None of one that no person caused."""
    if isinstance(error, ModuleNotFoundError):
        return None if (missing := lacking(error, what)) is None else str(missing)
    if isinstance(error, OSError):
        return str(write_error(error.filename or "the output", error)) if is_refusal(error) else None
    return "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)


app = typer.Typer(
    cls=_Verbs,
    name="asst",
    help="Find the moment in a video that an English sentence describes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
_VERBS: list[Callable[..., None]] = [
    *(locate, detect, shots, demo, index, search, serve, recipes, train, export, simulate, evaluate, compare, fuse),
    *(tables, audit),
]
for _verb in _VERBS:
    app.command(cls=WeightsCommand if _verb is fuse else Verb)(expanded(_verb))
for _verbs in (features, library, models):
    app.add_typer(_verbs)


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
