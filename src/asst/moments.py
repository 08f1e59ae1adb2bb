"""Moments: spans of time in a video, how well two of them agree, and which ones to keep.

Everything here is arithmetic on seconds. Spans are arrays of shape ``(n, 2)`` with columns start and end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from asst.errors import InputError

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
Float16Array = npt.NDArray[np.float16]
IntArray = npt.NDArray[np.int64]

Confidence = Literal["sure", "likely", "weak"]
"""In words, how likely it is that a sentence applies: one scale for tables, files and the page."""
LEAST: dict[Confidence, float] = {"sure": 0.75, "likely": 0.5, "weak": 0.0}
"""The probability that each word begins at, the strongest word first."""

ROUNDING = 1e-9
"""By how much an IoU may exceed one that it equals but for rounding: the unit of time does not decide what is kept."""

# What two rows of a video may share at most, of the shorter; from which share of it on a moment is all of a video.
_SHARED_MOST, _WHOLE = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class Moment:
    """One span of a video with a score, in seconds from the video's first frame.

    Attributes:
        score: larger is better; its scale is the model's (see ``asst models``).
        query: the sentence it answers, if any.
        video: the video's path or identifier, if known.
        label: the class of a detected action, if any.
        confidence: what the score means in a word, where it is a calibrated probability.
        said: what people said of it, where a library remembers that; its score is then 1 or 0.

    Raises:
        ValueError: for a span that is not finite, starts before zero or does not end after its start.
    """

    start_s: float
    end_s: float
    score: float = 0.0
    query: str | None = None
    video: str | None = None
    label: str | None = None
    confidence: Confidence | None = None
    said: Literal["right", "wrong"] | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s) and math.isfinite(self.score)):
            raise ValueError(f"a moment needs finite times and score, not {self.start_s}, {self.end_s}, {self.score}")
        if self.start_s < 0 or self.end_s <= self.start_s:
            raise ValueError(f"a moment runs forward from zero on, not from {self.start_s} s to {self.end_s} s")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, repr=False)
class Curve:
    """How strongly each instant of a video matches a sentence, both of shape ``(steps,)``.

    The instants are in seconds, ascending; a score is NaN where the video was not looked at.
    """

    times_s: FloatArray
    scores: FloatArray

    def __post_init__(self) -> None:
        if self.times_s.ndim != 1 or self.times_s.shape != self.scores.shape:
            raise ValueError(f"a curve needs as many times as scores, not {self.times_s.shape} and {self.scores.shape}")

    def __repr__(self) -> str:
        return f"Curve({self.times_s.size} instants)"


@dataclass(frozen=True, slots=True, repr=False)
class Attention:
    """Which words of a sentence, as a model read them, it looked at while it looked at a video.

    The instants are in seconds, ascending, shape ``(steps,)``. The weights, ``(words, steps)``, are the share of each
    word at each instant, the mean of those of the named layers.
    """

    words: tuple[str, ...]
    times_s: FloatArray
    weights: FloatArray
    layers: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.times_s.ndim != 1 or self.weights.shape != (len(self.words), self.times_s.size):
            raise ValueError(f"{len(self.words)} words at {self.times_s.shape} times, not {self.weights.shape} weights")

    def __repr__(self) -> str:
        return f"Attention({' '.join(self.words)!r} at {self.times_s.size} instants)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one sentence in one video, or in all videos of a library.

    Attributes:
        video: the video's path or identifier; empty where the moments, which then name theirs, lie in several.
        query: the sentence; empty where actions were looked for and the moments have labels.
        duration_s: the length of what was asked, in seconds.
        model: the name of the model that answered.
        moments: what was found, best first; empty when nothing reaches the threshold.
        weaker: what else there is, below the threshold, best first.
        curve: the match at each instant, where the model has one.
        threshold: the score below which the model says "nothing found", where it has one.
        best_score: of the best moment, convincing or not, where there is one.
        attention: which words the model looked at, where it was asked for and the model has any.
        understood: whether a word of the sentence is known; None where nobody looked.
        by_video: of several videos, the answer of each that a moment lies in, in the order of the moments.
        parts: of several videos, how many parts were scored, and how many there were to choose from.
        faults: one line for each part that could not be scored.
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
    weaker: tuple[Moment, ...] = ()
    by_video: tuple[Answer, ...] = ()
    parts: tuple[int, int] = (1, 1)
    faults: tuple[str, ...] = ()

    @property
    def ranked(self) -> tuple[Moment, ...]:
        """The best moments first, found or weaker."""
        return self.moments + self.weaker

    def shown(self, *, every: bool) -> tuple[Moment, ...]:
        """What was found; with ``every`` the weaker too, and without, the best of them where nothing was found."""
        return self.ranked if every else self.moments or self.weaker[:1]


def check_sentences(sentences: Sequence[str]) -> None:
    """An `InputError` for one sentence in place of a list of them, or what is no text."""
    if isinstance(sentences, str):
        raise InputError(f"one sentence is not a list of them; give [{sentences!r}]")
    for sentence in sentences:
        if not isinstance(sentence, str):
            raise InputError(f"a sentence is text, not {sentence!r}; give a list of texts")


def check_question(sentences: Sequence[str], top: int, min_score: float | None) -> None:
    """An `InputError` for sentences that nothing can be asked by, ``top`` below one, or a score that is no number."""
    check_sentences(sentences)
    if not sentences or any(not sentence.strip() for sentence in sentences):
        raise InputError("an empty sentence describes nothing; give one with words in it")
    if top < 1:
        raise InputError(f"top is {top}; ask for at least one moment")
    if min_score is not None and math.isnan(min_score):
        raise InputError("min_score is no number; give the least score, or None for the model's threshold")


def confidence(probability: float) -> Confidence:
    """The word for a probability, as calibrated models score (``docs/models.md``).

    >>> confidence(0.8), confidence(0.6), confidence(0.3)
    ('sure', 'likely', 'weak')
    """
    return next((word for word, least in LEAST.items() if probability >= least), "weak")


def shown_score(score: float) -> str:
    """A score to three decimals, rounded down where a higher one would have another word.

    >>> shown_score(0.4999), shown_score(0.49949), shown_score(0.5)
    ('0.499', '0.499', '0.500')
    """
    text = f"{score:.3f}"
    return text if confidence(float(text)) == confidence(score) else f"{score - 0.0005:.3f}"


def iou(a: npt.ArrayLike, b: npt.ArrayLike) -> FloatArray:
    """Temporal intersection over union of every span of ``a``, ``(n, 2)``, with every span of ``b``, ``(m, 2)``.

    Returns:
        Shape ``(n, m)``, in [0, 1]; zero where both spans are empty.

    >>> iou([[0, 10]], [[5, 15], [20, 30]]).round(3).tolist()
    [[0.333, 0.0]]
    """
    shared, left, right = _shared(a, b)
    return _quotient(shared, left + right - shared)


def overlap(a: npt.ArrayLike, b: npt.ArrayLike) -> FloatArray:
    """What every span of ``a`` shares with every span of ``b``, as a share of the shorter; otherwise as `iou`.

    >>> overlap([[0, 10]], [[5, 15], [2, 4]]).tolist()
    [[0.5, 1.0]]
    """
    shared, left, right = _shared(a, b)
    return _quotient(shared, np.minimum(left, right))


def _shared(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Seconds that every two spans share, ``(n, m)``, and lengths of the first, ``(n, 1)``, and others, ``(1, m)``."""
    left = np.asarray(a, dtype=np.float64).reshape(-1, 1, 2)
    right = np.asarray(b, dtype=np.float64).reshape(1, -1, 2)
    starts, ends = np.maximum(left[..., 0], right[..., 0]), np.minimum(left[..., 1], right[..., 1])
    return np.clip(ends - starts, 0.0, None), left[..., 1] - left[..., 0], right[..., 1] - right[..., 0]


