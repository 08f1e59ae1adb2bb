"""Videos made on the spot, whose every picture shows its own number as black and white bars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from asst.video import Frames

BITS = 10
Pixels = npt.NDArray[np.uint8]


def picture_of(number: int, width: int, height: int) -> Pixels:
    """The number in binary, the greatest bit on the left; a dark grey and a light grey, so that ranges show too."""
    bits = [(number >> (BITS - 1 - bit)) & 1 for bit in range(BITS)]
    row = np.array([bits[min(x * BITS // width, BITS - 1)] for x in range(width)], dtype=np.uint8)
    return np.broadcast_to((30 + 190 * row)[None, :, None], (height, width, 3)).astype(np.uint8)


def number_in(picture: Pixels) -> int:
    """The number that an upright picture shows, whatever its size."""
    height, width, _ = picture.shape
    columns = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    bars = picture[height // 4 : 3 * height // 4, columns].mean(axis=(0, 2)) > 125
    return int("".join("1" if bar else "0" for bar in bars), 2)


@dataclass(frozen=True)
class Recipe:
    """What kind of file to make."""

    ticks: Sequence[int] = tuple(range(60))
    time_base: Fraction = Fraction(1, 25)
    width: int = 160
    height: int = 96
    pixel_format: str = "yuv420p"
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    aspect: Fraction | None = None
    turned_left: int = 0
    beep_s: tuple[float, float] | None = None
    sound_rate: int = 44_100
    sound_codec: str = "aac"
    turned_back: bool = False
    stored: Callable[[Pixels], Pixels] | None = None


def write(path: Path, recipe: Recipe) -> Path:
    """Make the file: picture ``i`` shows the number ``i`` from ``ticks[i]`` on."""
    with av.open(str(path), "w", options=recipe.container_options) as out:
        stream: Any = out.add_stream(recipe.codec, rate=25, options={"crf": "12", "threads": "1", **recipe.options})
        codec = stream.codec_context
        codec.width, codec.height, codec.pix_fmt = recipe.width, recipe.height, recipe.pixel_format
        if recipe.turned_left % 2:
            codec.width, codec.height = recipe.height, recipe.width
        codec.time_base = recipe.time_base
        if recipe.aspect is not None:
            codec.sample_aspect_ratio = recipe.aspect
        if recipe.turned_back:
            stream.set_display_rotation(-90 * recipe.turned_left)
        tracks: list[Any] = []
        if recipe.beep_s is not None:
            tracks.append(out.add_stream(recipe.sound_codec, rate=recipe.sound_rate, layout="mono"))
        for number, tick in enumerate(recipe.ticks):
            pixels = np.rot90(picture_of(number, recipe.width, recipe.height), recipe.turned_left)
            pixels = recipe.stored(pixels) if recipe.stored else pixels
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
            frame.pts, frame.time_base = tick, recipe.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if recipe.beep_s is not None:
            seconds = float((recipe.ticks[-1] - recipe.ticks[0]) * recipe.time_base) + 1 / 25
            times = np.arange(int(seconds * recipe.sound_rate)) / recipe.sound_rate
            on = (times >= recipe.beep_s[0]) & (times < recipe.beep_s[1])
            wave = (0.5 * on * np.sin(2 * np.pi * 880 * times)).astype(np.float32)
            heard = av.AudioFrame.from_ndarray(wave[None], "flt", "mono")
            heard.sample_rate, heard.pts = (
                recipe.sound_rate,
                int(recipe.ticks[0] * recipe.time_base * recipe.sound_rate),
            )
            heard.time_base = Fraction(1, recipe.sound_rate)
            out.mux(tracks[0].encode(heard))
            out.mux(tracks[0].encode(None))
    return path


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``make(name, **recipe)`` writes a numbered video in a folder of its own and gives its path."""

    def made(name: str, **recipe: object) -> Path:
        return write(tmp_path_factory.mktemp("video") / name, Recipe(**recipe))  # type: ignore[arg-type]

    return made


@pytest.fixture(scope="session")
def numbers() -> Callable[[Iterable[Frames]], list[int]]:
    """Reads which pictures came back in a run of batches."""

    def read(batches: Iterable[Frames]) -> list[int]:
        return [number_in(picture) for batch in batches for picture in batch.pixels]

    return read
