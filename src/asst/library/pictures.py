"""A strip of small pictures of a video, one JPEG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asst.atomic import write_whole
from asst.video import STILL, frames, jpeg

PICTURES = 8
_SHORT_SIDE = 72


def write_strip(video: Path, duration_s: float, path: Path) -> None:
    """Writes `PICTURES` pictures of a video side by side, each from the middle of an equal share of it.

    Raises an `InputError` if the video cannot be read, or the strip not written.
    """
    times_s = [(k + 0.5) / PICTURES * duration_s for k in range(PICTURES)]
    pictures = [
        pixels
        for batch in frames(video, times_s=times_s, short_side=_SHORT_SIDE, crop=STILL, threads=1)
        for pixels in batch.pixels
    ]
    write_whole(path, jpeg(np.concatenate(pictures, axis=1)))
