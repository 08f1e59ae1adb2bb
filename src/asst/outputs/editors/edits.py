"""Moments as an editor counts them: whole frames of the source at its exact rate, from its own first time code on."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from asst.local import canonical
from asst.moments import Answer, Moment
from asst.outputs.printable import one_line

if TYPE_CHECKING:
    from asst.video import VideoInfo

_NTSC = [Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60)]
RATES = tuple(sorted([*map(Fraction, (24, 25, 30, 48, 50, 60)), *_NTSC]))
"""Frames a second that time codes and editors know, slowest first."""

# A file that says 23.98 means 24000/1001, and Matroska's milliseconds make 19001/317 of 60000/1001.
_SAME_RATE = Fraction(3, 10_000)
_MOST_TIMES = 60
_LABEL = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2,3})")
# Matroska rounds time stamps to milliseconds, so that a frame may seem to begin a little before or after its boundary.
_ON_FRAME = Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class Media:
    """A source file: its frames, counted at a rate a second, and its size in pixels, as displayed.

    The first frame's number is what the file's time code says, else zero; ``drop`` is whether that drops frame numbers.
    """

    path: Path
    rate: Fraction
    first: int
    frames: int
    drop: bool
    width: int
    height: int
    has_audio: bool

    @property
    def name(self) -> str:
        """The file's name, fit to print on one line."""
        return one_line(self.path.name)


@dataclass(frozen=True, slots=True)
class Edit:
    """A moment as a clip of its source: the number of its first frame, and how many it has, one at least.

    It is named by the sentence, or the label of a moment that answers none; ``rank`` counts the moments of a sentence
    from 1 on.
    """

    media: Media
    start: int
    frames: int
    moment: Moment
    name: str
    rank: int
    model: str


def chosen(answers: Sequence[Answer], *, every: bool) -> list[tuple[Answer, int, Moment]]:
    """The moments that were found, with ``every`` the weaker too, in order, each with its answer and rank from 1 on."""
    return [
        (answer, rank, moment)
        for answer in answers
        for rank, moment in enumerate(answer.ranked if every else answer.moments, start=1)
    ]


def name_of(answer: Answer, moment: Moment) -> str:
    """What a moment is called on one line: the sentence, or the label of one that answers no sentence."""
    return one_line(moment.query or answer.query or moment.label or "moment")


def edits_of(answers: Sequence[Answer], *, every: bool = False) -> list[Edit]:
    """The moments of all answers as clips, in order; each file is probed once.

    A clip begins with the frame on display when its moment does, and ends with the last one that is on display before
    the moment ends. The files are the moments' ``video``, else that of their answers. Raises an `InputError` for a
    video that cannot be read.
    """
    from asst.video import probe

    known: dict[str, Media] = {}
    found = []
    for answer, rank, moment in chosen(answers, every=every):
        video = moment.video or answer.video
        if video not in known:
            known[video] = media_of(probe(Path(video)))
        media = known[video]
        # The first frame and the one after the last, counted from the file's first.
        first = min(math.floor(Fraction(moment.start_s) * media.rate + _ON_FRAME), media.frames - 1)
        after = min(math.ceil(Fraction(moment.end_s) * media.rate - _ON_FRAME), media.frames)
        name, frames = name_of(answer, moment), max(1, after - first)
        found.append(Edit(media, media.first + first, frames, moment, name, rank, answer.model))
    return found


def media_of(info: VideoInfo) -> Media:
    """A video file as an editor counts it."""
    rate = timeline_rate(info.rate)
    first, drop = 0, False
    if info.time_code is not None:
        # The rate of the time code: that of the frames, freed of rounding like the one they are counted at.
        faster = info.rate > rate
        own = rate * max(1, round(info.rate / rate)) if faster else rate / max(1, round(rate / info.rate))
        number = frame_number(info.time_code, own)
        if number is not None:
            # The same number where the rates are equal, which is nearly always.
            first = round(number / own * rate)
            drop = drops(rate) and info.time_code[8] != ":"
    frames = max(1, round(Fraction(info.duration_s) * rate))
    return Media(canonical(Path(info.path)), rate, first, frames, drop, info.width, info.height, info.has_audio)


def timeline_rate(rate: Fraction) -> Fraction:
    """The frames a second at which an editor would count those of a video whose file states ``rate``.

    That is the video's own, freed of rounding, where editors know it. A slower one is counted at a multiple that they
    know, a faster one at a fraction; what fits neither, such as a phone's variable rate, at the nearest.

    >>> print(timeline_rate(Fraction(2997, 100)), timeline_rate(Fraction(15)), timeline_rate(Fraction(120)))
    30000/1001 30 60
    """
    factors = [Fraction(factor) for factor in range(1, _MOST_TIMES + 1)]
    for factor in [*factors, *(1 / factor for factor in factors)]:
        known = min(RATES, key=lambda known: abs(rate * factor - known))
        if abs(rate * factor - known) <= known * _SAME_RATE:
            return known
    return min(RATES, key=lambda known: max(rate / known, known / rate))


def drops(rate: Fraction) -> bool:
    """Whether there is a drop-frame time code at a rate: 30000/1001 and 60000/1001 alone have one."""
    return rate.denominator == 1001 and round(rate) % 30 == 0


def frame_number(time_code: str, rate: Fraction) -> int | None:
    """The frame that a time code ``HH:MM:SS:FF`` names, counted from 00:00:00:00; None for what is none at this rate.

    With ``;`` or ``.`` before the frame, two (at 60 a second four) numbers are left out at every minute but each tenth.

    >>> frame_number("00:01:00;02", Fraction(30000, 1001)), frame_number("01:00:00:00", Fraction(25))
    (1800, 90000)
    """
    match = _LABEL.fullmatch(time_code)
    if match is None:
        return None
    hours, minutes, seconds, frames = (int(match.group(place)) for place in (1, 2, 3, 5))
    nominal = math.ceil(rate)
    if minutes > 59 or seconds > 59 or frames >= nominal:
        return None
    passed = hours * 60 + minutes
    number = (passed * 60 + seconds) * nominal + frames
    if match.group(4) != ":" and drops(rate):
        number -= (passed - passed // 10) * (nominal // 15)
    return number
