"""Moments: spans of time in a video, how well two of them agree, and which ones to keep.

Everything here is arithmetic on seconds. Spans are arrays of shape ``(n, 2)`` with columns start and end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moment:
    """One span of a video with a score.

    Attributes:
        start_s: first instant, in seconds from the video's first frame.
        end_s: last instant, in seconds; greater than ``start_s``.
        score: larger is better; its scale is the model's (see ``asst models``).
        query: the sentence it answers, if any.
        video: the video's path or identifier, if known.
        label: the class of a detected action, if any.

    Raises:
        ValueError: for a span that is not finite, starts before zero or does not end after its start.
    """

    start_s: float
    end_s: float
    score: float = 0.0
    query: str | None = None
    video: str | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s) and math.isfinite(self.score)):
            raise ValueError(f"a moment needs finite times and score, not {self.start_s}, {self.end_s}, {self.score}")
        if self.start_s < 0 or self.end_s <= self.start_s:
            raise ValueError(f"a moment runs forward from zero on, not from {self.start_s} s to {self.end_s} s")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Curve:
    """How strongly each instant of a video matches a sentence.

    Attributes:
        times_s: instants in seconds, ascending, shape ``(steps,)``.
        scores: the match at each instant, shape ``(steps,)``; NaN where the video was not looked at.
    """

    times_s: FloatArray
    scores: FloatArray

    def __post_init__(self) -> None:
        if self.times_s.ndim != 1 or self.times_s.shape != self.scores.shape:
            raise ValueError(f"a curve needs as many times as scores, not {self.times_s.shape} and {self.scores.shape}")


@dataclass(frozen=True, slots=True)
class Attention:
    """Which words of a sentence a model looked at while it looked at a video.

    Attributes:
        words: as the model read them.
        times_s: instants in seconds, ascending, shape ``(steps,)``.
        weights: the share of each word at each instant, which sum to one there, shape ``(words, steps)``.
        layers: names of the model's layers that the weights are the mean of.
    """

    words: tuple[str, ...]
    times_s: FloatArray
    weights: FloatArray
    layers: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.times_s.ndim != 1 or self.weights.shape != (len(self.words), self.times_s.size):
            raise ValueError(f"{len(self.words)} words at {self.times_s.shape} times, not {self.weights.shape} weights")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one sentence in one video.

    Attributes:
        video: the video's path or identifier; empty where the moments, which then name theirs, lie in several.
        query: the sentence; empty where actions were looked for and the moments have labels.
        duration_s: the video's length in seconds.
        model: the name of the model that answered.
        moments: best first; empty when nothing in the video reaches the threshold.
        curve: the match at each instant, where the model has one.
        threshold: the score below which the model says "nothing found", where it has one.
        best_score: the score of the best moment, convincing or not, where there is one.
        attention: which words the model looked at, where it was asked for and the model has any.
        understood: whether a word of the sentence is known; None where nobody looked.
        guesses: the best there is where no moment reaches the threshold, best first.
    """

    video: str
    query: str
    duration_s: float
    model: str
    moments: tuple[Moment, ...]
    curve: Curve | None = None
    threshold: float | None = None
    best_score: float | None = None
    attention: Attention | None = None
    understood: bool | None = None
    guesses: tuple[Moment, ...] = ()

    @property
    def ranked(self) -> tuple[Moment, ...]:
        """The best moments first, convincing or not."""
        return self.moments or self.guesses


@dataclass(frozen=True, slots=True)
class Detections:
    """The actions that a model finds in one video.

    Attributes:
        video: the video's path or identifier.
        moments: each with its label, best first.
        duration_s: the video's length in seconds, where it is known.
        model: the name of the model, where it is known.
    """

    video: str
    moments: tuple[Moment, ...]
    duration_s: float | None = None
    model: str = ""


def iou(a: npt.ArrayLike, b: npt.ArrayLike) -> FloatArray:
    """Temporal intersection over union of every span of ``a`` with every span of ``b``.

    Args:
        a: spans in seconds, shape ``(n, 2)``.
        b: spans in seconds, shape ``(m, 2)``.

    Returns:
        Shape ``(n, m)``, in [0, 1]; zero where both spans are empty.

    >>> iou([[0, 10]], [[5, 15], [20, 30]]).round(3).tolist()
    [[0.333, 0.0]]
    """
    left = np.asarray(a, dtype=np.float64).reshape(-1, 2)
    right = np.asarray(b, dtype=np.float64).reshape(-1, 2)
    starts = np.maximum(left[:, None, 0], right[None, :, 0])
    ends = np.minimum(left[:, None, 1], right[None, :, 1])
    shared = np.clip(ends - starts, 0.0, None)
    lengths = (left[:, 1] - left[:, 0])[:, None] + (right[:, 1] - right[:, 0])[None, :]
    union = lengths - shared
    agreement: FloatArray = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return agreement


