"""What the page and the plot say alike: the headings of answers, and the ticks of the time axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from asst.moments import Answer, format_time

_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


def headings(answers: Sequence[Answer]) -> list[str]:
    """A heading for each answer: the sentence, the file's name where the answers are about several videos, or both.

    >>> headings([Answer("a/b.mp4", "a dog", 9.0, "m", ()), Answer("c.mp4", "a dog", 9.0, "m", ())])
    ['b.mp4', 'c.mp4']
    """
    if several_videos(answers):
        several = len({answer.query for answer in answers}) > 1
        return [f"{answer.query}: " * several + Path(answer.video).name for answer in answers]
    return [answer.query or "Actions" for answer in answers]


def several_videos(answers: Sequence[Answer]) -> bool:
    """Whether answers are about more than one video."""
    return len({answer.video for answer in answers}) > 1


def ticks_s(duration_s: float, most: int = 7) -> list[float]:
    """Instants at the shortest round step that puts no more than ``most`` ticks on ``[0, duration_s]``.

    >>> ticks_s(10.0)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    for step in _STEPS_S:
        count = math.floor(duration_s / step + 1e-9) + 1
        if count <= most:
            break
    return [round(index * float(step), 1) for index in range(count)]


def tick_label(time_s: float) -> str:
    """A clock without the tenths where they are zero.

    >>> tick_label(90.0), tick_label(0.5)
    ('1:30', '0:00.5')
    """
    return format_time(time_s).removesuffix(".0")
