"""How sure a mean or a median over queries is: percentile bootstrap that resamples videos.

Sentences about one video stand or fall together, so a query is no independent draw; its video is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.moments import FloatArray

DRAWS = 2000
BLOCK = 1 << 20
"""Group indices drawn at once: bounds memory at some 20 MB whatever the number of videos."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the interval that holds the middle ``level`` of its bootstrap distribution.

    The ends are NaN if there is one group only, which says nothing about others.
    """

    mean: float
    low: float
    high: float
    level: float = 0.95

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean) or self.low > self.high or not 0 < self.level < 1:
            raise ValueError(f"not an interval: {self.low} .. {self.high} around {self.mean} at level {self.level}")


def interval_of(mean: float, draws: FloatArray, level: float = 0.95) -> Interval:
    """What the middle of some draws is."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(mean), float(low), float(high), level)


def bootstrap_interval(
    values: npt.ArrayLike, groups: npt.ArrayLike, level: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """The percentile interval of the mean of ``values`` when whole groups are drawn with replacement.

    Each draw takes as many groups as there are and averages over all their queries, so a video with many queries weighs
    as it does in the mean itself. There is one number a query, ``(queries,)``, and the group of each, such as its
    video. The same seed gives the same interval. Raises a ValueError for no value, a value that is not finite, unequal
    lengths, or ``level`` or ``draws`` out of range.

    >>> interval = bootstrap_interval([1, 1, 0, 0, 1, 0], ["a", "a", "b", "b", "c", "c"])
    >>> interval.mean, round(interval.low, 3), round(interval.high, 3)
    (0.5, 0.0, 1.0)
    """
    if not 0 < level < 1 or draws < 1:
        raise ValueError(f"level is in (0, 1) and draws at least 1, not {level} and {draws}")
    numbers, member_of = _checked(values, groups)
    counts: FloatArray = np.bincount(member_of).astype(np.float64)
    sums: FloatArray = np.bincount(member_of, weights=numbers).astype(np.float64)
    mean = float(numbers.mean())
    if len(counts) == 1:
        return Interval(mean, math.nan, math.nan, level)
    means = _resampled_means(sums, counts, draws, np.random.default_rng(seed))
    return interval_of(mean, means, level)


def bootstrap_median(values: npt.ArrayLike, groups: npt.ArrayLike, draws: int = DRAWS, seed: int = 0) -> Interval:
    """The interval of the median of ``values``, which stands as its ``mean``; else as `bootstrap_interval`.

    >>> bootstrap_median([1, 2, 9, 4], ["a", "b", "c", "d"]).mean
    3.0
    """
    numbers, member_of = _checked(values, groups)
    median, size = float(np.median(numbers)), int(member_of.max()) + 1
    if size == 1:
        return Interval(median, math.nan, math.nan)
    order = np.argsort(numbers, kind="stable")
    ascending, members = numbers[order], member_of[order]
    random = np.random.default_rng(seed)
    medians = np.empty(draws)
    for draw in range(draws):
        # How often each value is drawn; the median lies in the middle of these, or between the two there.
        upto = np.bincount(random.integers(size, size=size), minlength=size)[members].cumsum()
        middle = np.searchsorted(upto, [(upto[-1] + 1) // 2, upto[-1] // 2 + 1])
        medians[draw] = ascending[middle].mean()
    return interval_of(median, medians)


def bootstrap_runs(runs: npt.ArrayLike, groups: npt.ArrayLike, others: npt.ArrayLike | None = None) -> Interval:
    """The interval of the mean over several runs of one system, or of its difference from another's.

    Every draw takes videos with replacement, the same for all runs, and runs with replacement, for each system by
    itself. Few runs say little of others: with three of them their part of the interval is too small by a fifth.
    ``runs`` is one number a query of each run, shape ``(runs, queries)``, ``others`` likewise of the system that is
    subtracted; ``groups`` and errors are those of `bootstrap_interval`.

    >>> interval = bootstrap_runs([[1, 0, 1], [1, 1, 1]], ["a", "b", "c"], [[0, 0, 0]])
    >>> round(interval.mean, 3), interval.high
    (0.833, 1.0)
    """
    systems = [np.asarray(values, dtype=np.float64) for values in (runs, others) if values is not None]
    (member_of, *_) = [_checked(run, groups)[1] for system in systems for run in system]
    size = int(member_of.max()) + 1
    random = np.random.default_rng(0)
    drawn = random.multinomial(size, np.full(size, 1 / size), size=DRAWS).T.astype(np.float64)
    weights = np.bincount(member_of).astype(np.float64) @ drawn
    mean, means = 0.0, np.zeros(DRAWS)
    for sign, system in zip((1, -1), systems, strict=False):
        sums = np.stack([np.bincount(member_of, weights=run, minlength=size) for run in system])
        chosen = random.integers(len(system), size=(len(system), DRAWS))
        means += sign * np.take_along_axis(sums @ drawn / weights, chosen, axis=0).mean(axis=0)
        mean += sign * float(system.mean())
    return Interval(mean, math.nan, math.nan) if size == 1 else interval_of(mean, means)


def _checked(values: npt.ArrayLike, groups: npt.ArrayLike) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The values, and the number of each one's group."""
    numbers: FloatArray = np.asarray(values, dtype=np.float64)
    names = np.asarray(groups)
    if numbers.ndim != 1 or numbers.shape != names.shape or not numbers.size:
        raise ValueError(f"one value and one group a query are needed, not shapes {numbers.shape} and {names.shape}")
    if not np.isfinite(numbers).all():
        raise ValueError("a value is not finite; a query without answer counts as zero")
    return numbers, np.unique(names, return_inverse=True)[1]


def _resampled_means(sums: FloatArray, counts: FloatArray, draws: int, random: np.random.Generator) -> FloatArray:
    """The mean of each draw, shape ``(draws,)``, from each group's sum and number of queries."""
    rows = max(1, BLOCK // len(counts))
    means = []
    for first in range(0, draws, rows):
        drawn = random.integers(len(counts), size=(min(rows, draws - first), len(counts)))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    return np.concatenate(means)
