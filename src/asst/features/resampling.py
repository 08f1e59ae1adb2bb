"""Frames at whatever instants, brought to a steady clock and to the size a network was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from asst.errors import InputError
from asst.video import Crop, Frames, ThumbnailSink, batched, thumbnail
from asst.video.picture import Pixels, scaled

# Instants are floats: a frame due within this is on time.
_ON_TIME_S = 1e-6
_LAST_S = 0.25


def ticks(
    batches: Iterable[Frames],
    rate: float,
    most: int,
    sized: Callable[[Pixels], Pixels],
    thumbnails: ThumbnailSink | None = None,
) -> Iterator[Frames]:
    """Frames at whatever instants, resampled to the ticks ``k / rate``, as a player shows them.

    Each tick has the last frame that had begun by then; the first frame also stands for the time before it. The last is
    taken to last as long as the one before it did, a quarter of a second at most, so that the ticks end where a file's
    do.

    Args:
        batches: on one clock; they may differ in the size of their frames, those that come do not.
        rate: ticks a second.
        most: ticks in a batch.
        sized: brings frames, ``(frames, height, width, 3)``, to their size; called once for each that is shown.
        thumbnails: told of every frame, shown at a tick or not, as `frames` tells of them.

    Raises:
        InputError: when a frame begins before the one before it.
    """
    return batched(_shown(batches, rate, sized, thumbnails), most)


def _shown(
    batches: Iterable[Frames], rate: float, sized: Callable[[Pixels], Pixels], thumbnails: ThumbnailSink | None
) -> Iterator[tuple[float, Pixels]]:
    """Each tick in seconds and the frame a player shows then."""
    tick = 0
    held: Pixels | None = None
    last_s, lasts_s = -np.inf, np.inf

    def until(end_s: float) -> Iterator[tuple[float, Pixels]]:
        nonlocal tick
        if held is None or tick / rate >= end_s:
            return
        (shown,) = sized(held[None])
        while tick / rate < end_s:
            yield tick / rate, shown
            tick += 1

    for batch in batches:
        for pixels, time_s in zip(batch.pixels, batch.times_s, strict=True):
            if time_s < last_s:
                raise InputError(f"frames go back from {last_s:g} s to {time_s:g} s; put every batch on one clock")
            yield from until(time_s - _ON_TIME_S)
            if thumbnails is not None:
                thumbnails(time_s, thumbnail(pixels))
            held, last_s, lasts_s = pixels, time_s, time_s - last_s
    yield from until(last_s + max(min(lasts_s, _LAST_S) - _ON_TIME_S, _ON_TIME_S))


def new_pictures(batches: Iterable[Frames]) -> Iterator[tuple[Pixels, int]]:
    """Each batch's new frames, and for how many ticks more the last frame is held; so a held one costs nothing."""
    last: Pixels | None = None
    for batch in batches:
        new = batch.pixels[:1] if batch.held else batch.pixels
        if batch.held and last is not None and np.may_share_memory(last, new):
            new = new[:0]
        last = batch.pixels
        yield new, len(batch) - len(new)


def pictures(batches: Iterable[Frames]) -> Iterator[Pixels]:
    """The frame of each tick; one and the same object for as long as a frame is held by batches of its own."""
    last: Pixels | None = None
    for new, held in new_pictures(batches):
        for last in new:
            yield last
        if last is not None:
            yield from repeat(last, held)


def short_side_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Height and width of a frame whose shorter side is so long, its aspect kept."""
    scale = short_side / min(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Pictures ``(pictures, height, width, 3)`` of another height and width, as frames of a file are brought to it."""
    if pixels.shape[1:3] == size:
        return pixels
    return np.stack([scaled(picture, *size[::-1]) for picture in pixels])


# Networks see a part in the middle that is no longer than this; frames longer than that are cut.
_MIDDLE_PART = Crop(1, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSize:
    """What frames are brought to before anything else; ``short_side`` or ``exact`` is given.

    Attributes:
        short_side: pixels of the shorter side, the aspect kept.
        exact: height and width in pixels, the aspect not kept; long frames are kept whole.
        grows: whether frames whose shorter side is shorter are enlarged.
        crop: what is kept of long frames before that.
    """

    short_side: int | None = None
    exact: tuple[int, int] | None = None
    grows: bool = True
    crop: Crop = _MIDDLE_PART

    def kept(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what is kept of a frame."""
        return (height, width) if self.exact else self.crop.size(width, height)[::-1]

    def of(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that what is kept of a frame is brought to."""
        if self.exact is not None:
            return self.exact
        assert self.short_side is not None
        if not self.grows and min(height, width) <= self.short_side:
            return height, width
        return short_side_size(height, width, self.short_side)

    def sized(self, pixels: Pixels) -> Pixels:
        """Frames of one size, ``(frames, height, width, 3)``, brought to theirs."""
        kept = pixels if self.exact else self.crop.kept(pixels, (pixels.shape[2], pixels.shape[1]))
        return resized(kept, self.of(*kept.shape[1:3]))


def centre(picture: Pixels, height: int, width: int) -> Pixels:
    """The middle of a frame, at most so high and wide; a view."""
    top, left = max(0, picture.shape[0] - height) // 2, max(0, picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]
