"""Cut clips out of videos: exactly, by encoding them anew, or fast, by copying from the key frame before."""

from __future__ import annotations

import heapq
import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asst.atomic import is_refusal, write_error
from asst.errors import InputError
from asst.video.encoding import encode, stored_at
from asst.video.probe import probe
from asst.video.pyav import av
from asst.video.sound import copied_sound
from asst.video.source import Segment, Source

_SUFFIXES = (".mkv", ".mov", ".mp4")
_ON_TIME_S = 1e-6
_PAST_END_S = 0.5


@dataclass(frozen=True, slots=True)
class CutReport:
    """What a cut clip holds: its first frame's time and the end of its last, seconds from the source's first frame.

    A ValueError for a span that is empty.
    """

    path: str
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not self.start_s < self.end_s:
            raise ValueError(f"a clip runs forward, not from {self.start_s} s to {self.end_s} s")


def cut(path: str | Path, start_s: float, end_s: float, out: str | Path, *, exact: bool = True) -> CutReport:
    """Write the span ``[start_s, end_s)`` of a video, with its sound, to a file of its own.

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
    _check_output(target, [Path(path)])
    end = _end_s(path, start_s, end_s)
    advice = "check the disk" if exact else "cut exactly, not as a fast copy"
    with Source(path) as source, written(target, f"the clip of {path}", advice) as container:
        if exact:
            segment = Segment.of(source, start_s, end)
            encode([segment], container)
            start, end = segment.span_s
        else:
            start, end = _copy(source, start_s, end, container)
    return CutReport(str(out), start, end)


def reel(spans: Sequence[tuple[str | Path, float, float]], out: str | Path) -> float:
    """Write spans of videos one after the other to one file, each as by `cut`; gives its length in seconds.

    Frames are fitted into the shape of the first span's, with bars where theirs is another; that is told, as a warning
    of the logger ``asst.video``. A span without sound is silent where another has some.

    Args:
        spans: path, start and end, as `cut` has them, one at least.
        out: likewise.

    Raises:
        InputError: as `cut`, or for no span.
    """
    target = Path(out)
    if not spans:
        raise InputError(f"cannot write {out}: a reel needs a moment")
    _check_output(target, [Path(path) for path, _, _ in spans])
    segments = []
    for path, start_s, end_s in spans:
        end = _end_s(path, start_s, end_s)
        with Source(path) as source:
            segments.append(Segment.of(source, start_s, end))
    with written(target, "the reel", "check the disk") as container:
        encode(segments, container)
    return sum(end - start for start, end in (segment.span_s for segment in segments))


def _end_s(path: str | Path, start_s: float, end_s: float) -> float:
    """Where a span ends that is inside a video; raises InputError if it is not."""
    if not (math.isfinite(start_s) and math.isfinite(end_s) and 0 <= start_s < end_s):
        raise InputError(f"cannot cut {start_s} to {end_s} s; start at zero or later and end after that")
    duration_s = probe(path).duration_s
    if start_s >= duration_s or end_s > duration_s + _PAST_END_S:
        raise InputError(f"{path} ends at {duration_s:.2f} s; cut within that, not {start_s} to {end_s} s")
    return min(end_s, duration_s)


def _check_output(out: Path, sources: Iterable[Path]) -> None:
    if out.suffix.lower() not in _SUFFIXES:
        raise InputError(f"cannot write {out}: clips are {', '.join(_SUFFIXES)}; name one of these")
    if not out.parent.is_dir():
        raise InputError(f"cannot write {out}: there is no folder {out.parent}; make it first")
    if out.is_dir():
        raise InputError(f"cannot write {out}: it is a folder; name a file")
    if out.exists() and any(path.exists() and path.samefile(out) for path in sources):
        raise InputError(f"cannot write {out}: it is the video itself; name another file")


@contextmanager
def written(target: Path, what: str, advice: str) -> Iterator[av.container.OutputContainer]:
    """Lends a container that becomes the file ``target`` when all went well; raises InputError for what cannot be."""
    partial = target.with_name(f".{target.stem}.{os.getpid()}.partial{target.suffix}")
    try:
        with av.open(f"file:{partial}", "w") as container:
            yield container
        partial.replace(target)
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        if isinstance(error, OSError) and is_refusal(error):
            raise write_error(target, error) from error
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write {what} as {target.suffix}: {reason}; {advice}") from error
    finally:
        partial.unlink(missing_ok=True)


def _stored_times(packets: Iterable[av.Packet[Any]], frame_ticks: int) -> Iterator[tuple[av.Packet[Any], int, int]]:
    """Packets with their times of showing and decoding."""
    # Matroska leaves out the first decoding times after a seek; they are counted back from the first that is there.
    waiting: list[tuple[av.Packet[Any], int]] = []
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


def _copy(source: Source, start_s: float, end_s: float, out: av.container.OutputContainer) -> tuple[float, float]:
    if not source.seek(source.pts_at(start_s + _ON_TIME_S)):
        source.rewind()
    packets = source.packets()
    key = next((packet for packet in packets if packet.is_keyframe and packet.pts is not None), None)
    if key is None or key.pts is None:
        raise InputError(f"{source.path} has no key frame before {start_s} s that is stamped with a time; cut exactly")
    start, end = key.pts, source.pts_at(end_s - _ON_TIME_S) + 1
    stream = out.add_stream_from_template(source.stream, opaque=True)
    zero_s = float(source.first.pts * source.time_base)
    sound = copied_sound(source, out, float(start * source.time_base), zero_s + end_s)
    last = start

    def copied() -> Iterator[av.Packet[Any]]:
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

    for packet in heapq.merge(copied(), sound, key=stored_at):
        out.mux(packet)
    return source.time_s(start), source.time_s(last)
