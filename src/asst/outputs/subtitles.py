"""Moments as subtitles, so that a player shows the sentence while its moment runs."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Literal

from asst.errors import InputError
from asst.moments import Answer
from asst.outputs.editors.edits import chosen, name_of

_LONGEST_S = 100 * 3600


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
        cues.append((start_ms, max(start_ms + 1, round(moment.end_s * 1000)), _text(name_of(answer, moment), form)))
    point = "." if form == "vtt" else ","
    shown = [
        f"{number}\n{_time(start_ms, point)} --> {_time(end_ms, point)}\n{text}\n\n"
        for number, (start_ms, end_ms, text) in enumerate(sorted(cues, key=lambda cue: cue[:2]), start=1)
    ]
    return "".join(["WEBVTT\n\n" if form == "vtt" else "", *shown])


def _text(name: str, form: Literal["srt", "vtt"]) -> str:
    # SubRip has no escapes, and an arrow would be read as a line of times.
    return html.escape(name, quote=False) if form == "vtt" else name.replace("-->", "\N{RIGHTWARDS ARROW}")


def _time(at_ms: int, point: str) -> str:
    minutes, ms = divmod(at_ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{ms // 1000:02}{point}{ms % 1000:03}"
