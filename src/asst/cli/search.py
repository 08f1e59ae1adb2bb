"""``asst search``: the moments of all videos of a library that a sentence describes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from asst.cli.index import LibraryOption
from asst.outputs.printable import printable


def search(
    sentence: Annotated[str, typer.Argument(metavar="SENTENCE", help="What to look for.", show_default=False)],
    library: LibraryOption,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Moments to print at most.")] = 10,
    within: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="GLOB",
            help="Only videos whose path matches, as '*/2025/*'; without a slash, whose file name does.",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(metavar="X", help="Moments of this score or more, in place of the model's own threshold."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a moment.")] = False,
) -> None:
    """Find the moments of all videos of a library that a SENTENCE describes.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    from asst.cli.asking import uncollected
    from asst.library.library import Library
    from asst.outputs.moments import write_moments_json, write_moments_table

    opened = Library(library)
    with uncollected():
        from asst.library.engine import default_engine
        from asst.library.search import search as run

        engine = default_engine()
    found = run(opened, engine, sentence, top=top, within_glob=within, min_score=min_score)
    for fault in found.faults:
        typer.echo(printable(fault), err=True)
    if as_json:
        write_moments_json(found.moments, sys.stdout)
    elif found.moments:
        write_moments_table(found.moments, sys.stdout)
    sys.stdout.flush()
    if not found.moments:
        best = "nothing scored" if found.best_score is None else f"best score {found.best_score:.3f}"
        typer.echo(f"{printable(sentence)}: nothing found ({best})", err=True)
        raise typer.Exit(1)
