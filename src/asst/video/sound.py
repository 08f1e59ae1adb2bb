"""The sound of a clip: the first audio track's packets in a span, encoded anew or copied."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from asst.video.container import logger, open_container
from asst.video.picture import filtered
from asst.video.pyav import av

if TYPE_CHECKING:
    from asst.video.clock import Index
    from asst.video.source import Segment, Source

_FALLBACK_HZ = 48_000
_FALLBACK_BASE = Fraction(1, 90_000)
_SETTLE_S = 0.2
_LAYOUTS = ("mono", "stereo", "3.0", "quad", "4.0", "5.0", "5.0(side)", "5.1", "5.1(side)")
"""Of channels, those that AAC and players know; others, as of MXF and Windows Media, are told by their number."""


def encoded_sound(segments: Sequence[Segment], out: av.container.OutputContainer) -> Iterator[av.Packet[Any]]:
    """AAC packets of segments one after the other; gaps, and a track that begins late, are filled with silence.

    The stream is added to ``out`` at once, the packets come as they are asked for. Rate and channels are those of the
    first with sound. Time starts at zero; there are none where there is no sound.
    """
    kind = next(filter(None, map(_kind, dict.fromkeys(segment.path for segment in segments))), None)
    if kind is None:
        return iter(())
    rate, layout = kind
    rate = rate if rate in (av.Codec("aac", "w").audio_rates or []) else _FALLBACK_HZ
    encoder = out.add_stream("aac", rate=rate, layout=layout)

    def packets() -> Iterator[av.Packet[Any]]:
        written, due_s = 0, Fraction(0)
        for number, segment in enumerate(segments, start=1):
            start_s, end_s = segment.clock_s
            due_s += end_s - start_s
            stop = round(due_s * rate)
            frames = _samples(segment, rate, layout)
            if number < len(segments):
                frames = itertools.chain(frames, _silence(rate, layout))
            while written < stop and (frame := next(frames, None)) is not None:
                frame = _first_samples(frame, stop - written)
                frame.pts, frame.time_base, written = written, Fraction(1, rate), written + frame.samples
                yield from encoder.encode(frame)
        yield from encoder.encode(None)

    return packets()


def _kind(path: Path) -> tuple[int, str] | None:
    """Rate and channels of a file's sound; None where it has none."""
    with open_container(path) as container:
        stream = _first_track(container)
        if stream is None:
            return None
        rate, layout = stream.codec_context.sample_rate, stream.codec_context.layout
        return rate, layout.name if layout.name in _LAYOUTS else _LAYOUTS[layout.nb_channels > 1]


def _silence(rate: int, layout: str) -> Iterator[av.AudioFrame]:
    """Without end."""
    while True:
        yield _frame(np.zeros((av.AudioLayout(layout).nb_channels, rate)), rate, layout)


def _first_samples(frame: av.AudioFrame, most: int) -> av.AudioFrame:
    """A frame of so many samples at most."""
    if frame.samples <= most:
        return frame
    return _frame(frame.to_ndarray()[:, :most], frame.sample_rate, frame.layout.name)


def _frame(samples: npt.NDArray[Any], rate: int, layout: str) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, dtype=np.float32), format="fltp", layout=layout)
    frame.sample_rate = rate
    return frame


def copied_sound(
    source: Source, out: av.container.OutputContainer, start_s: float, end_s: float
) -> Iterator[av.Packet[Any]]:
    """The stored packets of a span, in seconds as `Segment.clock_s` has them; else as `encoded_sound`."""
    container = open_container(source.path)
    stream = _first_track(container)
    if stream is None or stream.time_base is None:
        container.close()
        return iter(())
    copy = out.add_stream_from_template(stream, opaque=True)
    start, end = int(start_s / stream.time_base), int(end_s / stream.time_base)

    def packets() -> Iterator[av.Packet[Any]]:
        with container:
            for packet in _from(container, stream, start_s, source.index):
                if packet.pts is None or packet.pts < start:
                    continue
                if packet.pts >= end:
                    return
                # Sound is stored in the order it is heard, so that one time serves as both.
                packet.pts, packet.dts, packet.stream = packet.pts - start, packet.pts - start, copy
                yield packet

    return packets()


