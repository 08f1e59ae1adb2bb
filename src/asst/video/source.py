"""One open video file: its packets, its decoder and its clock."""

from __future__ import annotations

import itertools
import logging
import re
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from asst.errors import InputError
from asst.local import check_ends

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

logger = logging.getLogger("asst.video")

# Pictures are stored at most 16 places away from where they are shown (H.264, HEVC), so this many packets show the
# neighbour in time of the middle one.
_REORDER = 32
_SKIPPING_CODECS = frozenset({"h264", "hevc"})
_FAILED_READS = 64
_BLIND_SEEK_S = 10.0
_CUT_SHORT_S = 1.0
_CLOCK = re.compile(r"^(\d+):(\d+):(\d+\.?\d*)$")
_NOT_VIDEO_FORMATS = ("image2", "tty", "_pipe")


class Decoded(NamedTuple):
    """A picture and when it is shown, in ticks of the stream's time base."""

    pts: int
    frame: VideoFrame


def open_container(path: Path) -> InputContainer:
    """Open a local file for reading.

    Raises:
        InputError: if it is missing, a folder, a pipe, not readable, empty or no media file.
    """
    import av

    check_ends(path)
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"no such video: {path}; check the name and the folder") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name a video file in it") from None
    except PermissionError:
        raise InputError(f"{path} may not be read; change its permissions (chmod +r)") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the disk and the name") from None
    if empty:
        raise InputError(f"{path} is empty; copy or download it again")
    try:
        # The file: prefix keeps a colon in a name from being read as a protocol. A playlist must not reach further.
        return av.open(f"file:{path}", metadata_errors="replace", options={"protocol_whitelist": "file"})
    except av.FFmpegError:
        raise InputError(
            f"cannot read {path} as a video: it is another kind of file, or was cut short before its index; "
            "check that it plays"
        ) from None


def _picture_stream(container: InputContainer, path: Path) -> VideoStream:
    from av.stream import Disposition

    if container.format.name.endswith(_NOT_VIDEO_FORMATS):
        raise InputError(f"{path} is not a video ({container.format.long_name}); name a video file")
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "no"
        raise InputError(f"{path} has no picture ({kinds} streams only); name a file with video in it")
    # A stream that no decoder is built in for has no codec context, whatever its type says.
    if getattr(streams[0], "codec_context", None) is None:
        raise InputError(f"{path} is coded in a way that cannot be decoded here; convert it to H.264")
    return streams[0]


