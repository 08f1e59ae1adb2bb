"""``asst shots``: where the shots of videos begin and end, to the frame."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli import options
from asst.cli.asking import check_video
from asst.cli.files import Files
from asst.cli.options import argument, print_json
from asst.errors import InputError
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.features.extractor import Extractor
    from asst.moments import Answer

_PARTLY_FAILED = 1


def shots(
    videos: Annotated[list[Path], argument("VIDEO...", "Video files.")],
    as_json: options.Json = False,
    export: options.Export = None,
) -> None:
    """List the shots of each VIDEO: a shot ends with its last frame, and the next begins with its first.

    Exit codes: 0 when all could be read, 1 when some could not, 2 for bad input.
    """
    from asst.features.zeroshot.captions import captions
    from asst.outputs.json_lines import shots_record
    from asst.outputs.table import write_shots_table

    for video in videos:
        check_video(video)
    files = Files(export=export)
    files.check(videos)
    extractor = captions()
    found: list[Answer] = []
    try:
        for video in videos:
            try:
                answer = _shots(extractor, video)
            except InputError as error:
                if len(videos) == 1:
                    raise
                typer.echo(printable(f"asst: {error}"), err=True)
                continue
            if as_json:
                print_json([shots_record(answer)])
            else:
                sys.stdout.write("\n" if found else "")
                write_shots_table(answer, sys.stdout)
            found.append(answer)
    finally:
        files.write(found, [shots_record(answer) for answer in found])
    if len(found) < len(videos):
        raise typer.Exit(_PARTLY_FAILED)


def _shots(extractor: Extractor, video: Path) -> Answer:
    """The shots of a video as the moments of an answer to no sentence."""
    from asst.cli.progress import reading_progress
    from asst.moments import Answer, Moment

    with reading_progress() as move:
        features = extractor.extract(video, progress=move)
    end_s = features.video_end_s
    bounds_s = [0.0, *(cut_s for cut_s in features.cuts_s.tolist() if cut_s < end_s), end_s]
    moments = tuple(
        Moment(start_s, until_s, video=str(video), label=f"shot {number}")
        for number, (start_s, until_s) in enumerate(pairwise(bounds_s), start=1)
    )
    return Answer(str(video), "", end_s, extractor.name, moments)