def _first_track(container: av.container.InputContainer) -> av.AudioStream | None:
    """The first audio stream that there is a decoder for, its channels as one of `_LAYOUTS`, or by their number."""
    stream = next((s for s in container.streams.audio if getattr(s, "codec_context", None) is not None), None)
    if stream is not None:
        # PyAV frees a layout of channels in an order of the file's own twice: with it, and with each frame.
        layout = stream.codec_context.layout
        stream.codec_context.layout = layout.name if layout.name in _LAYOUTS else f"{layout.nb_channels} channels"
    return stream


def _from(
    container: av.container.InputContainer, stream: av.AudioStream, start_s: float, index: Index | None
) -> Iterator[av.Packet[av.AudioStream]]:
    """Packets from a little before a time on, as the decoder needs some to settle; on the video's running clock."""
    ticks = int((start_s - _SETTLE_S) / (stream.time_base or _FALLBACK_BASE))
    if index is None:
        try:
            container.seek(ticks, stream=stream)
        except av.FFmpegError:
            logger.debug("%s cannot be sought in; its sound is read from the start", container.name)
        yield from container.demux(stream)
        return
    due, place, _ = index.key_before(ticks) or (ticks, 0, 0)
    container.seek(place, stream=stream, unsupported_byte_offset=True)
    for packet in container.demux(stream):
        # Not every packet tells its place.
        place = max(place, packet.pos or 0)
        if packet.dts is not None and packet.pts is not None:
            offset = index.offset_near(place, packet.dts, due)
            packet.dts, packet.pts = packet.dts + offset, packet.pts + offset
            due = packet.dts + (packet.duration or 0)
        yield packet


def _samples(segment: Segment, rate: int, layout: str) -> Iterator[av.AudioFrame]:
    """The decoded samples of a segment, from time zero on and without gaps; none where there is no sound."""
    start_s, end_s = map(float, segment.clock_s)
    with open_container(segment.path) as container:
        if (stream := _first_track(container)) is None:
            return
        frames = _alike(_decoded(_from(container, stream, start_s, segment.index), end_s))
        if (first := next(frames, None)) is None:
            return
        graph = av.filter.Graph()
        # What the decoder gives may be of another format than the stream says.
        graph.link_nodes(
            graph.add_abuffer(stream, first.sample_rate, first.format, first.layout.name),
            graph.add("atrim", f"start={start_s:.6f}:end={end_s:.6f}"),
            graph.add("asetpts", f"PTS-({start_s:.6f})/TB"),
            graph.add("aresample", f"{rate}:async=1:first_pts=0"),
            graph.add("aformat", f"sample_fmts=fltp:sample_rates={rate}:channel_layouts={layout}"),
            graph.add("abuffersink"),
        )
        graph.configure()
        for frame in itertools.chain([first], frames, [None]):
            yield from filtered(graph, frame)


def _decoded(packets: Iterator[av.Packet[av.AudioStream]], end_s: float) -> Iterator[av.AudioFrame]:
    """What can be decoded up to a time."""
    for packet in packets:
        try:
            yield from packet.decode()
        except av.FFmpegError:
            logger.debug("a packet of sound could not be decoded")
        if packet.pts is not None and packet.pts * packet.time_base >= end_s:
            return


def _alike(frames: Iterator[av.AudioFrame]) -> Iterator[av.AudioFrame]:
    """Frames of the first one's format, layout and rate; recordings that were joined may differ."""
    wanted: tuple[str, str, int] | None = None
    for frame in frames:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        wanted = wanted or kind
        if kind == wanted:
            yield frame
            continue
        for changed in av.AudioResampler(*wanted).resample(frame):
            changed.pts, changed.time_base = frame.pts, frame.time_base
            yield changed
