"""The ``asst`` command: its verbs, and what becomes of an error, an interrupt, or output that cannot be written.

Exit codes: 0, something was found; 1, nothing was found; 2, bad input, or output that cannot be written; 130,
interrupted; 141, the reader of standard output went away. The last two are what a shell reports for a program ended by
those signals. What fails to go to standard output ends the run. What fails to go to standard error, where there is
nowhere left to say so, lets the work go on and shows in the exit code. From a closed stream nothing can be read, and
nothing written to it.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from asst._version import __version__
from asst.atomic import is_refusal, write_error
from asst.cli import INTERRUPTED
from asst.cli.asking import demo, locate, search
from asst.cli.audit import audit
from asst.cli.evaluate import evaluate
from asst.cli.features import app as features
from asst.cli.features import simulate
from asst.cli.library import app as library
from asst.cli.library import index
from asst.cli.models import app as models
from asst.cli.options import Verb, expanded
from asst.cli.serve import serve
from asst.cli.spans import detect, shots
from asst.cli.systems import WeightsCommand, compare, fuse
from asst.cli.tables import tables
from asst.cli.train import export, recipes, train
from asst.errors import InputError
from asst.extras import lacking
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_PARTLY_FAILED, _BAD_INPUT, _PIPE_CLOSED = 1, 2, 141


class OutputError(InputError):
    """Standard output cannot be written; ``reader_gone`` is whether it is a pipe whose reader went away."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written ({error.strerror}); send it to a file or a program")
        self.reader_gone = isinstance(error, BrokenPipeError)


class _Answers(io.FileIO):
    """A descriptor whose refusal is an `OutputError`."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError(error) from error


class Messages(io.FileIO):
    """A descriptor that is written as long as it can be; ``lost`` is whether something could not be."""

    lost = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Writes as `io.FileIO.write` does, or notes that it could not."""
        try:
            return super().write(data)
        except OSError:
            self.lost = True
            return memoryview(data).nbytes


def take_streams() -> Messages:
    """Puts streams of these kinds in the place of the process's own; what carries its messages."""
    if sys.stdin is None:
        closed = io.FileIO(os.open(os.devnull, os.O_WRONLY), "r", closefd=False)
        sys.stdin = io.TextIOWrapper(io.BufferedReader(closed))
    answers = _Answers(_descriptor(sys.stdout), "w", closefd=False)
    messages = Messages(_descriptor(sys.stderr), "w", closefd=False)
    sys.stdout, sys.stderr = _text(answers, sys.stdout, answers.isatty()), _text(messages, sys.stderr, True)
    return messages


def drop_output() -> None:
    """Points standard output at nothing, so that what is still buffered does not fail again at exit."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def _descriptor(stream: TextIO | None) -> int:
    """A stream's, or in place of a closed one's the same number again, of something that cannot be written."""
    return os.open(os.devnull, os.O_RDONLY) if stream is None else stream.fileno()


def _text(raw: io.FileIO, before: TextIO | None, by_line: bool) -> TextIO:
    """A text stream; a terminal that cannot show a character of a sentence shows its code, and the run goes on."""
    encoding = "utf-8" if before is None else before.encoding
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=by_line)


class _Line(logging.Formatter):
    """Messages of the log, which name files, as text that cannot steer the terminal; what follows one stays."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return printable(super().formatMessage(record))


class _Verbs(TyperGroup):
    """Runs a verb; the errors that a person can cause become one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except OutputError:
            raise
        except (InputError, ModuleNotFoundError, KeyboardInterrupt, OSError) as error:
            told: BaseException | str | None = error
            if isinstance(error, ModuleNotFoundError):
                told = lacking(error, f"asst {ctx.invoked_subcommand}")
            elif isinstance(error, OSError):
                told = write_error(error.filename or "the output", error) if is_refusal(error) else None
            # What no person caused is a fault of ours.
            if told is None:
                raise
            _say("interrupted" if isinstance(error, KeyboardInterrupt) else str(told))
            raise typer.Exit(INTERRUPTED if isinstance(error, KeyboardInterrupt) else _BAD_INPUT) from error


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
    messages, code = take_streams(), 0
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Line())
    try:
        try:
            app(prog_name="asst")
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except OutputError as error:
        drop_output()
        code = _PIPE_CLOSED if error.reader_gone else _BAD_INPUT
        if not error.reader_gone:
            _say(str(error))
    if messages.lost and code in (0, _PARTLY_FAILED):
        code = _BAD_INPUT
    sys.exit(code)


def _say(message: str) -> None:
    print(f"asst: {printable(message)}", file=sys.stderr)  # noqa: T201
