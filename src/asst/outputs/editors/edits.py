"""Moments as an editor counts them: whole frames of the source at its exact rate, from its own first time code on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from asst.moments import Answer, Moment
from asst.outputs.editors.time_code import drops, frame_number, timeline_rate
from asst.outputs.printable import one_line

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
    known: dict[str, Media] = {}
    found = []
    for answer, rank, moment in chosen(answers, every=every):
        video = moment.video or answer.video
        if video not in known:
            known[video] = _media(video)
        media = known[video]
        first, after = _frames(moment, media)
        name = name_of(answer, moment)
        found.append(Edit(media, media.first + first, after - first, moment, name, rank, answer.model))
    return found


def _frames(moment: Moment, media: Media) -> tuple[int, int]:
    """The first frame of a moment and the one after its last, counted from the file's first."""
    first = math.floor(Fraction(moment.start_s) * media.rate + _ON_FRAME)
    after = math.ceil(Fraction(moment.end_s) * media.rate - _ON_FRAME)
    first = min(first, media.frames - 1)
    return first, max(first + 1, min(after, media.frames))


def _media(video: str) -> Media:
    from asst.video import probe

    info = probe(Path(video))
    rate = timeline_rate(info.rate)
    first, drop = 0, False
    if info.time_code is not None:
        own = _own_rate(info.rate, rate)
        number = frame_number(info.time_code, own)
        if number is not None:
            # The same number where the rates are equal, which is nearly always.
            first = round(number / own * rate)
            drop = drops(rate) and info.time_code[8] != ":"
    return Media(
        path=Path(video).absolute(),
        rate=rate,
        first=first,
        frames=max(1, round(Fraction(info.duration_s) * rate)),
        drop=drop,
        width=info.width,
        height=info.height,
        has_audio=info.has_audio,
    )


def _own_rate(stated: Fraction, counted: Fraction) -> Fraction:
    """The rate of a video's time code: that of its frames, freed of rounding like the one they are counted at."""
    if stated > counted:
        return counted * max(1, round(stated / counted))
    return counted / max(1, round(counted / stated))
