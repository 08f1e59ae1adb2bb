"""Extractors side by side, for checkpoints of several streams: features are called by all names, joined by ``+``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path

from asst.features.extractor import Extractor, Progress
from asst.features.values import Features, concatenated
from asst.video import Frames


class JoinedExtractor:
    """Several extractors; a step of the first has the vectors of all of them, one after the other.

    Each reads the video for itself; `asst.features.two_stream` has those that share one reading.

    Args:
        parts: at least one, in the order of the streams.

    Attributes:
        name: of the parts, joined by ``+``.
        dimension: numbers in a vector.
        preprocessing: hashes of the parts, joined by ``+``.
        weights: likewise.
        precision: likewise, each format once.
        flow: how the parts find it, where they do.
    """

    def __init__(self, parts: Sequence[Extractor]) -> None:
        self.name = "+".join(part.name for part in parts)
        self.dimension = sum(part.dimension for part in parts)
        self.preprocessing = "+".join(part.preprocessing for part in parts)
        self.weights = "+".join(part.weights for part in parts)
        self.precision = "+".join(dict.fromkeys(part.precision for part in parts if part.precision))
        self.flow = ", ".join(dict.fromkeys(part.flow for part in parts if part.flow))
        self._parts = tuple(parts)

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """Features of a file.

        Raises:
            InputError: for a file that holds no video that can be read, or parts of different lengths.
        """
        parts = len(self._parts)

        def told(index: int) -> Progress | None:
            if progress is None:
                return None
            return lambda done_s, all_s: progress((index * all_s + done_s) / parts, all_s)

        found = [part.extract(video, progress=told(index)) for index, part in enumerate(self._parts)]
        return reduce(concatenated, found)

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """Features of frames, all of which are held in memory.

        Raises:
            InputError: when there is no frame, or the parts have different lengths.
        """
        held = list(frames)
        return reduce(concatenated, [part.extract_frames(held) for part in self._parts])
