"""Stills of a video for the page: every instant that any part of the page shows, decoded in one pass."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_SHORT_SIDE = 180


@dataclass(frozen=True, slots=True)
class Picture:
    """One still.

    Attributes:
        time_s: the instant it was asked for, in seconds.
        width: pixels.
        height: pixels.
        href: the JPEG as a ``data:`` address.
    """

    time_s: float
    width: int
    height: int
    href: str


def take_pictures(video: Path, times_s: Iterable[float]) -> dict[float, Picture]:
    """Decode the video once and keep the frame shown at each instant.

    Args:
        video: the file.
        times_s: instants in seconds, in any order; repeats cost nothing.

    Returns:
        The frame on display at each instant asked for.

    Raises:
        InputError: when the video cannot be read or ends before one of the instants.
    """
    from asst.video import STILL, frames

    wanted = sorted(set(times_s))
    return {
        time_s: _picture(pixels, time_s)
        for batch in frames(video, times_s=wanted, short_side=_SHORT_SIDE, crop=STILL)
        for pixels, time_s in zip(batch.pixels, batch.times_s.tolist(), strict=True)
    }


def _picture(pixels: npt.NDArray[np.uint8], time_s: float) -> Picture:
    from asst.video import jpeg

    height, width, _ = pixels.shape
    return Picture(time_s, width, height, "data:image/jpeg;base64," + base64.b64encode(jpeg(pixels)).decode("ascii"))
