"""A video as every sentence finds it, and what is kept of the video that was asked about last."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.values import SAME_CLOCK, Features
from asst.features.zeroshot.crops import STEP_S, TICK_RATE, TICKS_A_STEP
from asst.features.zeroshot.space import Space
from asst.models.zeroshot.proposals import Proposals, proposals

IntArray = npt.NDArray[np.int64]
T = TypeVar("T")

HALF = 2.44
"""The z-score with a probability of a half; see `asst.models.zeroshot.query_scores.SLOPE`."""

# Ticks: times are floats, and a cut within this of a tick is on it.
_ON_TIME = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class VideoContext:
    """A video as every sentence finds it.

    ``cuts`` are the ticks that new shots are seen at first, none of them the first tick of all; ``proposals`` are spans
    that can be answered with, and ``half`` is the z-score with a score of a half.
    """

    features: Features
    cuts: IntArray
    proposals: Proposals
    half: float = HALF

    @property
    def first_of_shot(self) -> IntArray:
        """The first whole step of each shot but the first, ascending."""
        return -(-self.cuts // TICKS_A_STEP)

    def seconds(self, spans: IntArray) -> npt.NDArray[np.float64]:
        """Spans in ticks, ``(spans, 2)``, as seconds: exact where an end is a cut, else as the ticks lie."""
        start_s, ticks = self.features.start_s, len(self.features) * TICKS_A_STEP
        bounds_s: npt.NDArray[np.float64] = start_s + np.arange(ticks + 1) / TICK_RATE
        cuts = _first_ticks(self.features)
        inside = (cuts >= 0) & (cuts < len(bounds_s))
        bounds_s[cuts[inside]] = self.features.cuts_s[inside]
        return bounds_s[spans]


class LastVideo(Generic[T]):
    """Keeps what was made of the last features, in which they must not be held: they go when nobody else holds them."""

    def __init__(self, make: Callable[[Features], T]) -> None:
        self._make = make
        self._kept: tuple[weakref.ref[Features], T] | None = None

    def __call__(self, features: Features) -> T:
        """What is made of some features; made anew for others than the last. Threads may ask at once."""
        # Read once and returned from here: another thread may keep another video's in between.
        kept = self._kept
        if kept is not None and kept[0]() is features:
            return kept[1]
        made = self._make(features)
        self._kept = (weakref.ref(features), made)
        return made


def cuts_and_proposals(features: Features) -> tuple[IntArray, Proposals]:
    """What a context has besides the features."""
    cuts, ticks = _first_ticks(features), len(features) * TICKS_A_STEP
    inner = cuts[(cuts > 0) & (cuts < ticks)]
    return inner, proposals(ticks, inner)


def check_features(features: Features, space: Space, reader: str) -> None:
    """Refuses features of another extractor or version of it, or on steps of another length, with an `InputError`."""
    given, wanted = features.extractor, space.extractor
    if given != wanted:
        fault = f"reads features of {wanted}, not of {given}"
    elif features.dimension != space.dimension:
        fault = f"reads {wanted} of dimension {space.dimension}, not {features.dimension} as another version of it made"
    elif abs(features.step_s - STEP_S) > SAME_CLOCK * STEP_S:
        fault = f"reads a vector every {STEP_S:g} s, not every {features.step_s:g} s"
    else:
        return
    raise InputError(f"{reader} {fault}; extract them again")


def _first_ticks(features: Features) -> IntArray:
    """The ticks that new shots are seen at first, one a cut."""
    return np.ceil((features.cuts_s - features.start_s) * TICK_RATE - _ON_TIME).astype(np.int64)
