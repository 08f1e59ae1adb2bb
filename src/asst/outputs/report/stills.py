"""Stills of a video for the page: every instant that any part of the page shows, decoded in one pass."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from asst.moments import format_time

_SHORT_SIDE = 180


class Still(NamedTuple):
    """The frame on display at an instant in seconds, its size in pixels, and the JPEG as a ``data:`` address."""

    time_s: float
    width: int
    height: int
    href: str

    @property
    def key(self) -> str:
        """The frame's own: the page holds each frame once, under its key."""
        return f"f{sha256(self.href.encode()).hexdigest()[:16]}"

    @property
    def caption(self) -> str:
        """What is said of it."""
        return f"Frame at {format_time(self.time_s)}"


def take_stills(video: Path, times_s: Iterable[float]) -> dict[float, Still]:
    """The frame on display at each instant, in seconds, in any order; the video is decoded once.

    Raises an `InputError` when the video cannot be read or ends before one of the instants.
    """
    from asst.video import STILL, frames, jpeg

    return {
        time_s: Still(
            time_s,
            pixels.shape[1],
            pixels.shape[0],
            f"data:image/jpeg;base64,{base64.b64encode(jpeg(pixels)).decode()}",
        )
        for batch in frames(video, times_s=sorted(set(times_s)), short_side=_SHORT_SIDE, crop=STILL)
        for pixels, time_s in zip(batch.pixels, batch.times_s.tolist(), strict=True)
    }
