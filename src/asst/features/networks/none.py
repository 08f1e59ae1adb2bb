"""Features for methods that look at no video: a stand-in of one number, so that they go the way of the others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from asst.errors import InputError
from asst.features.extractor import Extractor, Progress
from asst.features.stores.native import FeatureStore
from asst.features.values import Features
from asst.video import Frames, probe

NAME = "none"


def placeholder_features(duration_s: float) -> Features:
    """One step as long as the video, of one number that says nothing."""
    return Features(np.zeros((1, 1), dtype=np.float32), 0.0, duration_s, NAME)


class PlaceholderStore(FeatureStore):
    """A store that has the stand-in for every video, of a nominal second; a record tells how long the video is."""

    def videos(self) -> tuple[str, ...]:
        """None that could be listed."""
        return ()

    def __contains__(self, video: str) -> bool:
        return True

    def read(self, video: str) -> Features:
        """See `FeatureStore`."""
        return placeholder_features(1.0)


class PlaceholderExtractor(Extractor):
    """Reads how long a video is, and no frame."""

    name, dimension = NAME, 1
    preprocessing = weights = precision = flow = ""

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """The stand-in for a file."""
        return placeholder_features(probe(video).duration_s)

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """The stand-in for frames in memory, as long as the last of them stands for."""
        last_s = max((float(some.times_s[-1]) for some in frames if len(some.times_s)), default=None)
        if last_s is None:
            raise InputError("no frame to look at; give at least one")
        return placeholder_features(max(last_s, 1e-3))


def absent(weights: Path | None = None) -> PlaceholderExtractor:
    """The extractor ``none``, which needs no weights."""
    return PlaceholderExtractor()
