"""Files for other programs, each in the format that its extension names."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from asst.atomic import check_destination, write_whole
from asst.errors import InputError
from asst.extras import require
from asst.moments import Answer
from asst.outputs.editors.edits import Edit, chosen, edits_of, name_of
from asst.outputs.editors.timeline import edl_text, fcpxml_text, otio_text
from asst.outputs.json_lines import answer_record, as_lines, as_whole

if TYPE_CHECKING:
    from asst.video import CutReport

COLUMNS = ("video", "query", "rank", "start_s", "end_s", "score", "label", "confidence")
"""Of CSV; docs/formats.md says what they mean."""

_LONGEST_S = 100 * 3600


def check_exports(paths: Sequence[Path]) -> None:
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
        check_destination(path, suffix)
        if path in paths[:number]:
            raise InputError(f"{path}: is named twice; export to different files")


def write_export(
    answers: Sequence[Answer], out: Path, *, every: bool = False, records: Sequence[dict[str, Any]] | None = None
) -> bool:
    """Write what was found in the format of a file's extension; answers as JSON hold the weaker moments too, apart.

    With ``every`` all formats have the weaker moments. ``records`` are the objects of ``.json`` and ``.jsonl``, where a
    verb prints others than answers. Nothing is written, and False returned, for a timeline or a reel of no clips.
    Raises an `InputError` when ``out`` cannot be written, a video not read, or the format cannot hold the moments.
    """
    check_exports([out])
    suffix = out.suffix.lower()
    if suffix == REEL:
        from asst.video import reel

        spans = [(own.video or answer.video, own.start_s, own.end_s) for answer, _, own in chosen(answers, every=every)]
        if spans:
            reel(spans, out)
        return bool(spans)
    if suffix in _OBJECTS:
        write = as_whole if suffix == ".json" else as_lines
        text: str | None = write(map(answer_record, answers) if records is None else records)
    else:
        text = _TEXTS[suffix](answers, every)
    if text is not None:
        # A file name may hold bytes that are no text; a question mark stands for each.
        write_whole(out, text.encode("utf-8", errors="replace"))
    return text is not None


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
        writer.writerow([video, query, rank, *times, moment.label or "", moment.said or moment.confidence or ""])
    return stream.getvalue()


def subtitles(answers: Sequence[Answer], every: bool = False, *, form: Literal["srt", "vtt"]) -> str:
    """Subtitles, SubRip's or WebVTT's, in the order of time, to a millisecond; where moments overlap, so do they.

    Raises an `InputError` for moments in several videos, or past 100 hours, which subtitles cannot count to.
    """
    moments = chosen(answers, every=every)
    videos = {moment.video or answer.video for answer, _, moment in moments}
    if len(videos) > 1:
        raise InputError(
            f"subtitles are of one video, and these moments lie in {len(videos)}; "
            "take those of one, or write .csv or .otio"
        )
    cues = []
    for answer, _, moment in moments:
        if moment.end_s >= _LONGEST_S:
            raise InputError(f"subtitles end before 100 hours, and a moment ends at {moment.end_s:.0f} s; write .csv")
        start_ms = round(moment.start_s * 1000)
        name = name_of(answer, moment)
        # SubRip has no escapes, and an arrow would be read as a line of times.
        text = html.escape(name, quote=False) if form == "vtt" else name.replace("-->", "\N{RIGHTWARDS ARROW}")
        cues.append((start_ms, max(start_ms + 1, round(moment.end_s * 1000)), text))
    point = "." if form == "vtt" else ","
    shown = [
        f"{number}\n{_time(start_ms, point)} --> {_time(end_ms, point)}\n{text}\n\n"
        for number, (start_ms, end_ms, text) in enumerate(sorted(cues, key=lambda cue: cue[:2]), start=1)
    ]
    return "".join(["WEBVTT\n\n" if form == "vtt" else "", *shown])


def _time(at_ms: int, point: str) -> str:
    minutes, ms = divmod(at_ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}{point}{ms % 1000:03}"


def _timeline(text: Callable[[Sequence[Edit]], str], answers: Sequence[Answer], every: bool) -> str | None:
    edits = edits_of(answers, every=every)
    return text(edits) if edits else None


_BY_LIBRARY = (".otio", ".edl")
_OBJECTS = (".json", ".jsonl")
_TEXTS: dict[str, Callable[[Sequence[Answer], bool], str | None]] = {
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
