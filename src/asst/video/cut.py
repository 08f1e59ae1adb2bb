"""Cut a clip out of a video: exactly, by encoding it anew, or fast, by copying from the key frame before."""

from __future__ import annotations

import heapq
import itertools
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asst.atomic import is_refusal, write_error
from asst.errors import InputError
from asst.video.picture import filtered, graph_of, orientation
from asst.video.probe import probe
from asst.video.sound import copied_sound, encoded_sound
from asst.video.source import Decoded, Source

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame

_SUFFIXES = (".mkv", ".mov", ".mp4")
# crf 18 is about where people cease to see a difference. Without B-frames pictures are stored in the order they are
# shown, so that players and editors agree on where the clip starts and ends.
_X264 = {"crf": "18", "preset": "fast", "bf": "0"}
_ON_TIME_S = 1e-6
_PAST_END_S = 0.5


@dataclass(frozen=True, slots=True)
class CutReport:
    """What a cut clip holds.

    Attributes:
        path: the clip.
        start_s: its first frame's time in the source, seconds from the source's first frame.
        end_s: the end of its last frame, likewise.
        shift_s: how much later than asked it starts; negative for earlier, as a copy does that begins at a key frame.

    Raises:
        ValueError: for a span that is empty.
    """

    path: str
    start_s: float
    end_s: float
    shift_s: float

    def __post_init__(self) -> None:
        if not self.start_s < self.end_s:
            raise ValueError(f"a clip runs forward, not from {self.start_s} s to {self.end_s} s")


def cut(path: str | Path, start_s: float, end_s: float, out: str | Path, *, exact: bool = True) -> CutReport:
    """Write the span ``[start_s, end_s)`` of a video to a file of its own, with its sound.

    An exact clip begins with the frame on display at ``start_s``, which is shown from then on, and ends at ``end_s``;
    between them the frames' times are the source's. Subtitles and further sound tracks are left out. The file appears
    when it is complete.

    Args:
        path: the source.
        start_s: seconds from the source's first frame.
        end_s: likewise, later than ``start_s``.
        out: the clip; its suffix (``.mp4``, ``.mkv``, ``.mov``) names the container.
        exact: encode anew (H.264 and AAC; rotation and deinterlacing applied); else copy what is stored, from the key
            frame before ``start_s`` on, which is fast and loses nothing.

    Raises:
        InputError: for a span that is not inside the video, an output that cannot be written or that is the input, or a
            container that cannot hold the stored streams.
    """
    target = Path(out)
    _check_output(Path(path), target)
    if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s < end_s):
        raise InputError(f"cannot cut {start_s} to {end_s} s; start at zero or later and end after that")
    duration_s = probe(path).duration_s
    if start_s >= duration_s or end_s > duration_s + _PAST_END_S:
        raise InputError(f"{path} ends at {duration_s:.2f} s; cut within that, not {start_s} to {end_s} s")
    partial = target.with_name(f".{target.stem}.{os.getpid()}.partial{target.suffix}")
    try:
        with Source(path) as source:
            start, end = _write(source, start_s, min(end_s, duration_s), partial, exact=exact)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return CutReport(str(out), start, end, start - start_s)


def _check_output(path: Path, out: Path) -> None:
    if out.suffix.lower() not in _SUFFIXES:
        raise InputError(f"cannot write {out}: clips are {', '.join(_SUFFIXES)}; name one of these")
    if not out.parent.is_dir():
        raise InputError(f"cannot write {out}: there is no folder {out.parent}; make it first")
    if out.is_dir():
        raise InputError(f"cannot write {out}: it is a folder; name a file")
    if path.exists() and out.exists() and path.samefile(out):
        raise InputError(f"cannot write {out}: it is the video itself; name another file")


def _write(source: Source, start_s: float, end_s: float, out: Path, *, exact: bool) -> tuple[float, float]:
    """Write the clip; its start and end in seconds from the source's first frame."""
    import av

    try:
        with av.open(f"file:{out}", "w") as container:
            return (_encode if exact else _copy)(source, start_s, end_s, container)
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        if isinstance(error, OSError) and is_refusal(error):
            raise write_error(out.parent, error) from error
        advice = "check the disk" if exact else "cut exactly (encode anew) or name another container"
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write the clip of {source.path} as {out.suffix}: {reason}; {advice}") from error


