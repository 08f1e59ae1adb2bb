"""``asst shots``: where the shots of videos begin and end, to the frame."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli.file_options import ExportOption
from asst.cli.files import Contents, Files
from asst.errors import InputError
from asst.local import local_path
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.features.extractor import Extractor
    from asst.moments import Answer

_PARTLY_FAILED = 1


def shots(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Video files.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a video.")] = False,
    export: ExportOption = None,
) -> None:
    """List the shots of each VIDEO: a shot ends with its last frame, and the next begins with its first.

    Exit codes: 0 when all could be read, 1 when some could not, 2 for bad input.
    """
    from asst.features.zeroshot.captions import captions
    from asst.outputs.json_lines import write_lines
    from asst.outputs.shots import shots_record, write_shots_table

    for video in videos:
        if video.is_dir() or not local_path(video, "a video").exists():
            raise InputError(f"{video}: {'is a folder' if video.is_dir() else 'no such file'}; name a video file")
    files = Files(exports=tuple(export or ()))
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
                write_lines([shots_record(answer)], sys.stdout)
            else:
                if found:
                    sys.stdout.write("\n")
                write_shots_table(answer, sys.stdout)
            found.append(answer)
    finally:
        if files.paths:
            files.write(Contents(found, found, found, [shots_record(answer) for answer in found]))
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
