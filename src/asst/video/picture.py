"""Decoded pictures to upright RGB arrays of the size that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.filter import Graph
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# A pixel aspect closer to square than this is rounding (640/639), not shape (64/51).
_SQUARE = 0.01
_UNTAGGED = 2
_HD_HEIGHT = 720


def clockwise(frame: VideoFrame) -> int:
    """Degrees to turn the stored picture clockwise to show it upright: 0, 90, 180 or 270."""
    return round(-frame.rotation / 90) % 4 * 90


def display_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    """Width and height in square pixels of a picture as it is shown, upright."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width = round(frame.width * aspect) if abs(aspect - 1) > _SQUARE else frame.width
    return (frame.height, width) if clockwise(frame) in (90, 270) else (width, frame.height)


def filtered(graph: Graph, frame: VideoFrame | None) -> Iterator[VideoFrame]:
    """Put one frame (``None`` at the end) into a filter graph and take out what is ready."""
    import av

    graph.vpush(frame)
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return


def graph_of(frame: VideoFrame, time_base: Fraction, *steps: tuple[str, str]) -> Graph:
    """A filter graph for frames like this one: a line of filters, each a name and its arguments."""
    from av.filter import Graph

    graph = Graph()
    nodes = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=time_base)]
    nodes += [graph.add(name, arguments) for name, arguments in steps]
    graph.link_nodes(*nodes, graph.add("buffersink"))
    graph.configure()
    return graph


def deinterlaced(frames: Iterator[VideoFrame], time_base: Fraction) -> Iterator[VideoFrame]:
    """One whole picture for each interlaced one, by ``bwdif``; progressive ones pass unchanged. Times stay."""
    graph: Graph | None = None
    shape: tuple[int, int, str] | None = None
    for frame in frames:
        if (frame.width, frame.height, frame.format.name) != shape:
            yield from _ticks(filtered(graph, None) if graph else iter(()), time_base)
            shape = (frame.width, frame.height, frame.format.name)
            graph = graph_of(frame, time_base, ("bwdif", "mode=send_frame:deint=interlaced"))
        if graph is not None:
            yield from _ticks(filtered(graph, frame), time_base)
    if graph is not None:
        yield from _ticks(filtered(graph, None), time_base)


def _ticks(frames: Iterator[VideoFrame], time_base: Fraction) -> Iterator[VideoFrame]:
    """Times in the stream's time base again; the filter counts in halves of it."""
    for frame in frames:
        halves = (frame.time_base or time_base) / time_base
        if frame.pts is not None:
            frame.pts = round(frame.pts * halves)
        frame.duration = round(frame.duration * halves)
        frame.time_base = time_base
        yield frame


class Converter:
    """Turns decoded frames into RGB arrays, all of one size: colour and size in one step, then the rotation.

    Untagged pictures of 720 lines or more are read as BT.709, smaller ones as BT.601. High dynamic range is not tone
    mapped.

    Args:
        stream: the stream that the frames come from.
        first: its first frame, which settles the size.
        size: exact ``(width, height)``, or
        short_side: the length of the shorter side, the aspect kept; else the size as displayed.
    """

    def __init__(
        self,
        stream: VideoStream,
        first: VideoFrame,
        size: tuple[int, int] | None = None,
        short_side: int | None = None,
    ) -> None:
        from av.video.reformatter import VideoReformatter

        self._swscale = VideoReformatter()
        width, height = display_size(stream, first)
        if short_side is not None:
            scale = Fraction(short_side, min(width, height))
            width, height = max(1, round(width * scale)), max(1, round(height * scale))
        self.width, self.height = size or (width, height)

    def __call__(self, frame: VideoFrame) -> npt.NDArray[np.uint8]:
        """The frame as RGB, shape ``(height, width, 3)``."""
        from av.video.reformatter import ColorRange, Colorspace, Interpolation

        turns = clockwise(frame) // 90
        width, height = (self.height, self.width) if turns % 2 else (self.width, self.height)
        shrinks = width <= frame.width and height <= frame.height
        untagged = Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601
        rgb = self._swscale.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace=untagged if frame.colorspace == _UNTAGGED else None,
            dst_color_range=ColorRange.JPEG,
            interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
            threads=1,
        )
        plane = rgb.planes[0]
        rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)[:height, : 3 * width]
        return np.rot90(rows.reshape(height, width, 3), -turns)
