"""Moments as subtitles, so that a player shows the sentence while its moment runs."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Literal

from asst.errors import InputError
from asst.moments import Answer
from asst.outputs.edits import chosen, name_of

_LONGEST_S = 100 * 3600
# The library reads these as spaces and line breaks; a character of no width keeps them apart and looks the same.
_BREAK = re.compile(r"\\(?=[hnN])")
_JOINER = "\N{WORD JOINER}"


def subtitles(answers: Sequence[Answer], form: Literal["srt", "vtt"], *, every: bool = False) -> str:
    """Subtitles in the order of time, to a millisecond; where moments overlap, so do they.

    Args:
        answers: what the model said, all of one video.
        form: SubRip or WebVTT.
        every: show all moments; else the best of each sentence.

    Raises:
        InputError: for moments in several videos, or past 100 hours, which subtitles cannot count to.
    """
    from pysubs2 import SSAEvent, SSAFile

    moments = chosen(answers, every=every)
    videos = {moment.video or answer.video for answer, _, moment in moments}
    if len(videos) > 1:
        raise InputError(
            f"subtitles are of one video, and these moments lie in {len(videos)}; "
            "narrow a search to one with --in, or write .csv or .otio"
        )
    file = SSAFile()
    for answer, _, moment in moments:
        if moment.end_s >= _LONGEST_S:
            raise InputError(f"subtitles end before 100 hours, and a moment ends at {moment.end_s:.0f} s; write .csv")
        start_ms = round(moment.start_s * 1000)
        end_ms = max(start_ms + 1, round(moment.end_s * 1000))
        file.append(SSAEvent(start=start_ms, end=end_ms, text=_text(name_of(answer, moment), form)))
    file.sort()
    # Kept as they are, or braces in a sentence would be taken for commands and left out.
    return file.to_string(form, keep_ssa_tags=True)


def _text(name: str, form: Literal["srt", "vtt"]) -> str:
    # SubRip has no escapes, and an arrow would be read as a line of times.
    safe = html.escape(name, quote=False) if form == "vtt" else name.replace("-->", "\N{RIGHTWARDS ARROW}")
    return _BREAK.sub(rf"\\{_JOINER}", safe)
