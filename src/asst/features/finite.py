"""Features with a number that is not finite are refused where they are read, with the video, the step and the stream.

One such number spreads over all that is computed of it, and whatever comes out says nothing of where it came from.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asst.errors import InputError
from asst.features.spill import pieces
from asst.features.values import Features


def require_finite(features: Features, where: str) -> None:
    """Looks through all of the vectors, a few megabytes at a time.

    Args:
        features: to be read.
        where: the file and the video.

    Raises:
        InputError: naming the first step that holds a NaN or an infinity.
    """
    at = 0
    for piece in pieces(features.vectors):
        faulty = ~np.isfinite(piece)
        if faulty.any():
            step, number = (int(place[0]) for place in faulty.nonzero())
            time_s = features.start_s + (at + step) * features.step_s
            raise InputError(
                f"{where}: step {at + step} ({time_s:g} s) of {features.extractor} holds {piece[step, number]} "
                f"at number {number}, which is not finite in {piece.dtype}; extract the video again"
            )
        at += len(piece)


class FiniteFiles:
    """Remembers which files were looked through, so that one which is read for every sample is so once."""

    def __init__(self) -> None:
        self._sound: dict[tuple[Path, str], tuple[int, int]] = {}

    def require(self, features: Features, video: str, path: Path) -> None:
        """As `require_finite`, unless the video has been found sound and its file is still the same.

        Raises:
            InputError: likewise.
        """
        stat = path.stat()
        version = stat.st_mtime_ns, stat.st_size
        if self._sound.get((path, video)) != version:
            require_finite(features, f"{path}, {video}")
            self._sound[path, video] = version
