"""What is in a video file: length, size, rate and streams, without decoding it all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from asst.errors import InputError
from asst.video.picture import display_size
from asst.video.source import Source

_TIME_CODE = re.compile(r"\d{2}:\d{2}:\d{2}[:;.]\d{2,3}")


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """A video file's facts; a ValueError for a size or a length that is not positive.

    Attributes:
        path: the file.
        duration_s: from the first frame to the end of the last one, in seconds.
        width: in square pixels, as displayed; ``height`` likewise.
        rate: frames a second, on average.
        start_s: the first frame's time on the file's own clock, in seconds.
        codec: the name of what the frames are coded by.
        has_audio: whether there is sound.
        time_code: the first frame's time code as the file states it, ``HH:MM:SS:FF``, with ``;`` or ``.`` before the
            frame where frame numbers are dropped; None where it states none.
    """

    path: str
    duration_s: float
    width: int
    height: int
    rate: Fraction
    start_s: float
    codec: str
    has_audio: bool
    time_code: str | None = None

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1 or not self.duration_s > 0 or self.rate <= 0:
            raise ValueError(
                f"no such video: {self.width}x{self.height} pixels, {self.duration_s} s, {self.rate} frames a second"
            )


def probe(path: str | Path) -> VideoInfo:
    """Read a local video file's facts; an `InputError` if no frame in it can be decoded, or none of them lasts.

    The length comes from the time stamps of the last packets, as containers round theirs or count the sound's. Where
    the file cannot be sought in, or holds nothing where its index says that it ends, all packets are read, not decoded.
    """
    with Source(path) as source:
        duration_s = _duration_s(source)
        if duration_s <= 0:
            raise InputError(f"{path} is damaged: its pictures last no time; check that it plays")
        width, height = display_size(source.stream, source.first.frame)
        return VideoInfo(
            path=str(path),
            width=width,
            height=height,
            rate=source.rate,
            start_s=float(source.first.pts * source.time_base),
            codec=source.stream.codec_context.name,
            has_audio=bool(source.container.streams.audio),
            duration_s=duration_s,
            time_code=_time_code(source),
        )


def _time_code(source: Source) -> str | None:
    """The video stream's own time code; else the file's, else that of a track of time codes."""
    container = source.container
    for tags in (source.stream.metadata, container.metadata, *(stream.metadata for stream in container.streams)):
        # Matroska writes the names of tags in capitals.
        for name, value in tags.items():
            if name.lower() == "timecode" and _TIME_CODE.fullmatch(value):
                return value
    return None


def _duration_s(source: Source) -> float:
    """From the first frame to the end of the last, in seconds."""
    end = source.index.end if source.index is not None else None
    if end is None and (last := source.stated_end) is not None and source.seek(last):
        end = _last_tick(source)
    if end is None:
        source.rewind()
        end = _last_tick(source)
    return source.time_s(end if end is not None else source.first.pts + source.frame_ticks)


def _last_tick(source: Source) -> int | None:
    """The end of the frame shown last among the packets ahead; ``None`` if there are none."""
    last: tuple[int, int] | None = None
    without_times = 0
    for packet in source.packets():
        pts = packet.pts if packet.pts is not None else packet.dts
        if pts is not None and not packet.is_discard:
            last = max(last or (pts, 0), (pts, source.lasts(packet.duration)))
        without_times += packet.size > 0 and pts is None
    if last is None:
        return source.first.pts + without_times * source.frame_ticks if without_times else None
    return sum(last)