def nms(spans: npt.ArrayLike, scores: npt.ArrayLike, threshold: float, limit: int | None = None) -> IntArray:
    """Greedy temporal non-maximum suppression.

    Takes the best span, drops every other whose IoU with it exceeds ``threshold``, and goes on with what is left.
    Ties keep the order of the input.

    Args:
        spans: shape ``(n, 2)``, seconds.
        scores: shape ``(n,)``.
        threshold: IoU above which the weaker of two spans is dropped (0.8 on Charades-STA, 0.3 on THUMOS14).
        limit: stop after this many.

    Returns:
        Indices of the kept spans, best first.

    >>> nms([[0, 10], [1, 10], [20, 30]], [0.5, 0.9, 0.1], threshold=0.5).tolist()
    [1, 2]
    """
    boxes = np.asarray(spans, dtype=np.float64).reshape(-1, 2)
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    kept: list[int] = []
    while order.size and (limit is None or len(kept) < limit):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[iou(boxes[best], boxes[rest])[0] <= threshold]
    return np.array(kept, dtype=np.int64)


def within(moments: Sequence[Moment], duration_s: float, video: str) -> tuple[Moment, ...]:
    """The moments that begin before the video's end, cut off there, with the video's name.

    Args:
        moments: in any order, which stays.
        duration_s: the video's length in seconds.
        video: its name, or nothing.
    """
    return tuple(
        Moment(moment.start_s, min(moment.end_s, duration_s), moment.score, moment.query, video or None)
        for moment in moments
        if moment.start_s < duration_s
    )


def best_around(times_s: FloatArray, spans: npt.ArrayLike, scores: npt.ArrayLike) -> FloatArray:
    """At each instant the score of the best span around it, zero where there is none.

    Each span is halved into two that overlap and are as many instants long as a power of two; those of a length are
    put down together, and handed on to half the length. That takes time in proportion to the spans, and not to what
    they cover.

    Args:
        times_s: ascending instants in seconds, shape ``(instants,)``.
        spans: shape ``(n, 2)``, seconds; both ends count as inside.
        scores: none negative, shape ``(n,)``.

    Returns:
        Shape ``(instants,)``.

    >>> best_around(np.arange(5.0), [[0, 3], [2, 3], [9, 9]], [0.25, 0.5, 1.0]).tolist()
    [0.25, 0.25, 0.5, 0.5, 0.0]
    """
    boxes = np.asarray(spans, dtype=np.float64).reshape(-1, 2)
    first = np.searchsorted(times_s, boxes[:, 0], side="left")
    count = np.searchsorted(times_s, boxes[:, 1], side="right") - first
    covers = count > 0
    first, count, strength = first[covers], count[covers], np.asarray(scores, dtype=np.float64)[covers]
    # The exponent of the greatest power of two that is no more than the count.
    level = np.frexp(count)[1] - 1
    around: FloatArray = np.zeros(len(times_s))
    for power in range(int(level.max(initial=0)), -1, -1):
        half, own = 1 << power, level == power
        np.maximum.at(around, first[own], strength[own])
        np.maximum.at(around, first[own] + count[own] - half, strength[own])
        # What holds from an instant on for the whole length holds for its first half and for its second.
        if power:
            around[half // 2 :] = np.maximum(around[half // 2 :], around[: -(half // 2)])
    return around


def anchor_grid(duration_s: float, levels: int = 6, per_length: float = 4) -> FloatArray:
    """The paper's clip samplers (section 3.1.2): level ``i`` holds clips of length ``duration_s / 2**i``.

    Neighbours of a level stand ``length / per_length`` apart. With ``per_length=4`` level ``i`` has ``2**(i+2) - 3``
    clips, the count the paper gives (234 in six levels); the step of a third of the length that it also states gives
    ``3 * 2**i - 2``.

    Args:
        duration_s: length of the observed window, in seconds.
        levels: number of lengths.
        per_length: steps that a clip's own length is divided into.

    Returns:
        Spans in seconds, longest first, shape ``(n, 2)``.

    >>> len(anchor_grid(30.0)), len(anchor_grid(30.0, per_length=3))
    (234, 177)
    """
    grid = []
    for level in range(levels):
        length = duration_s / 2**level
        count = int(per_length * (2**level - 1)) + 1
        starts = np.arange(count) * (length / per_length)
        grid.append(np.stack([starts, starts + length], axis=1))
    return np.concatenate(grid)


_CLOCK = re.compile(r"^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$")


def parse_time(text: str) -> float:
    """Seconds from ``12.4``, ``1:02.5`` or ``1:02:03.25``.

    Raises:
        InputError: for anything else.

    >>> parse_time("1:02.5")
    62.5
    """
    match = _CLOCK.match(text.strip())
    if match is None:
        raise InputError(f"not a time: {text!r}; write seconds (12.4) or a clock (1:02.5, 1:02:03)")
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)


def format_time(seconds: float) -> str:
    """A clock that people read, to a tenth of a second: ``0:12.4``, ``1:02:03.2``.

    >>> format_time(59.96), format_time(3723.25)
    ('1:00.0', '1:02:03.2')
    """
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36000)
    minutes, rest = divmod(rest, 600)
    clock = f"{minutes:02d}:{rest // 10:02d}.{rest % 10}" if hours else f"{minutes}:{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{clock}" if hours else clock
