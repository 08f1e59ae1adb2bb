"""The time axis that the page and the plot share: where its ticks stand and what they say."""

from __future__ import annotations

import math

from asst.moments import format_time

_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


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
