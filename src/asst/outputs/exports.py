"""Files for other programs, each in the format that its ending names."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asst.errors import InputError
from asst.extras import require
from asst.outputs.destination import check_destination, replacing

if TYPE_CHECKING:
    from asst.moments import Answer
    from asst.outputs.editors.edits import Edit


TextOf = Callable[["Sequence[Answer]", bool], str | None]
"""Makes a file's text of answers and whether to take every moment; None when there is nothing to write."""


def check_exports(paths: Sequence[Path], source: Path | None = None) -> None:
    """Refuse files that could not be written, before anything long is computed for them.

    Args:
        paths: the files to write.
        source: the input, which none of them may replace.

    Raises:
        InputError: for an ending that no format has, or whose extra is not installed, a file named twice, or as
            `check_destination`.
    """
    for number, path in enumerate(paths):
        suffix = path.suffix.lower()
        if suffix not in (*FORMATS, REEL):
            raise InputError(f"{path}: no format has this ending; use one of {', '.join((*FORMATS, REEL))}")
        if suffix in _BY_LIBRARY:
            require("timeline", f"{path}: {suffix}")
        check_destination(path, suffix, source=source)
        if path in paths[:number]:
            raise InputError(f"{path}: is named twice; export to different files")


def write_export(
    answers: Sequence[Answer], out: Path, *, every: bool = False, records: Sequence[dict[str, Any]] | None = None
) -> bool:
    """Write the answers in the format of ``out``'s ending.

    What was found is written; answers as JSON hold the weaker moments too, apart.

    Args:
        answers: what the model said.
        out: the file to write; it appears when it is complete.
        every: take the weaker moments too.
        records: the objects of ``.json`` and ``.jsonl``, where a verb prints others than answers.

    Returns:
        False where nothing was written: a timeline or a reel of no clips.

    Raises:
        InputError: when ``out`` cannot be written, a video cannot be read, or the format cannot hold these moments.
    """
    check_exports([out])
    suffix = out.suffix.lower()
    if suffix == REEL:
        return _reel(answers, out, every)
    text = _objects(answers, records, suffix) if suffix in _OBJECTS else _TEXTS[suffix](answers, every)
    if text is None:
        return False
    with replacing(out) as path:
        # A file name may hold bytes that are no text; a question mark stands for each.
        path.write_bytes(text.encode("utf-8", errors="replace"))
    return True


def _reel(answers: Sequence[Answer], out: Path, every: bool) -> bool:
    from asst.outputs.editors.edits import chosen
    from asst.video import reel

    moments = [(own.video or answer.video, own.start_s, own.end_s) for answer, _, own in chosen(answers, every=every)]
    if moments:
        reel(moments, out)
    return bool(moments)


def _csv(answers: Sequence[Answer], every: bool) -> str:
    from asst.outputs.csv_rows import write_csv

    stream = io.StringIO(newline="")
    write_csv(answers, stream, every=every)
    return stream.getvalue()


def _objects(answers: Sequence[Answer], records: Sequence[dict[str, Any]] | None, suffix: str) -> str:
    from asst.outputs.json_lines import answer_record, write_lines, write_list

    stream = io.StringIO()
    write = write_list if suffix == ".json" else write_lines
    write(map(answer_record, answers) if records is None else records, stream)
    return stream.getvalue()


def _srt(answers: Sequence[Answer], every: bool) -> str:
    from asst.outputs.subtitles import subtitles

    return subtitles(answers, "srt", every=every)


def _vtt(answers: Sequence[Answer], every: bool) -> str:
    from asst.outputs.subtitles import subtitles

    return subtitles(answers, "vtt", every=every)


def _otio(edits: Sequence[Edit]) -> str:
    from asst.outputs.editors.timeline import otio_text

    return otio_text(edits)


def _edl(edits: Sequence[Edit]) -> str:
    from asst.outputs.editors.timeline import edl_text

    return edl_text(edits)


def _fcpxml(edits: Sequence[Edit]) -> str:
    from asst.outputs.editors.fcpxml import fcpxml_text

    return fcpxml_text(edits)


def _timeline(text: Callable[[Sequence[Edit]], str], answers: Sequence[Answer], every: bool) -> str | None:
    from asst.outputs.editors.edits import edits_of

    edits = edits_of(answers, every=every)
    return text(edits) if edits else None


_BY_LIBRARY = (".otio", ".edl")
_OBJECTS = (".json", ".jsonl")
_TEXTS: dict[str, TextOf] = {
    ".csv": _csv,
    ".srt": _srt,
    ".vtt": _vtt,
    ".otio": partial(_timeline, _otio),
    ".edl": partial(_timeline, _edl),
    ".fcpxml": partial(_timeline, _fcpxml),
}
FORMATS = (*_OBJECTS, *_TEXTS)
"""The endings of what is text."""
REEL = ".mp4"
"""The ending of one video of all moments, one after the other."""
