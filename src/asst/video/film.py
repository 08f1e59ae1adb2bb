"""Which of a file's streams of pictures is the film."""

from __future__ import annotations

import logging
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from asst.errors import InputError
from asst.video.container import open_container, refuse_protected

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

logger = logging.getLogger("asst.video")

_NOT_VIDEO_FORMATS = ("image2", "tty", "_pipe")
# Files whose choice is remembered: one is opened several times while it is worked on.
_REMEMBERED = 64


def film(container: InputContainer, path: Path) -> VideoStream:
    """The stream marked default, else the one with most pictures, else the larger, else the first.

    Covers and stills are none, be they marked as such or have but one picture beside streams that have more. Where
    there is a choice it is told once, as a warning of the logger ``asst.video``.

    Raises:
        InputError: for a file without a stream of pictures, or whose film cannot be decoded.
    """
    from av.stream import Disposition

    if container.format.name.endswith(_NOT_VIDEO_FORMATS):
        raise InputError(f"{path} is not a video ({container.format.long_name}); name a video file")
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "no"
        raise InputError(f"{path} has no picture ({kinds} streams only); name a file with video in it")
    # A stream that no decoder is built in for has no codec context, whatever its type says.
    decodable = [stream for stream in streams if getattr(stream, "codec_context", None) is not None]
    if not decodable:
        raise InputError(f"{path} is coded in a way that cannot be decoded here; convert it to H.264")
    chosen = decodable[0]
    if len(decodable) > 1:
        stat = path.stat()
        index = _chosen(path, (stat.st_size, stat.st_mtime_ns), tuple(stream.index for stream in decodable))
        chosen = next(stream for stream in decodable if stream.index == index)
    refuse_protected(container, chosen, path)
    return chosen


@lru_cache(_REMEMBERED)
def _chosen(path: Path, stamp: tuple[int, int], indices: tuple[int, ...]) -> int:
    """The index of the film among some streams of a file; ``stamp`` tells its versions apart."""
    from av.stream import Disposition

    not_films = Disposition.still_image | Disposition.timed_thumbnails
    with open_container(path) as container:
        streams = [stream for stream in container.streams.video if stream.index in indices]
        counts = _pictures(container, streams)
        films = [stream for stream in streams if not stream.disposition & not_films] or streams
        films = [stream for stream in films if counts[stream.index] > 1] or films

        def rank(stream: VideoStream) -> tuple[bool, int, int, int]:
            marked = bool(stream.disposition & Disposition.default)
            return marked, counts[stream.index], stream.width * stream.height, -stream.index

        best = max(films, key=rank)
        if len(films) > 1:
            equal = [stream for stream in films if rank(stream)[:2] == rank(best)[:2]]
            why = "it is marked default" if rank(best)[0] else "it has most pictures"
            if len(equal) > 1:
                why = "it is the first of the largest"
            logger.warning(
                "%s holds %d films; stream %d is read (%d x %d, %d pictures), as %s",
                *(path, len(films), best.index, best.width, best.height, counts[best.index], why),
            )
        return best.index


def _pictures(container: InputContainer, streams: list[VideoStream]) -> Counter[int]:
    """How many pictures each stream has, as the header says; else as many as are stored."""
    import av

    counts = Counter({stream.index: stream.frames for stream in streams})
    if all(counts.values()):
        return counts
    counts.clear()
    try:
        counts.update(packet.stream_index for packet in container.demux(streams) if packet.size)
    except av.FFmpegError:
        logger.debug("%s: pictures are counted up to a damaged place", container.name)
    return counts
