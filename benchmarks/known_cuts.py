"""Videos whose cuts are known to the frame, made of stretches of real videos.

Shots of random length follow each other by hard cuts at random frames and by some dissolves, whose middle counts. As
traps shots hold flashes, and some are quick pans. Each video has another rate, codec and container.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from asst.video import frames

Pixels = npt.NDArray[np.uint8]

WIDTH, HEIGHT = 640, 360
# Stretches of the real videos in which nothing is cut, in seconds.
_STRETCHES = (
    ("bikes.mp4", 0.0, 1.1),
    ("bikes.mp4", 3.1, 5.4),
    ("bikes.mp4", 5.5, 7.4),
    ("bunny.mp4", 0.0, 5.2),
    ("cockatoo.mp4", 0.0, 3.5),
    ("cockatoo.mp4", 11.6, 13.9),
    ("ggsy.mp4", 0.0, 17.0),
    ("longjump.mp4", 5.2, 8.4),
    ("longjump.mp4", 9.0, 14.9),
    ("longjump.mp4", 15.6, 22.1),
    ("mma_struct.mp4", 0.0, 8.8),
    ("mma_test.mp4", 0.0, 5.0),
    ("pancake.mkv", 0.0, 8.0),
    ("yoga.mp4", 0.0, 9.9),
    ("znv.mp4", 0.0, 13.9),
)
_SHOT_S, _SHORTEST_S = 2.2, 0.7
_DISSOLVES, _PANS, _FLASHES = 0.15, 0.1, 0.2
_DISSOLVE_S = (0.5, 2.0)
_PAN_WIDTHS_A_SECOND = 1.5


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its name's end, frames a second, codec, the encoder's settings, and whether its rate varies."""

    suffix: str
    rate: Fraction
    codec: str
    options: dict[str, str]
    varies: bool = False


KINDS = (
    Kind("23.976.mp4", Fraction(24000, 1001), "libx264", {"preset": "medium"}),
    Kind("25.mkv", Fraction(25), "libx264", {"preset": "medium", "bf": "8", "sc_threshold": "0", "g": "60"}),
    Kind("29.97.ts", Fraction(30000, 1001), "libx264", {"preset": "veryfast", "g": "30"}),
    Kind("50.webm", Fraction(50), "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "b": "2M"}),
    Kind("60.mp4", Fraction(60), "libx265", {"preset": "veryfast", "x265-params": "log-level=error"}),
    Kind("varying.mp4", Fraction(30), "libx264", {"preset": "fast"}, varies=True),
)


@dataclass(frozen=True, slots=True)
class Change:
    """Where a shot follows another.

    Attributes:
        time_s: when the new shot's first frame is shown; of a dissolve the frame in its middle.
        length_s: of a dissolve, zero for a hard cut.
    """

    time_s: float
    length_s: float


@dataclass(frozen=True, slots=True)
class Known:
    """A video, the changes in it, when each frame is shown, and how many seconds it has."""

    path: Path
    changes: tuple[Change, ...]
    times_s: npt.NDArray[np.float64]


def known_videos(folder: Path, out: Path, shots: int, seed: int) -> Iterator[Known]:
    """One video of each kind.

    Args:
        folder: the real videos.
        out: where to write.
        shots: in each video.
        seed: of what is drawn.
    """
    for number, kind in enumerate(KINDS):
        draw = np.random.default_rng([seed, number])
        changes: list[tuple[int, int]] = []
        path = out / f"known-{kind.suffix}"
        times_s = _write(path, kind, _edited(folder, kind, shots, draw, changes), draw)
        rate = float(kind.rate)
        yield Known(path, tuple(Change(times_s[at], length / rate) for at, length in changes), times_s)


def _edited(
    folder: Path, kind: Kind, shots: int, draw: np.random.Generator, changes: list[tuple[int, int]]
) -> Iterator[Pixels]:
    """The frames; puts into ``changes`` at which a shot begins, and for how many the one before is mixed in."""
    rate = float(kind.rate)
    mixes = [round(draw.uniform(*_DISSOLVE_S) * rate) * (draw.random() < _DISSOLVES) for _ in range(shots - 1)]
    tail: list[Pixels] = []
    count, last_file = 0, ""
    for mixed, held in zip([0, *mixes], [*mixes, 0], strict=True):
        own = round(max(_SHORTEST_S, draw.exponential(_SHOT_S)) * rate)
        last_file, shot = _shot(folder, last_file, mixed + own + held, rate, draw)
        if count:
            changes.append((count + mixed // 2, mixed))
        for index in range(mixed):
            share = (index + 1) / (mixed + 1)
            yield (tail[index] * (1 - share) + shot[index] * share).astype(np.uint8)
        if draw.random() < _FLASHES:
            _flash(shot[mixed : mixed + own], draw)
        yield from shot[mixed : mixed + own]
        tail = shot[mixed + own :]
        count += mixed + own


def _shot(
    folder: Path, last_file: str, length: int, rate: float, draw: np.random.Generator
) -> tuple[str, list[Pixels]]:
    """So many frames of another file than the last, and its name; a stretch that is too short is played again back."""
    file, start_s, end_s = _STRETCHES[int(draw.choice([k for k, (f, *_) in enumerate(_STRETCHES) if f != last_file]))]
    if draw.random() < _PANS:
        return file, _panned(folder / file, start_s, length, rate)
    start_s = draw.uniform(start_s, max(start_s, end_s - length / rate))
    read = frames(folder / file, rate=rate, start_s=start_s, end_s=end_s, size=(WIDTH, HEIGHT))
    taken = list(islice((picture for batch in read for picture in batch.pixels), length))
    there_and_back = taken + taken[-2:0:-1]
    return file, [there_and_back[index % len(there_and_back)].copy() for index in range(length)]


def _panned(path: Path, at_s: float, length: int, rate: float) -> list[Pixels]:
    """A window that runs quickly over a picture and its mirror images."""
    (picture,) = next(iter(frames(path, times_s=[at_s + 0.5], size=(2 * WIDTH, HEIGHT)))).pixels
    wall = np.concatenate([picture, picture[:, ::-1]], axis=1)
    lefts = (np.arange(length) * _PAN_WIDTHS_A_SECOND * WIDTH / rate).astype(int)
    return [wall.take(range(left, left + WIDTH), axis=1, mode="wrap") for left in lefts]


def _flash(shot: list[Pixels], draw: np.random.Generator) -> None:
    """One to three frames turn nearly white."""
    at = int(draw.integers(1, len(shot) - 4))
    for index in range(at, at + int(draw.integers(1, 4))):
        shot[index] = (0.15 * shot[index] + 0.85 * 255).astype(np.uint8)


def _write(path: Path, kind: Kind, pictures: Iterable[Pixels], draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """Write the file; when each picture is shown, in seconds from the first."""
    base = Fraction(1, 90_000)
    ticks = [0]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(kind.codec, rate=kind.rate, options=kind.options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = base if kind.varies else 1 / kind.rate
        for number, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = (ticks[-1], base) if kind.varies else (number, 1 / kind.rate)
            container.mux(stream.encode(frame))
            ticks.append(ticks[-1] + round(draw.uniform(0.4, 1.6) / kind.rate / base))
        container.mux(stream.encode(None))
    return np.array(ticks) * float(base) if kind.varies else np.arange(len(ticks)) / float(kind.rate)
