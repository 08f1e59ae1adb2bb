"""Files for other programs, each in the format that its extension names."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asst.atomic import write_whole
from asst.errors import InputError
from asst.extras import require
from asst.moments import Answer
from asst.outputs.destination import check_destination
from asst.outputs.editors.edits import Edit, chosen, edits_of
from asst.outputs.editors.fcpxml import fcpxml_text
from asst.outputs.editors.timeline import edl_text, otio_text
from asst.outputs.subtitles import subtitles

if TYPE_CHECKING:
    from asst.video import CutReport

TextOf = Callable[[Sequence[Answer], bool], str | None]
"""Makes a file's text of answers and whether to take every moment; None when there is nothing to write."""

COLUMNS = ("video", "query", "rank", "start_s", "end_s", "score", "label", "confidence")
"""Of CSV; docs/formats.md says what they mean."""


def check_exports(paths: Sequence[Path], source: Path | None = None) -> None:
    """Refuse files that could not be written, before anything long is computed for them.

    Raises an `InputError` for an extension that no format has, or whose extra is not installed, a file named twice, or
    as `check_destination`.
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
    """Write what was found in the format of a file's extension; answers as JSON hold the weaker moments too, apart.

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
    if text is not None:
        # A file name may hold bytes that are no text; a question mark stands for each.
        write_whole(out, text.encode("utf-8", errors="replace"))
    return text is not None


def _reel(answers: Sequence[Answer], out: Path, every: bool) -> bool:
    from asst.video import reel

    moments = [(own.video or answer.video, own.start_s, own.end_s) for answer, _, own in chosen(answers, every=every)]
    if moments:
        reel(moments, out)
    return bool(moments)


def write_clip(answer: Answer, out: Path, *, exact: bool = True) -> CutReport | None:
    """Cut the best moment of an answer out of its video into an ``.mp4`` file.

    Without ``exact`` what is stored is copied, from the key frame before the moment on. Where the answer has no moment,
    nothing is written. Raises an `InputError` when the video cannot be read or ``out`` cannot be written.
    """
    from asst.video import cut

    source = Path(answer.video)
    check_destination(out, ".mp4", source=source)
    if not answer.moments:
        return None
    best = answer.moments[0]
    return cut(source, best.start_s, best.end_s, out, exact=exact)


def csv_text(answers: Sequence[Answer], every: bool = False) -> str:
    """A heading, and a row a moment, those of a sentence best first; numbers in full, so that they are read back."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for answer, rank, moment in chosen(answers, every=every):
        video, query = moment.video or answer.video, moment.query or answer.query
        times = (repr(float(value)) for value in (moment.start_s, moment.end_s, moment.score))
        writer.writerow([video, query, rank, *times, moment.label or "", moment.confidence or ""])
    return stream.getvalue()


def _objects(answers: Sequence[Answer], records: Sequence[dict[str, Any]] | None, suffix: str) -> str:
    from asst.outputs.json_lines import answer_record, as_lines, as_whole

    write = as_whole if suffix == ".json" else as_lines
    return write(map(answer_record, answers) if records is None else records)


def _timeline(text: Callable[[Sequence[Edit]], str], answers: Sequence[Answer], every: bool) -> str | None:
    edits = edits_of(answers, every=every)
    return text(edits) if edits else None


_BY_LIBRARY = (".otio", ".edl")
_OBJECTS = (".json", ".jsonl")
_TEXTS: dict[str, TextOf] = {
    ".csv": csv_text,
    ".srt": partial(subtitles, form="srt"),
    ".vtt": partial(subtitles, form="vtt"),
    ".otio": partial(_timeline, otio_text),
    ".edl": partial(_timeline, edl_text),
    ".fcpxml": partial(_timeline, fcpxml_text),
}
FORMATS = (*_OBJECTS, *_TEXTS)
"""The extensions of what is text."""
REEL = ".mp4"
"""The extension of one video of all moments, one after the other."""
