"""What every verb that asks a video something shares: the one call to the library, and the printing of the answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from asst.moments import Answer


def ask(video: Path, sentences: Sequence[str], *, model: str, top: int) -> list[Answer]:
    """Load the model and ask it every sentence; the video is read once."""
    from asst.cli.progress import reading_progress

    with reading_progress() as move:
        from asst.localizer import load

        return load(model).answer(video, sentences, top=top, progress=move)


def print_answers(answers: Sequence[Answer], *, as_json: bool) -> None:
    """Write the answers to standard output, as JSON lines or as tables."""
    from asst.outputs.json_lines import write_answers
    from asst.outputs.table import write_table

    (write_answers if as_json else write_table)(answers, sys.stdout)
    sys.stdout.flush()


def exit_by(answers: Sequence[Answer]) -> None:
    """Exit with code 1 when no sentence was found at all.

    Raises:
        typer.Exit: in that case.
    """
    if not any(answer.moments for answer in answers):
        raise typer.Exit(1)
