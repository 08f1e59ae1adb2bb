"""The process's three streams, and what becomes of output that cannot be written.

What fails to go to standard output ends the run. What fails to go to standard error, where there is nowhere left to say
so, lets the work go on and shows in the exit code. From a closed stream nothing can be read, and nothing written to it.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from asst.errors import InputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


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
