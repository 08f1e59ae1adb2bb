"""Pictures as JPEG, by the codec that comes with the reader of videos."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

# The codec's scale runs from 2, the best, to 31; this is about what other programs call a quality of 72 per cent.
_SCALE = "4"


def jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A picture as the content of a file.

    Args:
        pixels: RGB, shape ``(height, width, 3)``.
    """
    import av
    from av.video.frame import VideoFrame
    from av.video.reformatter import ColorRange, Colorspace

    context = av.CodecContext.create("mjpeg", "w")
    context.height, context.width = pixels.shape[:2]
    context.pix_fmt, context.time_base = "yuvj420p", Fraction(1)
    context.options = {"qmin": _SCALE, "qmax": _SCALE}
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24").reformat(
        format="yuvj420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.JPEG
    )
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def is_jpeg(content: bytes) -> bool:
    """Whether a file's content is one whole picture that can be decoded."""
    import av

    context = av.CodecContext.create("mjpeg", "r")
    context.options = {"err_detect": "explode"}
    try:
        frames = [*context.decode(av.Packet(content)), *context.decode(None)]
    except (av.FFmpegError, ValueError):
        return False
    return len(frames) == 1 and content.endswith(b"\xff\xd9")