def _encode(source: Source, start_s: float, end_s: float, out: OutputContainer) -> tuple[float, float]:
    start, end = source.pts_at(start_s + _ON_TIME_S), source.pts_at(end_s + _ON_TIME_S)
    start_s, end_s = source.time_s(start), source.time_s(max(end, start + 1))
    pictures = _displayed(source, start, max(end, start + 1))
    first, length = next(pictures)
    upright = _Upright(source, first)
    stream = out.add_stream("libx264", rate=source.rate, options=_X264)
    codec, stored = stream.codec_context, source.stream.codec_context
    codec.width, codec.height, codec.pix_fmt = upright.width, upright.height, "yuv420p"
    codec.time_base = source.time_base
    codec.sample_aspect_ratio = upright.pixel_aspect
    codec.color_range, codec.colorspace = stored.color_range, stored.colorspace
    codec.color_primaries, codec.color_trc = stored.color_primaries, stored.color_trc

    def encoded() -> Iterator[Packet[Any]]:
        lengths: dict[int, int] = {}
        for picture, ticks in itertools.chain([(first, length)], pictures):
            frame = upright(picture.frame)
            frame.pts = max(picture.pts, start) - start
            frame.time_base = source.time_base
            lengths[frame.pts] = ticks
            yield from _lasting(stream.encode(frame), lengths)
        yield from _lasting(stream.encode(None), lengths)

    zero_s = float(source.first.pts * source.time_base)
    sound = encoded_sound(source, out, zero_s + start_s, zero_s + end_s)
    for packet in heapq.merge(encoded(), sound, key=_stored_at):
        out.mux(packet)
    return start_s, end_s


def _stored_at(packet: Packet[Any]) -> float:
    return float((packet.dts or 0) * packet.time_base)


def _lasting(packets: Iterable[Packet[Any]], lengths: dict[int, int]) -> Iterator[Packet[Any]]:
    """Give each packet its picture's length, which the encoder does not pass on; the last one's ends the clip."""
    for packet in packets:
        if packet.pts is not None:
            packet.duration = lengths.pop(packet.pts)
        yield packet


def _displayed(source: Source, start: int, end: int) -> Iterator[tuple[Decoded, int]]:
    """Pictures on display in the ticks ``[start, end)``, and for how many of these ticks each is."""
    if source.worth_seeking(start):
        source.go_to(start)
    pictures = source.decoded()
    current = next(pictures, source.first)
    for following in pictures:
        if following.pts > start:
            yield current, min(following.pts, end) - max(current.pts, start)
        current = following
        if current.pts >= end:
            return
    yield current, end - max(current.pts, start)


class _Upright:
    """Puts frames upright as their display matrix says, and makes their sides even, as H.264 needs."""

    def __init__(self, source: Source, first: Decoded) -> None:
        turn = orientation(first.frame)
        self.filters = turn.filters
        width, height = first.frame.width, first.frame.height
        aspect = source.stream.sample_aspect_ratio or Fraction(1)
        if turn.transposed:
            width, height, aspect = height, width, 1 / aspect
        self.width, self.height, self.pixel_aspect = max(2, width // 2 * 2), max(2, height // 2 * 2), aspect
        self.time_base = source.time_base

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        if self.filters:
            (frame,) = filtered(graph_of(frame, self.time_base, *self.filters), frame)
        return frame.reformat(self.width, self.height, "yuv420p", interpolation="BICUBIC")


def _stored_times(packets: Iterable[Packet[Any]], frame_ticks: int) -> Iterator[tuple[Packet[Any], int, int]]:
    """Packets with their times of showing and decoding.

    Matroska leaves out the first decoding times after a seek; they are counted back from the first that is there.
    """
    waiting: list[tuple[Packet[Any], int]] = []
    for packet in packets:
        if packet.pts is not None:
            waiting.append((packet, packet.pts))
        if packet.dts is None and packet.size:
            continue
        after: int | None = None
        timed = []
        for late, pts in reversed(waiting):
            guess = pts if after is None else min(pts, after - frame_ticks)
            after = guess if late.dts is None else late.dts
            timed.append((late, pts, after))
        yield from reversed(timed)
        waiting = []


def _copy(source: Source, start_s: float, end_s: float, out: OutputContainer) -> tuple[float, float]:
    if not source.seek(source.pts_at(start_s + _ON_TIME_S)):
        source.rewind()
    packets = source.packets()
    key = next((packet for packet in packets if packet.is_keyframe and packet.pts is not None), None)
    if key is None or key.pts is None:
        raise InputError(f"{source.path} has no key frame before {start_s} s that is stamped with a time; cut exactly")
    start, end = key.pts, source.pts_at(end_s + _ON_TIME_S)
    stream = out.add_stream_from_template(source.stream, opaque=True)
    zero_s = float(source.first.pts * source.time_base)
    sound = copied_sound(source, out, float(start * source.time_base), zero_s + end_s)
    last = start

    def copied() -> Iterator[Packet[Any]]:
        nonlocal last
        for packet, pts, dts in _stored_times(itertools.chain([key], packets), source.frame_ticks):
            if pts < start:
                continue
            if dts >= end:
                return
            if packet.is_discard and pts < end:
                raise InputError(f"{source.path} does not play all that is stored there (its edit list); cut exactly")
            last = max(last, pts + source.lasts(packet.duration))
            packet.pts, packet.dts, packet.stream = pts - start, dts - start, stream
            yield packet

    for packet in heapq.merge(copied(), sound, key=_stored_at):
        out.mux(packet)
    return source.time_s(start), source.time_s(last)
