"""Stills of a video for the page: every instant that any part of the page shows, decoded in one pass."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.errors import InputError

_SHORT_SIDE = 180
_JPEG_QUALITY = 72


@dataclass(frozen=True, slots=True)
class Picture:
    """One still.

    Attributes:
        time_s: its own instant, in seconds.
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
        A picture for each instant asked for.

    Raises:
        InputError: when the video cannot be read or holds no frame.
    """
    from asst.video import frames

    wanted = sorted(set(times_s))
    taken: list[Picture] = []
    for batch in frames(video, times_s=wanted, short_side=_SHORT_SIDE):
        taken += [_picture(pixels, time) for pixels, time in zip(batch.pixels, batch.times_s.tolist(), strict=True)]
    if not taken:
        raise InputError(f"{video}: holds no frame to show")
    # The frame on screen at an instant is the last that began by then; the first stands in for anything before it.
    began_s = np.array([picture.time_s for picture in taken])
    shown = np.searchsorted(began_s, np.array(wanted) + 1e-6, side="right") - 1
    return {time: taken[max(0, int(index))] for time, index in zip(wanted, shown, strict=True)}


def _picture(pixels: npt.NDArray[np.uint8], time_s: float) -> Picture:
    from PIL import Image

    image = Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=_JPEG_QUALITY, optimize=True)
    href = "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Picture(time_s, image.width, image.height, href)
