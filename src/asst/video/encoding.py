"""Spans of videos one after the other, encoded anew: their frames as H.264 of one size, their sound as AAC."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from asst.video.container import logger
from asst.video.picture import filtered, graph_of, orientation
from asst.video.pyav import av
from asst.video.sound import encoded_sound
from asst.video.source import Decoded, Segment, Source

# crf 18 is about where people cease to see a difference. Without B-frames pictures are stored in the order they are
# shown, so that players and editors agree on where the clip starts and ends.
_X264 = {"crf": "18", "preset": "fast", "bf": "0"}
_MANY_BASE = Fraction(1, 90_000)
_UNTAGGED = 2


def encode(segments: Sequence[Segment], out: av.container.OutputContainer) -> None:
    """Writes segments one after the other. Frames of another shape than the first one's get bars, and a warning."""
    base = segments[0].time_base if len(segments) == 1 else _MANY_BASE
    pictures = _pictures(segments, base)
    opening = next(pictures)
    source, first = opening[:2]
    canvas = _Canvas(source, first)
    stream = out.add_stream("libx264", rate=source.rate, options=_X264)
    codec, stored = stream.codec_context, source.stream.codec_context
    codec.width, codec.height, codec.pix_fmt = canvas.width, canvas.height, "yuv420p"
    codec.time_base = base
    codec.sample_aspect_ratio = canvas.pixel_aspect
    codec.color_range, codec.colorspace = stored.color_range, stored.colorspace
    codec.color_primaries, codec.color_trc = stored.color_primaries, stored.color_trc

    def encoded() -> Iterator[av.Packet[Any]]:
        lengths: dict[int, int] = {}
        for own, picture, at, length in itertools.chain([opening], pictures):
            frame = canvas(own, picture.frame)
            frame.pts, frame.time_base = at, base
            lengths[at] = length
            yield from _lasting(stream.encode(frame), lengths)
        yield from _lasting(stream.encode(None), lengths)

    sound = encoded_sound(segments, out)
    for packet in heapq.merge(encoded(), sound, key=stored_at):
        out.mux(packet)


def stored_at(packet: av.Packet[Any]) -> float:
    """When a packet is decoded, in seconds."""
    return float((packet.dts or 0) * packet.time_base)


def _pictures(segments: Sequence[Segment], base: Fraction) -> Iterator[tuple[Source, Decoded, int, int]]:
    """The frames of all segments, each with its file, and when and how long it is shown, in ticks of ``base``."""
    begin = Fraction(0)
    for segment in segments:
        with Source(segment.path) as source:
            for picture, ticks in _displayed(source, segment.start, segment.end):
                shown = max(picture.pts, segment.start) - segment.start
                at, until = (round((begin + tick * segment.time_base) / base) for tick in (shown, shown + ticks))
                if until > at:
                    yield source, picture, at, until - at
        begin += (segment.end - segment.start) * segment.time_base


def _lasting(packets: Iterable[av.Packet[Any]], lengths: dict[int, int]) -> Iterator[av.Packet[Any]]:
    """Give each packet its frame's length, which the encoder does not pass on; the last one's ends the clip."""
    for packet in packets:
        if packet.pts is not None:
            packet.duration = lengths.pop(packet.pts)
        yield packet


def _displayed(source: Source, start: int, end: int) -> Iterator[tuple[Decoded, int]]:
    """Frames on display in the ticks ``[start, end)``, and for how many of these ticks each is."""
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


class _Canvas:
    """Puts frames upright as their display matrix says, and fits them into the first one's shape, of even sides."""

    def __init__(self, source: Source, first: Decoded) -> None:
        self._told = {source.path}
        width, height, self.pixel_aspect = _upright(source, first.frame)
        self.width, self.height = max(2, width // 2 * 2), max(2, height // 2 * 2)
        self._colours = first.frame.colorspace

    def __call__(self, source: Source, frame: av.VideoFrame) -> av.VideoFrame:
        width, height, aspect = _upright(source, frame)
        # How much wider than the canvas the frame is, as displayed.
        wider = width * aspect * self.height / (height * self.pixel_aspect * self.width)
        across, down = min(Fraction(1), wider), min(Fraction(1), 1 / wider)
        inner = max(2, 2 * round(self.width * across / 2)), max(2, 2 * round(self.height * down / 2))
        if turn := orientation(frame).filters:
            (frame,) = filtered(graph_of(frame, source.time_base, *turn), frame)
        other = frame.colorspace != self._colours and _UNTAGGED not in (frame.colorspace, self._colours)
        colours = self._colours if other else None
        frame = frame.reformat(*inner, format="yuv420p", dst_colorspace=colours, interpolation="BICUBIC")
        if inner == (self.width, self.height):
            return frame
        if source.path not in self._told:
            self._told.add(source.path)
            logger.warning("%s is fitted into %d x %d, with bars", source.path, self.width, self.height)
        left, top = (self.width - inner[0]) // 4 * 2, (self.height - inner[1]) // 4 * 2
        (frame,) = filtered(
            graph_of(frame, source.time_base, ("pad", f"{self.width}:{self.height}:{left}:{top}")), frame
        )
        return frame


def _upright(source: Source, frame: av.VideoFrame) -> tuple[int, int, Fraction]:
    """Width and height of a frame that is put upright, and the shape of its pixels."""
    aspect = source.stream.sample_aspect_ratio or Fraction(1)
    if orientation(frame).transposed:
        return frame.height, frame.width, 1 / aspect
    return frame.width, frame.height, aspect
