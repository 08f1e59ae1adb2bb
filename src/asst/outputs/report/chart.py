"""The drawing of one answer as numbers: places along the video in percent, and the score curve as an SVG path."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asst.moments import Answer, Curve
from asst.outputs.report.labels import tick_label, ticks_s

PATH_WIDTH, PATH_HEIGHT = 1000, 100
"""The box the path is drawn in; the page stretches it over the video's length."""

_MARGIN = 0.08


class Band(NamedTuple):
    """A moment's place along the video: left edge and width in percent of the video's length."""

    x: float
    width: float


class Tick(NamedTuple):
    """A mark of the time axis: its place in percent and its text."""

    x: float
    label: str


class Chart(NamedTuple):
    """What the page draws for one answer.

    Attributes:
        bands: one a moment, best first.
        ticks: the time axis.
        path: the curve as SVG path data in a box of ``PATH_WIDTH`` by ``PATH_HEIGHT``, or None without a curve.
        threshold_y: height of the threshold line in that box, from the top, or None.
        description: the same in words.
    """

    bands: list[Band]
    ticks: list[Tick]
    path: str | None
    threshold_y: float | None
    description: str


def draw(answer: Answer) -> Chart:
    """Lay out one answer; the threshold line is drawn where there is a curve to compare it with."""
    curve = answer.curve
    path = threshold_y = None
    if curve is not None and curve.scores.size:
        levels = [
            *curve.scores[~np.isnan(curve.scores)].tolist(),
            *([] if answer.threshold is None else [answer.threshold]),
        ]
        low, high = min(levels), max(levels)
        margin = (high - low) * _MARGIN or 1.0
        low, high = low - margin, high + margin
        path = _path(curve, answer.duration_s, low, high)
        if answer.threshold is not None:
            threshold_y = round(PATH_HEIGHT * (high - answer.threshold) / (high - low), 2)
    bands = []
    for moment in answer.moments:
        left, right = (_percent(time_s, answer.duration_s) for time_s in (moment.start_s, moment.end_s))
        bands.append(Band(left, round(right - left, 3)))
    ticks = [Tick(_percent(tick, answer.duration_s), tick_label(tick)) for tick in ticks_s(answer.duration_s)]
    return Chart(bands, ticks, path, threshold_y, _describe(answer))


def _percent(time_s: float, duration_s: float) -> float:
    return round(100 * min(1.0, max(0.0, time_s / duration_s)), 3)


def _path(curve: Curve, duration_s: float, low: float, high: float) -> str:
    times_s, scores = curve.times_s, curve.scores
    if scores.size > PATH_WIDTH:
        # More points than the box has columns: keep the highest of each column, so that no peak is lost,
        # and leave the columns blank in which the curve breaks.
        starts = np.unique(np.linspace(0, scores.size, PATH_WIDTH, endpoint=False).astype(np.int64))
        times_s, scores = times_s[starts], np.maximum.reduceat(scores, starts)
    across = np.clip(times_s / duration_s, 0.0, 1.0) * PATH_WIDTH
    down = (high - scores) / (high - low) * PATH_HEIGHT
    lines = np.split(np.stack([across, down], axis=1), np.flatnonzero(np.isnan(down)))
    return "".join(_line(line[~np.isnan(line[:, 1])]) for line in lines)


def _line(points: npt.NDArray[np.float64]) -> str:
    if not len(points):
        return ""
    # The segment of no length makes the round line cap show a line of one point as a dot.
    return f"M{' '.join(f'{x:.1f},{y:.1f}' for x, y in points.tolist())}h0"


def _describe(answer: Answer) -> str:
    words = [f"Timeline from {tick_label(0.0)} to {tick_label(answer.duration_s)}."]
    if answer.moments:
        spans = [f"{tick_label(moment.start_s)} to {tick_label(moment.end_s)}" for moment in answer.moments]
        words.append(f"Moments found, best first: {'; '.join(spans)}.")
    else:
        words.append("No moment found.")
    curve = answer.curve
    if curve is not None and curve.scores.size:
        peak = int(np.nanargmax(curve.scores))
        words.append(f"The score is highest at {tick_label(float(curve.times_s[peak]))}: {curve.scores[peak]:.3f}.")
    if answer.threshold is not None:
        words.append(f"The threshold is {answer.threshold:.3f}.")
    return " ".join(words)