class Source:
    """A video file that is open for reading; a context manager.

    Opening decodes the first picture, whose PTS is the zero of the video's clock.

    Args:
        path: the file.
        threads: how many decode; by default one a core, which is quicker but a quarter more work than one alone.

    Attributes:
        first: the first picture that can be decoded.
        wanted: tells whether any instant of ``[pts, next_pts)`` will be looked at. Where it says no, a picture that no
            other refers to is not decoded. ``None`` decodes everything.
        damaged: how many packets could not be decoded so far.
        interlaced: whether each picture holds two fields; frames come out deinterlaced.

    Raises:
        InputError: if nothing in the file can be decoded.
    """

    def __init__(self, path: str | Path, *, threads: int | None = None) -> None:
        self.path = Path(path)
        self._threads = threads
        self.wanted: Callable[[int, int], bool] | None = None
        self.damaged = 0
        self.interlaced = False
        self._blind = True
        self._read: int | None = None
        self._packets: Iterator[Packet[VideoStream]] = iter(())
        self._decoding: Iterator[Decoded] = iter(())
        self.container = open_container(self.path)
        try:
            self.stream = _picture_stream(self.container, self.path)
            self._thread()
            self.time_base: Fraction = self.stream.time_base or Fraction(1, 90_000)
            self.rate: Fraction = self.stream.average_rate or self.stream.guessed_rate or Fraction(25)
            self._restart(self._demux())
            first = next(self._decoding, None)
            if first is None:
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
        if self.damaged:
            logger.warning(
                "%s is damaged: %d packets could not be decoded; the frame before stands in", self.path, self.damaged
            )
            self.damaged = 0

    @property
    def stated_end(self) -> int | None:
        """Where the header says that the picture ends, in ticks; ``None`` if it says nothing."""
        if self.stream.duration:
            return (self.stream.start_time or 0) + self.stream.duration
        # Matroska states each stream's end as a tag, and for the file only the longest stream's.
        if tag := _CLOCK.match(self.stream.metadata.get("DURATION", "")):
            hours, minutes, seconds = tag.groups()
            return int((int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)) / self.time_base)
        if self.container.duration:
            microseconds = (self.container.start_time or 0) + self.container.duration
            return int(Fraction(microseconds, 1_000_000) / self.time_base)
        return None

    @property
    def frame_ticks(self) -> int:
        """Length of a frame at the nominal rate, in ticks."""
        return max(1, round(1 / (self.rate * self.time_base)))

    def time_s(self, pts: int) -> float:
        """Seconds from the first picture."""
        return (pts - self.first.pts) * self.time_base.numerator / self.time_base.denominator

    def pts_at(self, time_s: float) -> int:
        """The tick at or before a time in seconds from the first picture."""
        return self.first.pts + int(Fraction(time_s) / self.time_base)

    def lasts(self, stated: int | None) -> int:
        """For how many ticks the last picture is shown, given what its packet states.

        Where pictures are stored out of order, containers state the time to the next one in storage, not in showing.
        """
        if not stated:
            return self.frame_ticks
        return min(stated, self.frame_ticks) if self.stream.codec_context.has_b_frames else stated

    def end_s(self, last: Decoded) -> float:
        """When a picture goes away if none follows it, in seconds from the first picture."""
        return self.time_s(last.pts + self.lasts(last.frame.duration))

    def decoded(self) -> Iterator[Decoded]:
        """Pictures in the order they are shown, from the start or from the last ``seek`` on."""
        while (picture := next(self._decoding, None)) is not None:
            yield picture

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """Packets in the order they are stored, from the last ``seek`` on; none of them is decoded."""
        return self._packets

    def seek(self, pts: int) -> bool:
        """Go to the last key picture at or before a tick.

        Returns:
            False if the file cannot be sought in; nothing has changed then.
        """
        import av

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

    def go_to(self, pts: int) -> None:
        """Let ``decoded`` go on from a picture at or before a tick; from the first one if there is no other way."""
        first = next(self._decoding, None) if self.seek(pts) else None
        if first is None or first.pts > pts:
            self.rewind()
        else:
            self._decoding = itertools.chain([first], self._decoding)

    def tell_if_cut_short(self, last: Decoded) -> None:
        """Warn if the last picture that could be decoded ends well before the header says."""
        ends, stated = self.end_s(last), self.stated_end
        if stated is not None and self.time_s(stated) - ends > _CUT_SHORT_S:
            logger.warning("%s ends at %.1f s; its header says %.1f s", self.path, ends, self.time_s(stated))

    def rewind(self) -> None:
        """Go back to the first picture by opening the file again."""
        self.container.close()
        self.container = open_container(self.path)
        self.stream = _picture_stream(self.container, self.path)
        self._thread()
        self._restart(self._demux())

    def worth_seeking(self, pts: int) -> bool:
        """Whether a key picture lies between what has been read and a tick, as far as the file's index knows."""
        read = self._read
        if read is None or pts <= read:
            return False
        index = self.stream.index_entries
        if len(index) and index[-1].timestamp > read:
            at = index.search_timestamp(pts)
            return at >= 0 and index[at].timestamp > read
        return self._blind and (pts - read) * self.time_base > _BLIND_SEEK_S

    def _thread(self) -> None:
        """Set the decoder's threads, which has to be done before it begins."""
        if self._threads == 1:
            self.stream.thread_type = "NONE"
        else:
            self.stream.thread_type = "AUTO"
            self.stream.codec_context.thread_count = self._threads or 0

    def _restart(self, packets: Iterator[Packet[VideoStream]]) -> None:
        self._read = None
        self._packets = packets
        self._decoding = self._clocked(self._decode())

    def _demux(self) -> Iterator[Packet[VideoStream]]:
        """Packets of the picture stream; a read that fails is tried again further on."""
        import av

        for _ in range(_FAILED_READS):
            try:
                for packet in self.container.demux(self.stream):
                    if packet.dts is not None:
                        self._read = packet.dts
                    if packet.size or packet.dts is None:
                        yield packet
                return
            except av.FFmpegError:
                self.damaged += 1

    def _scheduled(self) -> Iterator[tuple[Packet[VideoStream], bool]]:
        """Packets, and whether the picture in each is going to be looked at."""
        window: deque[Packet[VideoStream]] = deque()
        around: list[int] = []
        passed: deque[int] = deque()
        for packet in itertools.chain(self._packets, itertools.repeat(None, _REORDER)):
            if packet is not None:
                window.append(packet)
                if packet.pts is not None:
                    insort(around, packet.pts)
            if not window or (packet is not None and len(window) <= _REORDER):
                continue
            ready = window.popleft()
            if ready.pts is None or self.wanted is None:
                yield ready, True
                continue
            after = bisect_right(around, ready.pts)
            yield ready, after == len(around) or self.wanted(ready.pts, around[after])
            passed.append(ready.pts)
            if len(passed) > _REORDER:
                around.remove(passed.popleft())

    def _decode(self) -> Iterator[VideoFrame]:
        """Frames of every packet that can be decoded; those nobody looks at or refers to are left out."""
        import av

        codec = self.stream.codec_context
        may_skip = self.stream.codec_context.name in _SKIPPING_CODECS
        for packet, wanted in self._scheduled():
            if may_skip:
                codec.skip_frame = "DEFAULT" if wanted else "NONREF"
            try:
                for frame in packet.decode():
                    self.damaged += frame.is_corrupt
                    yield frame
            except av.FFmpegError:
                self.damaged += 1

    def _clocked(self, frames: Iterator[VideoFrame]) -> Iterator[Decoded]:
        """Give each frame a time later than the last one's; deinterlace where needed."""
        from asst.video.picture import deinterlaced

        first = next(frames, None)
        if first is None:
            return
        frames = itertools.chain([first], frames)
        self.interlaced = first.interlaced_frame
        if self.interlaced:
            frames = deinterlaced(frames, self.time_base)
        last: int | None = None
        for frame in frames:
            pts = frame.pts if frame.pts is not None else frame.dts
            if pts is None:
                pts = 0 if last is None else last + self.frame_ticks
            if last is not None and pts <= last:
                self.damaged += 1
                continue
            last = pts
            yield Decoded(pts, frame)
