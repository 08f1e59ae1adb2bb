"""The frames of a video as arrays, one batch at a time, at the instants that are asked for."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.video.picture import Converter, Crop, Pixels, thumbnailer
from asst.video.source import Decoded, Source

ThumbnailSink = Callable[[float, Pixels], None]
"""Called with a frame's time in seconds and its `asst.video.picture.thumbnail`."""

# Instants are floats and time stamps are fractions: a frame due within this is on time.
_ON_TIME_S = 1e-6
# Stated lengths may be off by this much, so an instant this far past the end is answered with the last frame.
_PAST_END_S = 0.5


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frames:
    """A batch of frames; a ValueError for other shapes or types, or times that are not finite or go back.

    Attributes:
        pixels: RGB, ``uint8``, shape ``(frames, height, width, 3)``. Where all frames are one it may be there
            once only, as a view of no strides that cannot be written to; see `held`.
        times_s: the instant each frame stands for, ascending, in seconds from the video's first frame, ``(frames,)``.
    """

    pixels: npt.NDArray[np.uint8]
    times_s: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 4 or self.pixels.shape[3] != 3:
            raise ValueError(
                f"frames are uint8 (frames, height, width, 3), not {self.pixels.dtype} {self.pixels.shape}"
            )
        if self.times_s.dtype != np.float64 or self.times_s.shape != self.pixels.shape[:1]:
            raise ValueError(f"{len(self.pixels)} frames need as many float64 times, not {self.times_s.shape}")
        if not np.isfinite(self.times_s).all() or (np.diff(self.times_s) < 0).any():
            raise ValueError("frame times are finite and ascending")

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def held(self) -> bool:
        """Whether all frames are one that is there once, as where nothing new is shown for a long time."""
        return len(self) > 1 and self.pixels.strides[0] == 0

    def __repr__(self) -> str:
        span = f"{self.times_s[0]:.3f}..{self.times_s[-1]:.3f}" if len(self) else "none"
        return f"Frames(pixels={self.pixels.shape}, times_s={span})"


@dataclass(frozen=True, slots=True)
class Grid:
    """The instants ``k / rate`` in ``[start_s, end_s)``."""

    rate: float
    start_s: float
    end_s: float

    def __iter__(self) -> Iterator[float]:
        k = math.ceil(self.start_s * self.rate - _ON_TIME_S)
        while k / self.rate < self.end_s:
            yield k / self.rate
            k += 1

    def first_from(self, time_s: float) -> float:
        """The first instant at or after a time; infinity if there is none."""
        instant = math.ceil(max(time_s, self.start_s) * self.rate - _ON_TIME_S) / self.rate
        return instant if instant < self.end_s else math.inf


@dataclass(frozen=True, slots=True)
class Listed:
    """Instants that were named one by one."""

    times_s: tuple[float, ...]

    def __iter__(self) -> Iterator[float]:
        return iter(self.times_s)

    def first_from(self, time_s: float) -> float:
        """As of `Grid`."""
        at = bisect_left(self.times_s, time_s)
        return self.times_s[at] if at < len(self.times_s) else math.inf


def frames(
    path: str | Path,
    *,
    rate: float | None = None,
    times_s: Sequence[float] | None = None,
    size: tuple[int, int] | None = None,
    short_side: int | None = None,
    crop: Crop | None = None,
    batch: int = 32,
    start_s: float = 0.0,
    end_s: float | None = None,
    threads: int | None = None,
    thumbnails: ThumbnailSink | None = None,
) -> Iterator[Frames]:
    """The frames of a video, in batches, decoded as they are read; memory does not grow with the video's length.

    The frame at an instant is the one on display then: the last whose PTS is not after it. It may come more than once.
    Frames are deinterlaced, and upright as the display matrix says. Packets that cannot be decoded are passed over, the
    frame before standing in, and counted in a warning of the logger ``asst.video`` at the end.

    Args:
        path: a local video file.
        rate: sample the instants ``k / rate`` seconds; ``times_s`` of the batches are these instants.
        times_s: sample these instants, ascending, seconds from the first frame. Key frames far ahead are sought.
            Without ``rate`` or ``times_s`` every frame comes once, with its own time.
        size: exact ``(width, height)`` in pixels.
        short_side: pixels of the shorter side, aspect kept. Without either, the size as displayed.
        crop: what is kept of long frames, before anything else; without it they are kept whole.
        batch: frames in a batch; the last may have fewer.
        start_s: nothing before this, seconds from the first frame. Not with ``times_s``, as ``end_s``.
        end_s: nothing at or after this.
        threads: how many decode; by default one a core, which is quickest, but more work in all than one alone.
        thumbnails: told of all that is decoded on the way, sampled or not: each frame's time and `thumbnail`, before
            the instants that it is shown at are given. Of H.264 and HEVC some in the middle of shots are not decoded.
            With ``rate`` alone.

    Raises:
        InputError: for a file that holds no readable frame, a time beyond its end, or options that make no sense.
    """
    _check(rate, times_s, size, short_side, batch, start_s, end_s)
    if thumbnails is not None and rate is None:
        raise InputError("thumbnails are of the pictures between instants; give a rate with them")
    if threads is not None and threads < 1:
        raise InputError(f"threads is {threads}; give 1 or more")
    source = Source(path, threads=threads)
    end_s = math.inf if end_s is None else end_s
    pictures = every(source, start_s, end_s)
    if rate is not None:
        pictures = shown(source, Grid(rate, start_s, end_s), thumbnails)
    elif times_s is not None:
        pictures = shown(source, Listed(tuple(map(float, times_s))))
    convert = Converter(source.stream, source.first.frame, size, short_side, crop)
    return batched(_converted(source, pictures, convert), batch)


