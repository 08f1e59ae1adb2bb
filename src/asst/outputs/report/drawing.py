"""Answers drawn, as numbers: places along the video in percent, the score curve as an SVG path, attention as strips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from asst.moments import Answer, Attention, Curve, FloatArray, format_time

PATH_WIDTH, PATH_HEIGHT = 1000, 100
"""The box the path is drawn in; the page stretches it over the video's length."""

COLUMNS_MOST = 120

_MARGIN = 0.08
_LEVELS = 10
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)


def draw(answer: Answer) -> dict[str, Any]:
    """What the page draws of one answer, with a ``description``.

    There is one of ``bands`` a moment, best first, and of ``ticks`` on the time axis, placed in percent of the video's
    length. ``path`` is the curve as SVG path data in a box of ``PATH_WIDTH`` by ``PATH_HEIGHT``, or None without one;
    ``threshold_y`` is the height of the threshold line in it, from the top, where there is a curve to compare it with.
    """
    curve = answer.curve
    path = threshold_y = None
    words = [f"Timeline from {tick_label(0.0)} to {tick_label(answer.duration_s)}."]
    spans = [f"{tick_label(moment.start_s)} to {tick_label(moment.end_s)}" for moment in answer.moments]
    words.append(f"Moments found, best first: {'; '.join(spans)}." if spans else "No moment found.")
    if curve is not None and curve.scores.size:
        low, high = float(np.nanmin(curve.scores)), float(np.nanmax(curve.scores))
        if answer.threshold is not None:
            low, high = min(low, answer.threshold), max(high, answer.threshold)
        margin = (high - low) * _MARGIN or 1.0
        low, high = low - margin, high + margin
        path = _path(curve, answer.duration_s, low, high)
        if answer.threshold is not None:
            threshold_y = round(PATH_HEIGHT * (high - answer.threshold) / (high - low), 2)
        peak = int(np.nanargmax(curve.scores))
        words.append(f"The score is highest at {tick_label(float(curve.times_s[peak]))}: {curve.scores[peak]:.3f}.")
    if answer.threshold is not None:
        words.append(f"The threshold is {answer.threshold:.3f}.")
    bands = []
    for moment in answer.moments:
        left, right = (_percent(time_s, answer.duration_s) for time_s in (moment.start_s, moment.end_s))
        bands.append({"x": left, "width": round(right - left, 3)})
    length_s = answer.duration_s
    ticks = [{"x": _percent(tick, length_s), "label": tick_label(tick)} for tick in ticks_s(length_s)]
    chart = {"bands": bands, "ticks": ticks, "path": path, "threshold_y": threshold_y}
    return {**chart, "description": " ".join(words)}


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
    shown = (line[~np.isnan(line[:, 1])].tolist() for line in lines)
    # The segment of no length makes the round line cap show a line of one point as a dot.
    return "".join(f"M{' '.join(f'{x:.1f},{y:.1f}' for x, y in line)}h0" for line in shown if line)


def draw_heat(attention: Attention, duration_s: float) -> dict[str, Any]:
    """What the page draws of the attention over the whole video; columns that are coarser show the mean of their own.

    There is one of ``strips`` a word, of so many ``columns``. ``strongest`` is the weight that the strongest shade
    stands for, ``even`` that of each word if all weighed the same.
    """
    weights = _columns(attention, duration_s)
    strongest = float(weights.max()) or 1.0
    strips = []
    for word, own in zip(attention.words, weights, strict=True):
        peak = int(own.argmax())
        when = tick_label((peak + 0.5) * duration_s / own.size)
        told = f"most at {when} ({own[peak]:.0%}), on average {own.mean():.0%}"
        strips.append({"word": word, "runs": _runs(own / strongest), "description": told})
    layers, even = ", ".join(attention.layers), 1 / len(attention.words)
    return {"strips": strips, "columns": weights.shape[1], "strongest": strongest, "even": even, "layers": layers}


def _columns(attention: Attention, duration_s: float) -> FloatArray:
    """Weights by column, shape ``(words, columns)``; a column without an instant shows the one nearest to it."""
    times_s = attention.times_s
    columns = min(COLUMNS_MOST, times_s.size)
    edges_s = np.linspace(0.0, duration_s, columns + 1)
    centres_s = (edges_s[:-1] + edges_s[1:]) / 2
    nearest = np.abs(times_s[None, :] - centres_s[:, None]).argmin(axis=1)
    weights: FloatArray = attention.weights[:, nearest].copy()
    owner = np.clip(np.searchsorted(edges_s, times_s, side="right") - 1, 0, columns - 1)
    for column in np.unique(owner):
        weights[:, column] = attention.weights[:, owner == column].mean(axis=1)
    return weights


def _runs(shades: FloatArray) -> list[dict[str, float]]:
    """Neighbouring columns of one shade, from 0.1 to 1."""
    runs, x = [], 0
    for level, group in groupby(np.rint(shades * _LEVELS).astype(int).tolist()):
        width = len(list(group))
        if level:
            runs.append({"x": x, "width": width, "shade": level / _LEVELS})
        x += width
    return runs


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
