"""The drawing of a model's attention: for each word a strip along the video, darker where it weighs more."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np

from asst.moments import Attention, FloatArray
from asst.outputs.report.labels import tick_label

COLUMNS_MOST = 120
_LEVELS = 10


class Run(NamedTuple):
    """Neighbouring columns of one shade: the first one, how many, and the shade from 0.1 to 1."""

    x: int
    width: int
    shade: float


class Strip(NamedTuple):
    """One word: its runs, and in words when it weighs most and how much."""

    word: str
    runs: tuple[Run, ...]
    description: str


class Heat(NamedTuple):
    """What the page draws of one attention.

    Attributes:
        strips: one a word, in the order of the sentence.
        columns: width of the strips.
        strongest: the weight that the strongest shade stands for.
        even: the weight that each word would have if all weighed the same.
        layers: what the weights are the mean of, in words.
    """

    strips: tuple[Strip, ...]
    columns: int
    strongest: float
    even: float
    layers: str


def draw_heat(attention: Attention, duration_s: float) -> Heat:
    """Lay out the attention over the whole video; columns that are coarser than it show the mean of their own."""
    weights = _columns(attention, duration_s)
    strongest = float(weights.max()) or 1.0
    return Heat(
        strips=tuple(
            Strip(word, _runs(own / strongest), _describe(own, duration_s))
            for word, own in zip(attention.words, weights, strict=True)
        ),
        columns=weights.shape[1],
        strongest=strongest,
        even=1 / len(attention.words),
        layers=", ".join(attention.layers),
    )


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


def _runs(shades: FloatArray) -> tuple[Run, ...]:
    runs, x = [], 0
    for level, group in groupby(np.rint(shades * _LEVELS).astype(int).tolist()):
        width = len(list(group))
        if level:
            runs.append(Run(x, width, level / _LEVELS))
        x += width
    return tuple(runs)


def _describe(weights: FloatArray, duration_s: float) -> str:
    peak = int(weights.argmax())
    when = tick_label((peak + 0.5) * duration_s / weights.size)
    return f"most at {when} ({weights[peak]:.0%}), on average {weights.mean():.0%}"
