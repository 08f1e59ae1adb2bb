"""A media file, opened for reading, and which of its video streams is the film; or a refusal in a line."""

from __future__ import annotations

import logging
from collections import Counter
from functools import lru_cache
from pathlib import Path

from asst.errors import InputError
from asst.local import check_ends, local_path
from asst.video.pyav import av

logger = logging.getLogger("asst.video")

_NOT_VIDEO_FORMATS = ("image2", "tty", "_pipe")
# Files whose choice is remembered: one is opened several times while it is worked on.
_REMEMBERED = 64
# What protected streams are called in MP4, and the tags that WebM and ASF come with, by their names or what they say.
_PROTECTED_KINDS = frozenset({"drmi", "encv"})
_PROTECTED_TAGS = frozenset({"asf_key_id", "asf_protection_type", "asf extended content encryption", "enc_key_id"})
# What Matroska calls a track's encodings and that one of them encrypts, and what comes after all tracks.
_ENCODINGS, _ENCRYPTION, _CLUSTER = b"\x6d\x80", b"\x50\x35", b"\x1f\x43\xb6\x75"
# A transport stream's packets, of so many bytes from the byte that each begins with; two bits of the fourth scramble.
_TRANSPORT_BYTES, _TRANSPORT_SYNC, _SCRAMBLED = 188, 0x47, 0xC0
_LOOKED_AT_BYTES = 4 * 2**20


def open_container(path: Path) -> av.container.InputContainer:
    """Open a local file for reading; an `InputError` for one that cannot be read, or is empty or no media file."""
    check_ends(path)
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        local_path(path, "a video")
        raise InputError(f"no such video: {path}; check the path; of a library, index the folder again") from None
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


def may_be_edited(container: av.container.InputContainer) -> bool:
    """Whether a file of this format may have edit lists, which play parts of what is stored, in any order."""
    return "mov" in container.format.name


def refuse_protected(container: av.container.InputContainer, stream: av.VideoStream, path: Path) -> None:
    """Refuse a video stream that its container says is encrypted; raises InputError if it is."""
    try:
        kind = str(stream.codec_context.codec_tag)
    except UnicodeDecodeError:
        # Four bytes of a damaged header.
        kind = ""
    tags = [*container.metadata.items(), *stream.metadata.items()]
    if kind in _PROTECTED_KINDS or _PROTECTED_TAGS & {word.lower() for tag in tags for word in tag}:
        raise encrypted(path)


def encrypted(path: Path) -> InputError:
    """The line for a video that nothing can be seen of without a key."""
    return InputError(f"{path} is encrypted (copy protection); name a copy that is not")


def scrambled(container: av.container.InputContainer, path: Path) -> bool:
    """Whether the start of a file in which no frame can be decoded says why: scrambled packets, encrypted tracks."""
    with path.open("rb") as file:
        data = file.read(_LOOKED_AT_BYTES)
    if container.format.name.startswith("matroska"):
        # Such as have a key's name, and no other encoding, were told by their tags.
        return _ENCRYPTION in data.partition(_CLUSTER)[0].partition(_ENCODINGS)[2]
    if container.format.name != "mpegts":
        return False
    # Between packets of 192 or 204 bytes the next one's first byte is found a few bytes on.
    at, packets, hidden = data.find(_TRANSPORT_SYNC), 0, 0
    while 0 <= at < len(data) - _TRANSPORT_BYTES:
        packets += 1
        hidden += bool(data[at + 3] & _SCRAMBLED)
        at = data.find(_TRANSPORT_SYNC, at + _TRANSPORT_BYTES)
    return 2 * hidden > packets


def best_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    """The stream marked default, else the one with most frames, else the larger, else the first.

    Covers and stills are none, be they marked as such or have but one frame beside streams that have more. Where
    there is a choice it is told once, as a warning of the logger ``asst.video``. Raises an `InputError` for a file
    without a video stream, or whose film cannot be decoded.
    """
    if container.format.name.endswith(_NOT_VIDEO_FORMATS):
        raise InputError(f"{path} is not a video ({container.format.long_name}); name a video file")
    streams = [
        stream for stream in container.streams.video if not stream.disposition & av.stream.Disposition.attached_pic
    ]
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
    not_films = av.stream.Disposition.still_image | av.stream.Disposition.timed_thumbnails
    with open_container(path) as container:
        streams = [stream for stream in container.streams.video if stream.index in indices]
        counts = _pictures(container, streams)
        films = [stream for stream in streams if not stream.disposition & not_films] or streams
        films = [stream for stream in films if counts[stream.index] > 1] or films

        def rank(stream: av.VideoStream) -> tuple[bool, int, int, int]:
            marked = bool(stream.disposition & av.stream.Disposition.default)
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


def _pictures(container: av.container.InputContainer, streams: list[av.VideoStream]) -> Counter[int]:
    """How many frames each stream has, as the header says; else as many as are stored."""
    counts = Counter({stream.index: stream.frames for stream in streams})
    if all(counts.values()):
        return counts
    counts.clear()
    try:
        counts.update(packet.stream_index for packet in container.demux(streams) if packet.size)
    except av.FFmpegError:
        logger.debug("%s: pictures are counted up to a damaged place", container.name)
    return counts
