"""The sound of a clip: the first audio track's packets in a span, encoded anew or copied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asst.video.source import logger, open_container

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.filter import Graph
    from av.packet import Packet

_FALLBACK_HZ = 48_000


def encoded_sound(path: Path, out: OutputContainer, start_s: float, end_s: float) -> Iterator[Packet[Any]]:
    """AAC packets of a span; gaps, and a track that begins late, are filled with silence.

    The stream is added to ``out`` at once, the packets come as they are asked for.

    Args:
        path: the source.
        out: where the packets will go.
        start_s: seconds on the file's own clock.
        end_s: likewise.

    Returns:
        Packets whose time starts at zero; none where there is no sound.
    """
    import av

    container = open_container(path)
    stream = _first_track(container)
    if stream is None:
        container.close()
        return iter(())
    rates = av.Codec("aac", "w").audio_rates or []
    rate = stream.codec_context.sample_rate
    rate = rate if rate in rates else _FALLBACK_HZ
    encoder = out.add_stream("aac", rate=rate, layout=stream.codec_context.layout)

    def packets() -> Iterator[Packet[Any]]:
        with container:
            for frame in _span(container, stream, start_s, end_s, rate):
                yield from encoder.encode(frame)
            yield from encoder.encode(None)

    return packets()


def copied_sound(path: Path, out: OutputContainer, start_s: float, end_s: float) -> Iterator[Packet[Any]]:
    """The stored packets of a span, as ``encoded_sound`` does otherwise."""
    container = open_container(path)
    stream = _first_track(container)
    if stream is None or stream.time_base is None:
        container.close()
        return iter(())
    copy = out.add_stream_from_template(stream, opaque=True)
    start, end = int(start_s / stream.time_base), int(end_s / stream.time_base)

    def packets() -> Iterator[Packet[Any]]:
        with container:
            for packet in _from(container, stream, start_s):
                if packet.pts is None or packet.pts < start:
                    continue
                if packet.pts >= end:
                    return
                # Sound is stored in the order it is heard, so that one time serves as both.
                packet.pts, packet.dts, packet.stream = packet.pts - start, packet.pts - start, copy
                yield packet

    return packets()


def _first_track(container: InputContainer) -> AudioStream | None:
    """The first audio stream that there is a decoder for."""
    return next((s for s in container.streams.audio if getattr(s, "codec_context", None) is not None), None)


def _from(container: InputContainer, stream: AudioStream, start_s: float) -> Iterator[Packet[AudioStream]]:
    """Packets from a little before a time on: the decoder needs some to settle."""
    import av

    settle_s = 0.2
    try:
        if stream.time_base is not None:
            container.seek(int((start_s - settle_s) / stream.time_base), stream=stream)
    except av.FFmpegError:
        logger.debug("%s cannot be sought in; its sound is read from the start", container.name)
    yield from container.demux(stream)


def _span(
    container: InputContainer, stream: AudioStream, start_s: float, end_s: float, rate: int
) -> Iterator[AudioFrame]:
    """The decoded samples of a span, from time zero on and without gaps."""
    import av
    from av.filter import Graph

    codec = stream.codec_context
    graph = Graph()
    graph.link_nodes(
        graph.add_abuffer(template=stream),
        graph.add("atrim", f"start={start_s:.6f}:end={end_s:.6f}"),
        graph.add("asetpts", f"PTS-({start_s:.6f})/TB"),
        graph.add("aresample", f"{rate}:async=1:first_pts=0"),
        graph.add("aformat", f"sample_fmts=fltp:sample_rates={rate}:channel_layouts={codec.layout.name}"),
        graph.add("abuffersink"),
    )
    graph.configure()
    for packet in _from(container, stream, start_s):
        try:
            decoded = packet.decode()
        except av.FFmpegError:
            logger.debug("%s: a packet of sound could not be decoded", container.name)
            continue
        for frame in decoded:
            graph.push(frame)
            yield from _ready(graph)
        if packet.pts is not None and packet.pts * packet.time_base >= end_s:
            break
    graph.push(None)
    yield from _ready(graph)


def _ready(graph: Graph) -> Iterator[AudioFrame]:
    """What has come out of the filters so far."""
    import av
    from av.audio.frame import AudioFrame

    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, AudioFrame):
            yield frame
