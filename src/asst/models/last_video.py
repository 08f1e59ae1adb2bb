"""What is made once of a video and asked for again: kept for the video that was asked about last."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from asst.features.values import Features

T = TypeVar("T")


class LastVideo(Generic[T]):
    """Keeps what was made of the last features, in which they must not be held: they go when nobody else holds them.

    Args:
        make: makes it.
    """

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
