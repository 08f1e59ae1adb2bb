"""``asst locate``: the moments of a video that sentences describe."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from asst.cli.asking import ask, exit_by, print_answers
from asst.cli.device import DeviceOption
from asst.cli.file_options import FastClipOption, MinScoreOption, PlotOption, ReportOption
from asst.cli.files import Contents, Files, clip_paths
from asst.errors import InputError
from asst.local import check_ends, local_path

_Clip = Annotated[
    Path | None,
    typer.Option(
        metavar="OUT.mp4",
        help="Cut the best moment into a file. With several sentences: OUT-1.mp4, OUT-2.mp4, numbered as asked.",
    ),
]
_Export = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="OUT",
        help="Write the moments for another program, in the format of the ending: .csv .json .jsonl (all moments), "
        ".srt .vtt (subtitles) .fcpxml, with the extra timeline .otio .edl (timelines) (the best of each sentence). "
        "Repeat for more files.",
    ),
]
_ExportAll = Annotated[
    bool, typer.Option("--export-all", help="Put every moment in subtitles and timelines, not the best ones alone.")
]


def locate(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The video file.", show_default=False)],
    sentences: Annotated[
        list[str] | None,
        typer.Argument(metavar="SENTENCE", help="What to look for, a sentence each, in quotes.", show_default=False),
    ] = None,
    queries: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Read more sentences from a file or a pipe, one a line; - reads standard input."
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Moments to keep for each sentence.")] = 5,
    model: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="A model from 'asst models', or a checkpoint.")
    ] = "default",
    min_score: MinScoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, one a sentence.")] = False,
    clip: _Clip = None,
    fast_clip: FastClipOption = False,
    report: ReportOption = None,
    plot: PlotOption = None,
    export: _Export = None,
    export_all: _ExportAll = False,
    device: DeviceOption = None,
) -> None:
    """Find the moments of a VIDEO that each SENTENCE describes.

    The video is read once for all sentences.

    Exit codes: 0 when something was found, 1 when nothing was, 2 for bad input.
    """
    _check_input(video)
    asked = sentences_of(sentences or [], queries)
    files = Files(clip_paths(clip, len(asked)), fast_clip, report, plot, tuple(export or ()), export_all)
    files.check([video], len(asked))
    answers = ask(video, asked, model=model, top=top, min_score=min_score, attention=report is not None)
    try:
        print_answers(answers, as_json=as_json)
    finally:
        files.write(Contents(answers, answers, answers))
    exit_by(answers)


def sentences_of(given: Sequence[str], queries: str | None) -> list[str]:
    """All sentences to look for: those given, then those of a file.

    Args:
        given: on the command line.
        queries: the file or pipe, ``-`` for standard input, or None.

    Raises:
        InputError: for an empty sentence, none at all, or a file that is no UTF-8 text.
    """
    for sentence in given:
        if not sentence.strip():
            raise InputError("a sentence is empty; say what to look for")
    read = [] if queries is None else [line.strip() for line in _lines(queries) if line.strip()]
    asked = [*given, *read]
    if not asked:
        raise InputError("no sentence to look for; give one after the video, or a file of them with --queries")
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


def _check_input(video: Path) -> None:
    if video.is_dir():
        raise InputError(f"{video}: is a folder; name a video file")
    if not local_path(video, "a video").exists():
        raise InputError(f"{video}: no such file; check the path")
