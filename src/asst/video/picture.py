"""Decoded frames to upright RGB arrays of the size that is asked for, and these to JPEG."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, groupby
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from asst.video.pyav import av

Pixels = npt.NDArray[np.uint8]

# A pixel aspect closer to square than this is rounding (640/639), not shape (64/51).
_SQUARE = 0.01
_UNTAGGED = 2
_HD_HEIGHT = 720
_THUMBNAIL = (64, 36)


class Orientation(NamedTuple):
    """How a stored frame is put upright: rows and columns exchanged, then mirrored, then turned upside down."""

    transposed: bool
    mirrored: bool
    flipped: bool

    @property
    def filters(self) -> list[tuple[str, str]]:
        """The same as steps of a filter graph."""
        steps = [("transpose", "cclock_flip"), ("hflip", ""), ("vflip", "")]
        return [step for step, taken in zip(steps, self, strict=True) if taken]

    def upright(self, pixels: Pixels) -> Pixels:
        """A stored frame, ``(height, width, 3)``, put upright; a view."""
        turned = pixels.transpose(1, 0, 2) if self.transposed else pixels
        return turned[:: -1 if self.flipped else 1, :: -1 if self.mirrored else 1]


def orientation(frame: av.VideoFrame) -> Orientation:
    """How a frame is put upright, as its display matrix says; of another angle the nearest quarter."""
    # A frame would keep its own, which keeps the frame: a circle, so that many pictures would stay for a while.
    found: Iterable[Any] = av.sidedata.sidedata.SideDataContainer(frame)  # type: ignore[call-arg]
    matrix = next((data for data in found if data.type == av.sidedata.sidedata.Type.DISPLAYMATRIX), None)
    if matrix is None:
        return Orientation(False, False, False)
    right_x, right_y, _, down_x, down_y = np.frombuffer(matrix, dtype=np.int32)[:5].tolist()
    if abs(right_x) + abs(down_y) >= abs(right_y) + abs(down_x):
        return Orientation(False, right_x < 0, down_y < 0)
    return Orientation(True, down_x < 0, right_y < 0)


def display_size(stream: av.VideoStream, frame: av.VideoFrame) -> tuple[int, int]:
    """Width and height in square pixels of a frame as it is shown, upright."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width = max(1, round(frame.width * aspect)) if abs(aspect - 1) > _SQUARE else frame.width
    return (frame.height, width) if orientation(frame).transposed else (width, frame.height)


@dataclass(frozen=True, slots=True)
class Crop:
    """What is kept of very long frames, so that their size has a bound: parts as large as is looked at.

    Attributes:
        parts: how many, evenly apart from one end to the other; a single one is the middle.
        sides: how long each is along the longer side, in lengths of the shorter. A frame no longer than all of them
            together is kept whole.
    """

    parts: int
    sides: float

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of what is kept, side by side, of a frame of such a size."""
        most = round(self.parts * self.sides * min(width, height))
        return min(width, most), min(height, most)

    def kept(self, pixels: Pixels, shown: tuple[int, int]) -> Pixels:
        """The parts of upright frames ``(..., height, width, 3)``, displayed at ``shown``, side by side."""
        kept = self.size(*shown)
        if shown == kept:
            return pixels
        axis = pixels.ndim - (2 if shown[0] > shown[1] else 3)
        part = max(1, round(pixels.shape[axis] * max(kept) / max(shown) / self.parts))
        spare = pixels.shape[axis] - part
        starts = [spare * k // (self.parts - 1) for k in range(self.parts)] if self.parts > 1 else [spare // 2]
        return np.concatenate([pixels.take(range(at, at + part), axis) for at in starts], axis)


STILL = Crop(1, 4.0)
"""What a still shows of a long frame: the middle, four times as long as it is high."""


def filtered(graph: av.filter.Graph, frame: av.VideoFrame | av.AudioFrame | None) -> Iterator[Any]:
    """Put one frame (``None`` at the end) into a filter graph and take out what is ready; nothing once it has ended."""
    with suppress(av.BlockingIOError, av.EOFError):
        graph.push(frame)
        while True:
            yield graph.pull()


def graph_of(frame: av.VideoFrame, time_base: Fraction, *steps: tuple[str, str]) -> av.filter.Graph:
    """A filter graph for frames like this one: a line of filters, each a name and its arguments."""
    graph = av.filter.Graph()
    nodes = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=time_base)]
    nodes += [graph.add(name, arguments) for name, arguments in steps]
    graph.link_nodes(*nodes, graph.add("buffersink"))
    graph.configure()
    return graph


def deinterlaced(frames: Iterator[av.VideoFrame], time_base: Fraction) -> Iterator[av.VideoFrame]:
    """One whole frame for each interlaced one, by ``bwdif``; progressive ones pass unchanged. Times stay."""
    for _, alike in groupby(frames, key=lambda frame: (frame.width, frame.height, frame.format.name)):
        first = next(alike)
        graph = graph_of(first, time_base, ("bwdif", "mode=send_frame:deint=interlaced"))
        for frame in chain([first], alike, [None]):
            yield from _ticks(filtered(graph, frame), time_base)


def _ticks(frames: Iterator[av.VideoFrame], time_base: Fraction) -> Iterator[av.VideoFrame]:
    """Times in the stream's time base again; the filter counts in halves of it."""
    for frame in frames:
        halves = (frame.time_base or time_base) / time_base
        if frame.pts is not None:
            frame.pts = round(frame.pts * halves)
        frame.duration = round(frame.duration * halves)
        frame.time_base = time_base
        yield frame