def _check(
    rate: float | None,
    times_s: Sequence[float] | None,
    size: tuple[int, int] | None,
    short_side: int | None,
    batch: int,
    start_s: float,
    end_s: float | None,
) -> None:
    if rate is not None and not (math.isfinite(rate) and rate > 0):
        raise InputError(f"rate is {rate}; give frames a second, more than zero")
    if times_s is not None:
        if rate is not None or start_s or end_s is not None:
            raise InputError("times_s name the instants; leave out rate, start_s and end_s")
        listed = [-math.inf, *times_s]
        if any(not math.isfinite(t) or t < 0 or t < before for before, t in zip(listed, times_s, strict=False)):
            raise InputError("times_s are seconds from the first frame; give them ascending, none below zero")
    if size is not None and (short_side is not None or len(size) != 2 or min(size) < 1):
        raise InputError(f"size is {size}; give a width and a height in pixels, and no short_side with them")
    if short_side is not None and short_side < 1:
        raise InputError(f"short_side is {short_side}; give pixels, 1 or more")
    if batch < 1:
        raise InputError(f"batch is {batch}; give 1 or more frames")
    if not (math.isfinite(start_s) and start_s >= 0) or (end_s is not None and not end_s > start_s):
        raise InputError(f"the span {start_s} to {end_s} s is empty; start at zero or later and end after that")


def _converted(
    source: Source, pictures: Iterable[tuple[float, Decoded]], convert: Converter
) -> Iterator[tuple[float, Pixels]]:
    """Each instant with its frame as an array; a frame that stands for several instants is converted once."""
    with source:
        before: Decoded | None = None
        for time_s, picture in pictures:
            if picture is not before:
                before, pixels = picture, convert(picture.frame)
            yield time_s, pixels


def batched(pictures: Iterable[tuple[float, Pixels]], most: int) -> Iterator[Frames]:
    """Instants in seconds and the frames shown then, in batches of one size each; all of one frame hold it once."""
    times: list[float] = []
    first: Pixels | None = None
    several: Pixels | None = None
    for time_s, pixels in pictures:
        if first is not None and (len(times) == most or pixels.shape != first.shape):
            yield _batch(first, several, times)
            times, first, several = [], None, None
        if first is None:
            first = pixels
        elif several is None and pixels is not first:
            several = np.empty((most, *first.shape), dtype=np.uint8)
            several[: len(times)] = first
        if several is not None:
            several[len(times)] = pixels
        times.append(time_s)
    if first is not None:
        yield _batch(first, several, times)


def _batch(first: Pixels, several: Pixels | None, times: list[float]) -> Frames:
    if several is not None:
        pixels = several[: len(times)]
    else:
        pixels = first[None].copy() if len(times) == 1 else np.broadcast_to(first, (len(times), *first.shape))
    return Frames(pixels, np.array(times))


def every(source: Source, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[tuple[float, Decoded]]:
    """Each frame whose own time is in ``[start_s, end_s)``; raises InputError if the video ends before that."""
    if source.worth_seeking(source.pts_at(start_s)):
        source.go_to(source.pts_at(start_s))
    last = source.first
    for last in source.decoded():
        time_s = source.time_s(last.pts)
        if time_s >= end_s - _ON_TIME_S:
            return
        if time_s >= start_s - _ON_TIME_S:
            yield time_s, last
    _at_end(source, last, start_s)


def shown(
    source: Source, instants: Grid | Listed, thumbnails: ThumbnailSink | None = None
) -> Iterator[tuple[float, Decoded]]:
    """Each instant up to the video's end, with the frame on display then; raises InputError for one beyond the end."""
    if not source.interlaced:
        source.schedule.wanted = lambda pts, after: (
            instants.first_from(source.time_s(pts) - _ON_TIME_S) < source.time_s(after) + _ON_TIME_S
        )
    source.schedule.changes = thumbnails is not None
    pictures = source.decoded() if thumbnails is None else _told(source, thumbnails)
    current, ahead = source.first, next(pictures, None)
    for time_s in instants:
        pts = source.pts_at(time_s + _ON_TIME_S)
        if thumbnails is None and ahead is not None and ahead.pts <= pts and source.worth_seeking(pts):
            source.go_to(pts)
            pictures = source.decoded()
            ahead = next(pictures, None)
        while ahead is not None and ahead.pts <= pts:
            current, ahead = ahead, next(pictures, None)
        if ahead is None and time_s >= source.end_s(current) - _ON_TIME_S:
            if isinstance(instants, Grid):
                break
            _at_end(source, current, time_s - _PAST_END_S)
        yield time_s, current
    if ahead is None:
        _at_end(source, current, instants.start_s if isinstance(instants, Grid) else 0.0)


def _told(source: Source, thumbnails: ThumbnailSink) -> Iterator[Decoded]:
    """What is decoded, told of before it is used."""
    thumbnail_of = thumbnailer()
    for picture in source.decoded():
        thumbnails(source.time_s(picture.pts), thumbnail_of(picture.frame))
        yield picture


def _at_end(source: Source, last: Decoded, start_s: float) -> None:
    """Refuse a start that lies beyond the last frame; tell if the file was cut short."""
    ends = source.end_s(last)
    if start_s > ends - _ON_TIME_S:
        raise InputError(f"{source.path} ends at {ends:.2f} s; ask for a time before that, not {start_s:.2f} s")
    source.tell_if_cut_short(last)
