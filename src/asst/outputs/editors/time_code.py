"""Frame rates that editors count in, and time codes as numbers of frames; all of it exact."""

from __future__ import annotations

import math
import re
from fractions import Fraction

_NTSC = [Fraction(rate * 1000, 1001) for rate in (24, 30, 48, 60)]
RATES = tuple(sorted([*map(Fraction, (24, 25, 30, 48, 50, 60)), *_NTSC]))
"""Frames a second that time codes and editors know, slowest first."""

# A file that says 23.98 means 24000/1001, and Matroska's milliseconds make 19001/317 of 60000/1001.
_SAME_RATE = Fraction(3, 10_000)
_MOST_TIMES = 60
_LABEL = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2,3})")


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
