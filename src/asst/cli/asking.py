"""What verbs that ask videos something share: the one call to the library, and the printing of the answers."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from asst.cli.verb import print_json
from asst.errors import InputError
from asst.local import local_path

if TYPE_CHECKING:
    from asst.moments import Answer


def check_video(video: Path) -> None:
    """Refuse what is no file.

    Raises:
        InputError: for a folder, an address, or what is not there.
    """
    if video.is_dir():
        raise InputError(f"{video}: is a folder; name a video file")
    if not local_path(video, "a video").exists():
        raise InputError(f"{video}: no such file; check the path")


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
    """Write the answers to standard output and say which sentences are not understood.

    Args:
        answers: what the model said.
        as_json: write JSON lines, not tables.
        every: show the weaker moments in tables.
        records: the objects of the lines, where they are not answers.
    """
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
    """Exit with code 1 when nothing was found at all.

    Raises:
        typer.Exit: in that case.
    """
    if not any(answer.moments for answer in answers):
        raise typer.Exit(1)