def _quotient(shared: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)


def nms(
    spans: npt.ArrayLike,
    scores: npt.ArrayLike,
    threshold: float,
    limit: int | None = None,
    measure: Callable[[npt.ArrayLike, npt.ArrayLike], FloatArray] = iou,
) -> IntArray:
    """Greedy temporal non-maximum suppression.

    Takes the best span, drops every other whose IoU with it, or another ``measure`` of how alike they are, exceeds
    ``threshold`` (0.8 on Charades-STA, 0.3 on THUMOS14), and goes on with what is left. Ties keep their order.

    Args:
        spans: shape ``(n, 2)``, seconds.
        scores: shape ``(n,)``.
        threshold: as above.
        limit: stop after this many.
        measure: as above.

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
        order = rest[measure(boxes[best], boxes[rest])[0] <= threshold + ROUNDING]
    return np.array(kept, dtype=np.int64)


def within(moments: Sequence[Moment], duration_s: float, video: str) -> tuple[Moment, ...]:
    """The moments that begin before the video's end, cut off there, with the video's name, in their order."""
    return tuple(
        replace(moment, end_s=min(moment.end_s, duration_s), video=video or None)
        for moment in moments
        if moment.start_s < duration_s
    )


def rows(
    moments: Iterable[Moment], duration_s: float, threshold: float | None
) -> tuple[tuple[Moment, ...], tuple[Moment, ...]]:
    """One moment for each place of a video: of those that overlap, nested ones included, the best stays.

    What is found, with at least the ``threshold``, goes before what is not. A moment that is all of the video stays
    only where no other that is found lies in it, however well it scores. A threshold of None finds all and leaves them
    as they are: such a model says by itself how much its answers may overlap.

    Returns:
        What is found and what is weaker, both best first.

    >>> whole, inside, other = Moment(0, 20, 0.9), Moment(2, 6, 0.8), Moment(5, 9, 0.1)
    >>> rows([whole, inside, other], 20.0, 0.25) == ((inside,), ())
    True
    >>> rows([whole, other], 20.0, 0.25) == ((whole,), ())
    True
    """
    if threshold is None:
        return tuple(sorted(moments, key=lambda own: -own.score)), ()
    ordered = sorted(
        moments, key=lambda own: (own.score < threshold, own.duration_s >= _WHOLE * duration_s, -own.score)
    )
    spans = [(own.start_s, own.end_s) for own in ordered]
    kept = [ordered[k] for k in nms(spans, -np.arange(len(spans)), _SHARED_MOST, measure=overlap)]
    kept.sort(key=lambda own: -own.score)
    return tuple(own for own in kept if own.score >= threshold), tuple(own for own in kept if own.score < threshold)


def by_video(moments: Iterable[Moment]) -> dict[str, tuple[Moment, ...]]:
    """Moments of many videos: the video of the best one first, and those of each video best first.

    >>> own = [Moment(0, 1, 0.5, video="a"), Moment(0, 1, 0.9, video="b"), Moment(4, 5, 0.7, video="a")]
    >>> [(video, [moment.score for moment in some]) for video, some in by_video(own).items()]
    [('b', [0.9]), ('a', [0.7, 0.5])]
    """
    groups: dict[str, tuple[Moment, ...]] = {}
    for moment in sorted(moments, key=lambda own: -own.score):
        groups[moment.video or ""] = (*groups.get(moment.video or "", ()), moment)
    return groups


def best_around(times_s: FloatArray, spans: npt.ArrayLike, scores: npt.ArrayLike) -> FloatArray:
    """At each ascending instant ``(instants,)`` the score of the best span around it, zero where there is none.

    Spans are of shape ``(n, 2)``, in seconds, both ends inside; of the scores, ``(n,)``, none is negative.

    >>> best_around(np.arange(5.0), [[0, 3], [2, 3], [9, 9]], [0.25, 0.5, 1.0]).tolist()
    [0.25, 0.25, 0.5, 0.5, 0.0]
    """
    boxes, strengths = np.asarray(spans, dtype=np.float64).reshape(-1, 2), np.asarray(scores, dtype=np.float64)
    first = np.searchsorted(times_s, boxes[:, 0], side="left")
    after = np.searchsorted(times_s, boxes[:, 1], side="right")
    around: FloatArray = np.zeros(len(times_s))
    for own in np.argsort(strengths):
        around[first[own] : after[own]] = strengths[own]
    return around


def anchor_grid(duration_s: float, levels: int = 6, per_length: float = 4) -> FloatArray:
    """The paper's clip samplers (section 3.1.2): level ``i`` holds clips of length ``duration_s / 2**i``.

    Neighbours of a level stand ``length / per_length`` apart. With ``per_length=4`` level ``i`` has ``2**(i+2) - 3``
    clips, the count the paper gives (234 in six levels); the step of a third of the length that it also states gives
    ``3 * 2**i - 2``. Gives spans in seconds, longest first, shape ``(n, 2)``.

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


def piece_clips(pieces: int = 6) -> tuple[tuple[int, int], ...]:
    """Every run of neighbouring pieces, as its first and last piece: 21 for the six of five seconds that DiDeMo has.

    >>> len(piece_clips()), piece_clips(2)
    (21, ((0, 0), (0, 1), (1, 1)))
    """
    return tuple((first, last) for first in range(pieces) for last in range(first, pieces))


def format_time(seconds: float) -> str:
    """A clock that people read, to a tenth of a second: ``0:12.4``, ``1:02:03.2``.

    Halves are rounded up, as on the page.

    >>> format_time(59.96), format_time(3723.25)
    ('1:00.0', '1:02:03.3')
    """
    tenths = math.floor(seconds * 10 + 0.5 + 1e-6)
    hours, rest = divmod(tenths, 36000)
    minutes, rest = divmod(rest, 600)
    clock = f"{minutes:02d}:{rest // 10:02d}.{rest % 10}" if hours else f"{minutes}:{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{clock}" if hours else clock
