"""One open video file: its packets, its decoder and its clock; and spans of it."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

from asst.errors import InputError, counted
from asst.video.clock import Clock, Index, may_begin_anew
from asst.video.container import best_stream, encrypted, logger, may_be_edited, open_container, scrambled
from asst.video.picture import deinterlaced
from asst.video.pyav import av
from asst.video.schedule import Schedule

_SKIPPING_CODECS = frozenset({"h264", "hevc"})
_FAILED_READS = 64
_ON_TIME_S = 1e-6
_BLIND_SEEK_S = 10.0
_CUT_SHORT_S = 1.0
_PIXELS_IN_THREADS = 2**27
_CLOCK = re.compile(r"^(\d+):(\d+):(\d+\.?\d*)$")
# Files whose index is remembered: one is opened several times while it is worked on.
_REMEMBERED = 64
MOST_PIXELS = 2**26
"""Of a frame: 8192 x 8192. A decoder holds up to some twenty frames at once, mostly of 1.5 bytes a pixel."""


class Decoded(NamedTuple):
    """A frame and when it is shown, in ticks of the stream's time base."""

    pts: int
    frame: av.VideoFrame


class Source:
    """A video file that is open for reading; a context manager.

    Opening decodes the first frame, whose PTS is the zero of the video's clock. In a transport or program stream the
    clock goes on where it begins anew; all times are of that running clock.

    Args:
        path: the file.
        threads: how many decode; by default one a core.

    Attributes:
        first: the first frame that can be decoded.
        schedule: what will be looked at. A frame that will not be and that no other refers to is not decoded.
        damaged: how many packets could not be decoded so far.
        interlaced: whether each frame holds two fields; they come out deinterlaced.

    Raises:
        InputError: if nothing in the file can be decoded, it is encrypted, or its frames are larger than `MOST_PIXELS`.
    """

    def __init__(self, path: str | Path, *, threads: int | None = None) -> None:
        self.path = Path(path)
        self._threads = threads
        self.schedule = Schedule()
        self.damaged = 0
        self.interlaced = False
        self._blind = True
        self._read: int | None = None
        self._packets: Iterator[av.Packet[av.VideoStream]] = iter(())
        self._decoding: Iterator[Decoded] = iter(())
        self._clock: Clock | None = None
        self.container = open_container(self.path)
        try:
            self._begin()
            first = next(self._decoding, None)
            if first is None:
                if scrambled(self.container, self.path):
                    raise encrypted(self.path)
                raise InputError(f"{self.path} holds no picture that can be decoded; check that it plays")
        except BaseException:
            self.container.close()
            raise
        self.first: Decoded = first
        self._decoding = itertools.chain([first], self._decoding)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; tell once, as a warning, how many packets could not be decoded."""
        self.container.close()
        # They hold this, and the decoder its last pictures.
        self._packets, self._decoding = iter(()), iter(())
        self.damaged += self._clock.damaged if self._clock is not None else 0
        if self.damaged:
            logger.warning(
                "%s is damaged: %s could not be decoded; the frame before stands in",
                self.path,
                counted(self.damaged, "packet"),
            )
            self.damaged = 0

    @property
    def stated_end(self) -> int | None:
        """Where the header or the index says that the video stream ends, in ticks; ``None`` if it says nothing."""
        if self.index is not None:
            return self.index.end
        if self.stream.duration:
            start = self.stream.start_time or 0
            # What an edit list puts before the first frame may be counted in.
            return self.stream.duration + (min(0, start) if may_be_edited(self.container) else start)
        # Matroska states each stream's end as a tag, and for the file only the longest stream's.
        if tag := _CLOCK.match(self.stream.metadata.get("DURATION", "")):
            hours, minutes, seconds = tag.groups()
            return int((int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)) / self.time_base)
        if self.container.duration:
            microseconds = (self.container.start_time or 0) + self.container.duration
            return int(Fraction(microseconds, 1_000_000) / self.time_base)
        return None

    @property
    def index(self) -> Index | None:
        """Where to find what in a file whose clock may begin anew; None for others. Made once, by reading it all."""
        if not may_begin_anew(self.container):
            return None
        stat = self.path.stat()
        return _index(self.path, stat.st_size, stat.st_mtime_ns)

    @property
    def frame_ticks(self) -> int:
        """Length of a frame at the nominal rate, in ticks."""
        return max(1, round(1 / (self.rate * self.time_base)))

    def time_s(self, pts: int) -> float:
        """Seconds from the first frame."""
        return (pts - self.first.pts) * self.time_base.numerator / self.time_base.denominator

    def pts_at(self, time_s: float) -> int:
        """The tick at or before a time in seconds from the first frame."""
        return self.first.pts + int(Fraction(time_s) / self.time_base)

    def lasts(self, stated: int | None) -> int:
        """For how many ticks the last frame is shown, given what its packet states."""
        # Where frames are stored out of order, containers state the time to the next one in storage, not in showing.
        limit = self.frame_ticks if not stated or self.stream.codec_context.has_b_frames else stated
        return min(stated or limit, limit)

    def end_s(self, last: Decoded) -> float:
        """When a frame goes away if none follows it, in seconds from the first frame."""
        return self.time_s(last.pts + self.lasts(last.frame.duration))

    def decoded(self) -> Iterator[Decoded]:
        """Frames in the order they are shown, from the start or from the last ``seek`` on."""
        # What is to be decoded next is changed by ``seek``.
        yield from iter(lambda: next(self._decoding, None), None)

    def packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        """Packets in the order they are stored, from the last ``seek`` on; none of them is decoded."""
        return self._packets

    def seek(self, pts: int) -> bool:
        """Go to the last key frame at or before a tick; False if the file cannot be sought in: nothing changed."""
        if self.index is not None:
            return self._seek_in(self.index, pts)
        # Indices count in decoding time, which runs ahead of presentation; some land after the tick. Step back then.
        before, back = self._read, 0
        while True:
            target = max(pts - back, self.first.pts)
            try:
                self.container.seek(target, stream=self.stream)
            except av.FFmpegError:
                return False
            packets = self._demux()
            key = next((packet for packet in packets if packet.is_keyframe and packet.size), None)
            shown = None if key is None else key.dts if key.pts is None else key.pts
            if key is not None and shown is not None and shown <= pts:
                # Where a seek without an index goes back over what was read, the next would too.
                self._blind &= before is None or shown > before
                self._restart(itertools.chain([key], packets))
                return True
            if target == self.first.pts:
                self._blind = False
                self.rewind()
                return True
            back = max(2 * back, int(1 / self.time_base))

    def _seek_in(self, index: Index, pts: int) -> bool:
        found = index.key_before(pts)
        if found is None:
            self.rewind()
            return True
        time, place, offset = found
        self.container.seek(place, stream=self.stream, unsupported_byte_offset=True)
        self._start_clock(offset)

        def before(packet: av.Packet[av.VideoStream]) -> bool:
            shown = packet.pts if packet.pts is not None else packet.dts
            return not packet.is_keyframe or shown is None or shown < time

        self._restart(itertools.dropwhile(before, self._demux()))
        return True

    def go_to(self, pts: int) -> None:
        """Let ``decoded`` go on from a frame at or before a tick; from the first one if there is no other way."""
        first = next(self._decoding, None) if self.seek(pts) else None
        if first is None or first.pts > pts:
            self.rewind()
        else:
            self._decoding = itertools.chain([first], self._decoding)

    def tell_if_cut_short(self, last: Decoded) -> None:
        """Warn if the last frame that could be decoded ends well before the header says."""
        if may_begin_anew(self.container):
            return
        ends, stated = self.end_s(last), self.stated_end
        if stated is not None and self.time_s(stated) - ends > _CUT_SHORT_S:
            logger.warning("%s ends at %.1f s; its header says %.1f s", self.path, ends, self.time_s(stated))

    def rewind(self) -> None:
        """Go back to the first frame by opening the file again."""
        self.container.close()
        self.container = open_container(self.path)
        self._begin()

    def worth_seeking(self, pts: int) -> bool:
        """Whether a key frame lies between what has been read and a tick, as far as the file's index knows."""
        read = self._read
        if read is None or pts <= read:
            return False
        far = (pts - read) * self.time_base > _BLIND_SEEK_S
        if may_begin_anew(self.container):
            found = self.index.key_before(pts) if far and self.index is not None else None
            return found is not None and found[0] > read
        index = self.stream.index_entries
        if len(index) and index[-1].timestamp > read:
            at = index.search_timestamp(pts)
            return at >= 0 and index[at].timestamp > read
        return self._blind and far

    def _begin(self) -> None:
        self.stream = best_stream(self.container, self.path)
        self._prepare()
        self.time_base: Fraction = self.stream.time_base or Fraction(1, 90_000)
        self.rate: Fraction = self.stream.average_rate or self.stream.guessed_rate or Fraction(25)
        self._start_clock()
        self._restart(self._demux())

    def _prepare(self) -> None:
        """Set the decoder's limits and threads, which has to be done before it begins."""
        width, height = self.stream.width, self.stream.height
        if width * height > MOST_PIXELS:
            raise InputError(
                f"{self.path} has pictures of {width} x {height} pixels, more than {MOST_PIXELS:,}; scale it down first"
            )
        self.stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        if self._threads == 1:
            self.stream.thread_type = "NONE"
        else:
            self.stream.thread_type = "AUTO"
            # Each thread holds a frame or two, be they as large as they may.
            most = max(1, _PIXELS_IN_THREADS // max(1, width * height))
            self.stream.codec_context.thread_count = min(self._threads or os.cpu_count() or 1, most)

    def _restart(self, packets: Iterator[av.Packet[av.VideoStream]]) -> None:
        self._read = None
        self._packets = packets
        self._decoding = self._clocked(self._decode())

    def _start_clock(self, offset: int = 0) -> None:
        """Let the running clock begin so many ticks after the stored one."""
        self.damaged += self._clock.damaged if self._clock is not None else 0
        self._clock = Clock(self.time_base, self.frame_ticks, offset) if may_begin_anew(self.container) else None

    def _demux(self) -> Iterator[av.Packet[av.VideoStream]]:
        """Packets of the video stream, on the running clock."""
        packets = self._stored()
        for packet in packets if self._clock is None else self._clock.running(packets):
            if packet.dts is not None:
                self._read = packet.dts
            if packet.size or packet.dts is None:
                yield packet

    def _stored(self) -> Iterator[av.Packet[av.VideoStream]]:
        """Packets of the video stream as they are stored; a read that fails is tried again further on."""
        for _ in range(_FAILED_READS):
            try:
                for packet in self.container.demux(self.stream):
                    if packet.has_sidedata("encryption_info"):
                        raise encrypted(self.path)
                    yield packet
                return
            except av.FFmpegError:
                self.damaged += 1

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Frames of every packet that can be decoded; those nobody looks at or refers to are left out."""
        codec = self.stream.codec_context
        may_skip = codec.name in _SKIPPING_CODECS
        for packet, wanted in self.schedule.of(self._packets):
            if may_skip:
                codec.skip_frame = "DEFAULT" if wanted else "NONREF"
            try:
                for frame in packet.decode():
                    self.damaged += frame.is_corrupt
                    yield frame
            except av.FFmpegError:
                self.damaged += 1

    def _clocked(self, frames: Iterator[av.VideoFrame]) -> Iterator[Decoded]:
        """Give each frame a time later than the last one's, of two of one time the later; deinterlace where needed."""
        first = next(frames, None)
        if first is None:
            return
        frames = itertools.chain([first], frames)
        self.interlaced = first.interlaced_frame
        if self.interlaced:
            frames = deinterlaced(frames, self.time_base)
        last: Decoded | None = None
        for frame in frames:
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None or (frame.pts is None and last is not None and pts <= last.pts):
                pts = 0 if last is None else last.pts + self.frame_ticks
            if last is not None and pts <= last.pts:
                # Where parts of an edit list meet this is no damage.
                self.damaged += not may_be_edited(self.container)
                if pts < last.pts:
                    continue
            elif last is not None:
                yield last
            last = Decoded(pts, frame)
        if last is not None:
            yield last


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of a file in ticks of its frames, the first of all at ``zero``, from the one on display at its start."""

    path: Path
    start: int
    end: int
    time_base: Fraction
    zero: int
    index: Index | None

    @classmethod
    def of(cls, source: Source, start_s: float, end_s: float) -> Segment:
        """The span of an open file, in seconds from its first frame."""
        # A tick may be as long as a frame, and the last one is shown too.
        start, end = source.pts_at(start_s + _ON_TIME_S), source.pts_at(end_s - _ON_TIME_S) + 1
        return cls(source.path, start, max(end, start + 1), source.time_base, source.first.pts, source.index)

    @property
    def span_s(self) -> tuple[float, float]:
        """Start and end in seconds from the first frame."""
        start, end = ((tick - self.zero) * self.time_base for tick in (self.start, self.end))
        return float(start), float(end)

    @property
    def clock_s(self) -> tuple[Fraction, Fraction]:
        """Start and end in seconds on the file's own clock, or the one that runs on where that begins anew."""
        return self.start * self.time_base, self.end * self.time_base


@lru_cache(_REMEMBERED)
def _index(path: Path, size: int, mtime_ns: int) -> Index:
    """The index of a file that has none; its size and time of change tell its versions apart."""
    found = Index()
    with Source(path, threads=1) as source:
        source.rewind()
        clock, damaged = Clock(source.time_base, source.frame_ticks), 0
        for packet in clock.running(source._stored()):
            if clock.damaged == damaged:
                found.add(packet, clock.offset, source.lasts(packet.duration))
            damaged = clock.damaged
        # Whoever reads the frames tells of it.
        source.damaged = 0
    if seams := len(found.stretches) - 1:
        logger.warning(
            "%s: its clock begins anew or jumps %s; it is read as one that goes on", path, counted(seams, "time")
        )
    return found
