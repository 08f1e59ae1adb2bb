"""What verbs that ask videos something share: the sentences, the one call to the library, the printing of answers."""

from __future__ import annotations

import codecs
import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from asst.cli.verb import print_json
from asst.errors import InputError
from asst.local import check_ends, local_path

if TYPE_CHECKING:
    from asst.moments import Answer


def check_video(video: Path) -> None:
    """Refuse a folder, an address, and what is not there, by an `InputError`."""
    if video.is_dir():
        raise InputError(f"{video}: is a folder; name a video file")
    if not local_path(video, "a video").exists():
        raise InputError(f"{video}: no such file; check the path")


def sentences_of(given: Sequence[str], queries: str | None) -> list[str]:
    """All sentences to look for: those given, then those of a file or pipe, ``-`` for standard input.

    An empty sentence, none at all, or a file that is no UTF-8 text is an `InputError`.
    """
    for sentence in given:
        if not sentence.strip():
            raise InputError("a sentence is empty; say what to look for")
    read = [] if queries is None else [line.strip() for line in _lines(queries) if line.strip()]
    asked = [*given, *read]
    if not asked:
        raise InputError("no sentence to look for; give one in quotes, or a file of them with --queries")
    for sentence in asked:
        if not sentence.isascii() and sentence != sentence.encode("utf-8", errors="replace").decode("utf-8"):
            raise InputError(f"not valid text: {sentence!r}; write the sentence in UTF-8")
    return asked


def _lines(queries: str) -> list[str]:
    """The lines of a file, which end at LF, CRLF or CR; bytes are parted there alone, text at other characters too."""
    if queries != "-":
        check_ends(Path(queries), pipes=True)
    try:
        content = sys.stdin.buffer.read() if queries == "-" else Path(queries).read_bytes()
    except OSError as error:
        raise InputError(f"{queries}: cannot be read ({error.strerror or error})") from error
    lines = []
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).splitlines(), start=1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(f"{queries}, line {number}: not UTF-8 text; save the file as UTF-8") from error
    return lines


def ask(
    video: Path,
    sentences: Sequence[str],
    *,
    model: str,
    top: int,
    min_score: float | None = None,
    attention: bool = False,
) -> list[Answer]:
    """Load the model and ask it every sentence, and on demand for the words it looked at; the video is read once."""
    from asst.cli.progress import reading_progress

    with reading_progress() as move:
        with uncollected():
            from asst.localizer import load

            localizer = load(model)
        return localizer.answer(video, sentences, top=top, min_score=min_score, progress=move, attention=attention)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away from what is loaded, which stays until the end.

    PyTorch makes hundreds of thousands of objects. To go through them while it is loaded, and again at exit, takes
    half a second.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def print_answers(
    answers: Sequence[Answer], *, as_json: bool, every: bool = False, records: Iterable[dict[str, Any]] | None = None
) -> None:
    """Write the answers, or as JSON their records, to standard output, and say which sentences are not understood."""
    from asst.outputs.table import not_understood, write_table

    if as_json:
        from asst.outputs.json_lines import answer_record

        print_json(map(answer_record, answers) if records is None else records)
    else:
        write_table(answers, sys.stdout, every=every)
    sys.stdout.flush()
    for answer in answers:
        if answer.understood is False:
            typer.echo(not_understood(answer.query), err=True)


def exit_by(answers: Iterable[Answer]) -> None:
    """Exit with code 1 when nothing was found at all."""
    if not any(answer.moments for answer in answers):
        raise typer.Exit(1)
