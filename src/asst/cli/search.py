"""``asst search``: the moments of all videos of a library that sentences describe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asst.cli import options
from asst.cli.asking import exit_by, print_answers, sentences_of, uncollected
from asst.cli.files import Files
from asst.cli.index import engine_for
from asst.cli.options import LIBRARY, option
from asst.outputs.printable import printable

_Within = Annotated[
    str | None,
    option("--in GLOB", "Only videos whose path matches, as '*/2025/*'; without a slash, whose file name does."),
]


def search(
    sentences: options.Sentences = None,
    queries: options.Queries = None,
    library: options.Library = LIBRARY,
    top: Annotated[int, option("--top N", "Moments of a sentence at most.", min=1)] = 10,
    within: _Within = None,
    min_score: options.MinScore = None,
    every: options.All = False,
    as_json: options.Json = False,
    *,
    files: Files,
    model: options.LibraryModel = None,
    device: options.Device = None,
) -> None:
    """Find the moments of all videos of a library that each SENTENCE describes.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    from asst.cli.progress import counting
    from asst.library.library import Library
    from asst.library.search import search as run
    from asst.outputs.json_lines import moment_records
    from asst.outputs.table import nothing_found

    asked = sentences_of(sentences or [], queries)
    opened = Library(library)
    clips = top * len(asked)
    files.check([Path(video.path) for video in opened.tables.videos()] if files.wanted else [], clips)
    with uncollected():
        engine = engine_for(library, model)
    answers = []
    for query in asked:
        with counting("scoring") as progress:
            answers.append(
                run(opened, engine, query, top=top, within_glob=within, min_score=min_score, progress=progress)
            )
        for fault in answers[-1].faults:
            typer.echo(printable(fault), err=True)
    records = moment_records(answers, every=every)
    try:
        print_answers(answers, as_json=as_json, every=every, records=records)
    finally:
        files.write(answers, records, clips=clips, every=every)
    for answer in answers if as_json else ():
        if not answer.moments:
            typer.echo(nothing_found(answer), err=True)
    exit_by(answers)
