"""Pictures upright in all eight orientations, and what is kept of very long ones."""

from __future__ import annotations

import gc
import io
import weakref
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import asst.video.source
from asst.errors import InputError
from asst.library.index import PICTURES, write_strip
from asst.outputs.report.report import take_stills
from asst.video import STILL, Crop, cut, frames, probe
from asst.video.picture import orientation
from asst.video.source import Source

Pixels = npt.NDArray[np.uint8]
CROPS = Crop(3, 1.0)


def quarters(height: int = 48, width: int = 64) -> Pixels:
    """Red, green and blue quarters, the last one black."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[: height // 2, : width // 2, 0] = pixels[: height // 2, width // 2 :, 1] = 255
    pixels[height // 2 :, : width // 2, 2] = 255
    return pixels


def corners(pixels: Pixels) -> str:
    """The colours of the corners, row by row."""
    height, width, _ = pixels.shape
    inside = [pixels[y, x] for y in (height // 8, -height // 8) for x in (width // 8, -width // 8)]
    return "".join("rgb"[int(one.argmax())] if one.max() > 100 else "k" for one in inside)


def write(path: Path, pixels: Pixels, codec: str = "libx264", prepare: Callable[[Any], None] | None = None) -> Path:
    """A second of one picture."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=5)
        stream.height, stream.width, _ = pixels.shape
        stream.pix_fmt = {"libx264": "yuv420p", "mjpeg": "yuvj420p"}.get(codec, "yuv444p")
        if prepare is not None:
            prepare(stream)
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", range(4))
def test_all_eight_orientations_come_upright(tmp_path: Path, turns: int, mirrored: bool, suffix: str) -> None:
    def turned(stream: Any) -> None:
        stream.set_display_rotation(90 * turns, hflip=mirrored)

    path = write(tmp_path / ("turned" + suffix), quarters(), prepare=turned)
    expected = np.rot90(quarters(), turns)
    expected = expected[:, ::-1] if mirrored else expected
    info = probe(path)
    assert (info.height, info.width) == expected.shape[:2]
    (still,) = take_stills(path, [0.5]).values()
    assert (still.height < still.width) == (info.height < info.width)
    for exact in (True, False):
        cut(path, 0.0, 0.6, tmp_path / ("clip" + suffix), exact=exact)
        for one in (path, tmp_path / ("clip" + suffix)):
            for pixels in (next(frames(one)).pixels[0], next(frames(one, short_side=24)).pixels[0]):
                assert corners(pixels) == corners(expected)


def ribbon(parts: int, side: int = 16) -> Pixels:
    """Crops side by side; the ``k``-th is of grey level ``k``."""
    return np.repeat(np.repeat(np.arange(parts, dtype=np.uint8), side)[None, :, None], side, 0).repeat(3, 2)


def test_a_frame_goes_as_soon_as_nobody_holds_it() -> None:
    frame = av.VideoFrame(64, 48, "yuv420p")
    orientation(frame)
    gc.collect()
    orientation(frame)
    del frame
    assert gc.collect() == 0


def test_a_closed_file_goes_with_its_pictures_as_soon_as_nobody_holds_it(tmp_path: Path) -> None:
    with Source(write(tmp_path / "v.mp4", quarters())) as source:
        next(source.decoded())
    held = weakref.ref(source)
    del source
    assert held() is None


@pytest.mark.parametrize("tall", [False, True])
def test_of_a_very_long_picture_the_ends_and_the_middle_are_brought_to_size(tmp_path: Path, tall: bool) -> None:
    stored = 2 * ribbon(101)
    path = write(tmp_path / "long.mkv", np.ascontiguousarray(stored.transpose(1, 0, 2)) if tall else stored)
    (pixels,) = {batch.pixels.shape: batch.pixels[0] for batch in frames(path, short_side=40, crop=CROPS)}.values()
    pixels = pixels.transpose(1, 0, 2) if tall else pixels
    assert pixels.shape == (40, 120, 3)
    for middle, level in ((20, 0), (60, 100), (100, 200)):
        assert abs(int(pixels[20, middle, 0]) - level) <= 4


def test_pictures_that_are_not_that_long_are_kept_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "wide.mkv", quarters(40, 120))
    whole, cut_down = next(frames(path, short_side=20)), next(frames(path, short_side=20, crop=CROPS))
    np.testing.assert_array_equal(whole.pixels, cut_down.pixels)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 40, 120, 3), np.uint8)
    assert CROPS.kept(pictures, (120, 40)) is pictures


@pytest.mark.parametrize(("parts", "starts"), [(1, [5]), (3, [0, 5, 10])])
def test_parts_lie_evenly_from_end_to_end(parts: int, starts: list[int]) -> None:
    pictures = ribbon(11, side=1)[None]
    assert Crop(parts, 1.0).kept(pictures, (11, 1))[0, 0, :, 0].tolist() == starts
    assert Crop(parts, 1.0).kept(pictures.transpose(0, 2, 1, 3), (1, 11))[0, :, 0, 0].tolist() == starts


def test_pixels_may_be_so_wide_that_the_picture_is_long(make: Callable[..., Path]) -> None:
    path = make("pixels.mp4", aspect=Fraction(20))
    assert (probe(path).width, probe(path).height) == (160 * 20, 96)
    assert next(frames(path, short_side=40, crop=CROPS)).pixels.shape[1:] == (40, 120, 3)


@pytest.mark.parametrize(("height", "width"), [(8, 65_500), (65_500, 8), (1, 1), (1, 3), (7, 5)])
def test_stills_of_any_size_fit_into_a_jpeg(tmp_path: Path, height: int, width: int) -> None:
    path = write(tmp_path / "odd.avi", np.full((height, width, 3), 130, np.uint8), "mjpeg")
    (still,) = take_stills(path, [0.5]).values()
    assert max(still.width, still.height) <= 4 * min(still.width, still.height)
    write_strip(path, 1.0, tmp_path / "strip.jpg")
    strip = Image.open(io.BytesIO((tmp_path / "strip.jpg").read_bytes()))
    assert strip.width <= PICTURES * STILL.sides * strip.height


def test_pictures_beyond_the_bound_are_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "huge.mkv", quarters())
    monkeypatch.setattr(asst.video.source, "MOST_PIXELS", 64 * 48)
    assert probe(path).width == 64
    monkeypatch.setattr(asst.video.source, "MOST_PIXELS", 64 * 48 - 1)
    with pytest.raises(InputError, match=r"has pictures of 64 x 48 pixels, more than 3,071; scale it down first"):
        probe(path)