class Converter:
    """Turns decoded frames into RGB arrays, all of one size: colour and size in one step, then the orientation.

    Untagged frames of 720 lines or more are read as BT.709, smaller ones as BT.601. High dynamic range is not tone
    mapped.

    Args:
        stream: the stream that the frames come from.
        first: its first frame, which settles the size.
        size: as `asst.video.frames` has it, and so ``short_side`` and ``crop``.
    """

    def __init__(
        self,
        stream: av.VideoStream,
        first: av.VideoFrame,
        size: tuple[int, int] | None = None,
        short_side: int | None = None,
        crop: Crop | None = None,
    ) -> None:
        self._swscale, self._sized = av.video.reformatter.VideoReformatter(), av.video.reformatter.VideoReformatter()
        self._stream = stream
        shown = display_size(stream, first)
        width, height = crop.size(*shown) if crop is not None else shown
        self._crop = crop if (width, height) != shown else None
        if short_side is not None:
            scale = Fraction(short_side, min(width, height))
            width, height = max(1, round(width * scale)), max(1, round(height * scale))
        self.width, self.height = size or (width, height)

    def __call__(self, frame: av.VideoFrame) -> Pixels:
        """The frame as RGB, shape ``(height, width, 3)``."""
        turn = orientation(frame)
        if self._crop is None:
            size = (self.height, self.width) if turn.transposed else (self.width, self.height)
            return turn.upright(_rgb(self._swscale, frame, *size))
        # Of a long frame only what is kept is brought to size.
        whole = turn.upright(_rgb(self._swscale, frame, frame.width, frame.height))
        kept = self._crop.kept(whole, display_size(self._stream, frame))
        part = av.VideoFrame.from_ndarray(np.ascontiguousarray(kept), format="rgb24")
        return _rgb(self._sized, part, self.width, self.height)


def scaled(picture: Pixels, width: int, height: int) -> Pixels:
    """A frame of another size: the mean over areas where it shrinks."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return _rgb(av.video.reformatter.VideoReformatter(), frame, width, height)


def _rgb(
    swscale: av.video.reformatter.VideoReformatter,
    frame: av.VideoFrame,
    width: int,
    height: int,
    *,
    points: bool = False,
) -> Pixels:
    """A frame as RGB of another size, shape ``(height, width, 3)``; ``points`` takes pixels as they are."""
    shrinks = width <= frame.width and height <= frame.height
    smooth = "AREA" if shrinks else "BICUBIC"
    matrices = av.video.reformatter.Colorspace
    untagged = matrices.ITU709 if frame.height >= _HD_HEIGHT else matrices.ITU601
    rgb = swscale.reformat(
        frame,
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=untagged if frame.colorspace == _UNTAGGED else None,
        dst_color_range="JPEG",
        interpolation="POINT" if points else smooth,
        threads=1,
    )
    plane = rgb.planes[0]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)[:height, : 3 * width]
    return rows.reshape(height, width, 3)


def thumbnailer() -> Callable[[av.VideoFrame], Pixels]:
    """Makes the `thumbnail` of a decoded frame, as it is stored and not put upright."""
    swscale = av.video.reformatter.VideoReformatter()
    return lambda frame: _rgb(swscale, frame, *_THUMBNAIL, points=True).copy()


def thumbnail(pixels: Pixels) -> Pixels:
    """A few pixels of a frame, evenly apart, to tell how much it differs from others; shape ``(36, 64, 3)``."""
    height, width, _ = pixels.shape
    columns, rows = _THUMBNAIL
    across = (2 * np.arange(columns) + 1) * width // (2 * columns)
    down = (2 * np.arange(rows) + 1) * height // (2 * rows)
    few: Pixels = pixels[down[:, None], across]
    return few


# The codec's scale runs from 2, the best, to 31; this is about what other programs call a quality of 72 per cent.
_SCALE = "4"


def jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A frame, RGB, shape ``(height, width, 3)``, as the content of a file."""
    context = av.CodecContext.create("mjpeg", "w")
    context.height, context.width = pixels.shape[:2]
    context.pix_fmt, context.time_base = "yuvj420p", Fraction(1)
    context.options = {"qmin": _SCALE, "qmax": _SCALE}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(
        format="yuvj420p",
        dst_colorspace="ITU601",
        dst_color_range="JPEG",
    )
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def is_jpeg(content: bytes) -> bool:
    """Whether a file's content is one whole frame that can be decoded."""
    context = av.CodecContext.create("mjpeg", "r")
    context.options = {"err_detect": "explode"}
    try:
        frames = [*context.decode(av.Packet(content)), *context.decode(None)]
    except (av.FFmpegError, ValueError):
        return False
    return len(frames) == 1 and content.endswith(b"\xff\xd9")
