"""Features of three squares of the picture, two steps a second, on the shots of the video.

Two pictures a second are looked at whole, so that nothing at the sides is lost: a network sees three overlapping
squares, at both ends and in the middle of the longer side. A small thing fills more of a square than of the whole.
Between them the coarse colours of four pictures a second tell where shots change.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.disk_rows import Rows, SpillingRows, release
from asst.features.extractor import Progress
from asst.features.hashing import settings_hash
from asst.features.prefetch import made_ahead
from asst.features.resampling import Pixels, new_pictures, resized, short_side_size, ticks
from asst.features.runtime import at_once
from asst.features.values import Features
from asst.features.zeroshot import panning
from asst.features.zeroshot.colours import colour_shares
from asst.features.zeroshot.cut_times import CutTimes
from asst.features.zeroshot.frame_selection import GROUP_STEPS, Looking, Step
from asst.features.zeroshot.layout import PAN, WINDOWS, Space
from asst.features.zeroshot.shots import coarse_colours, shot_cuts
from asst.video import Crop, Frames, frames, probe

TICK_RATE = 4.0
TICKS_A_STEP = 2
STEP_S = TICKS_A_STEP / TICK_RATE
LOOKS_A_SECOND = 1 / STEP_S
_BATCH_TICKS = 16
# Of pictures so long that the squares lie apart, what is between them is not looked at.
_CROP = Crop(WINDOWS, 1.0)
# Colours are named of every so many-th pixel and row.
_COLOUR_STRIDE = 4


class SquaresExtractor(ABC):
    """Two steps a second; a step's vector is what the network sees, square by square, then what `Space.pixels` says.

    Attributes:
        name: of the features.
        space: that what is seen in a square lies in.
        dimension: numbers in a vector.
        preprocessing: a short hash of all that decides the numbers besides the weights.
        weights: a short hash of the weights.
        precision: the number format that the network computes in.
        flow: empty, as it looks for none.

    Args:
        space: as above.
        short_side: pixels that the shorter side of a picture is brought to.
        weights: as above.
        settings: what else decides the numbers; fit for JSON.
        looks_a_second: how many pictures of a second of video the network looks at, at most. Those between hold what
            the nearest of their own kind shows. A still picture is looked at once in eight seconds.
        turn_least: how far what is seen must turn where colours jump, for a new shot; as `shot_cuts` has it.
    """

    def __init__(
        self,
        space: Space,
        short_side: int,
        weights: str,
        settings: Mapping[str, object],
        looks_a_second: float,
        turn_least: float,
    ) -> None:
        self.name = space.extractor
        self.space = space
        self.dimension = space.dimension
        self.flow = ""
        self.weights = weights
        self.precision = "float32"
        self._looks = round(looks_a_second * GROUP_STEPS * STEP_S)
        self._short_side = short_side
        self._turn_least = turn_least
        clock = {"version": 2, "tick_rate": TICK_RATE, "ticks_a_step": TICKS_A_STEP, "group": GROUP_STEPS}
        pictures = {"looks": self._looks, "short_side": short_side, "windows": WINDOWS, "pixels": space.pixels}
        kept = {"long_pictures": (_CROP.parts, _CROP.sides)}
        self.preprocessing = settings_hash({**clock, **pictures, **kept, **settings})

    @abstractmethod
    def see(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """What the network sees of pictures of one size, shape ``(pictures, WINDOWS * channels)``; see `squares`.

        Called by several threads at once.

        Args:
            pictures: RGB, shape ``(pictures, height, width, 3)``.
        """

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """Features of a file, read as a stream: decoding runs beside the network.

        Raises:
            InputError: for a file that holds no video that can be read.
        """
        duration_s = probe(video).duration_s
        # The network takes the rest of the cores.
        threads = max(1, (os.cpu_count() or 1) // 2)
        cut_times = CutTimes(TICK_RATE)
        batches = frames(
            video,
            rate=TICK_RATE,
            short_side=self._short_side,
            crop=_CROP,
            batch=_BATCH_TICKS,
            threads=threads,
            seen=cut_times.glimpse,
        )

        def watched() -> Iterator[Frames]:
            for batch in made_ahead(batches):
                yield batch
                if progress is not None:
                    progress(min(duration_s, float(batch.times_s[-1]) + 1 / TICK_RATE), duration_s)

        return self._features(watched(), cut_times)

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """Features of frames in memory: at each tick the last frame that had begun, as a player shows it.

        Batches may differ in the size of their pictures.

        Raises:
            InputError: when there is no frame, or a batch begins before the one before it has ended.
        """
        cut_times = CutTimes(TICK_RATE)
        return self._features(ticks(frames, TICK_RATE, _BATCH_TICKS, self._sized, cut_times.glimpse), cut_times)

    def embed(self, pictures: Pixels) -> npt.NDArray[np.float32]:
        """Pictures as unit vectors in the space, each the mean of its squares, shape ``(pictures, channels)``.

        Args:
            pictures: RGB, shape ``(pictures, height, width, 3)``.

        Raises:
            InputError: for pictures of another shape or type.
        """
        if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
            raise InputError(f"frames are uint8, (frames, height, width, 3), not {pictures.dtype}, {pictures.shape}")
        vectors = np.zeros((len(pictures), self.space.channels), dtype=np.float32)
        for first in range(0, len(pictures), _BATCH_TICKS):
            seen = self.see(self._sized(pictures[first : first + _BATCH_TICKS]))
            squares = seen.reshape(len(seen), WINDOWS, -1).astype(np.float32) - self.space.mean
            middle = (squares / np.linalg.norm(squares, axis=2, keepdims=True)).mean(axis=1)
            vectors[first : first + _BATCH_TICKS] = middle / np.linalg.norm(middle, axis=1, keepdims=True)
        return vectors

    def look(self, picture: Pixels) -> npt.NDArray[np.float16]:
        """What a step's vector says of a picture, ``(height, width, 3)``, RGB: all but how the camera turns."""
        row: npt.NDArray[np.float16] = self._looked(self._sized(picture[None]))[0]
        return row

    def _features(self, batches: Iterable[Frames], cut_times: CutTimes) -> Features:
        rows = SpillingRows(self.dimension)
        watch = _Watch(cut_times, turning=self.space.pixels)
        with self._undivided() as together, Looking(self._looked, together, self._looks) as looking:
            for row, steps in looking.rows(watch.steps(batches)):
                rows.append(np.concatenate([row, watch.pan(len(rows), steps)]), steps)
        if not len(rows):
            raise InputError("no frame to look at; give at least one")
        seen = rows.finished()

        def unit_ticks(first: int, last: int) -> npt.NDArray[np.float64]:
            return self._unit_ticks(seen, first, last)

        cuts = shot_cuts(np.array(watch.changes), unit_ticks, self._turn_least)
        return Features(seen, 0.0, STEP_S, self.name, cut_times.times_s(cuts))

    def _undivided(self) -> AbstractContextManager[int]:
        """While it lasts a call of `see` takes one thread; gives how many pictures are worth a call."""
        return nullcontext(at_once())

    def _looked(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """What the network sees of pictures of one size, and their colours; a row each."""
        seen = self.see(pictures)
        if not self.space.pixels:
            return seen
        parts = (pictures[:, rows, columns] for rows, columns in squares(*pictures.shape[1:3]))
        colours = [colour_shares(part[:, ::_COLOUR_STRIDE, ::_COLOUR_STRIDE]) for part in parts]
        return np.concatenate([seen, *(shares.astype(np.float16) for shares in colours)], axis=1)

    def _unit_ticks(self, seen: Rows, first: int, last: int) -> npt.NDArray[np.float64]:
        """What is seen at some ticks, centred and of unit length, shape ``(last - first, channels)``."""
        steps = np.arange(first, last) // TICKS_A_STEP
        rows = np.asarray(seen[steps[0] : steps[-1] + 1])[:, : self.space.seen]
        windows = rows.reshape(-1, WINDOWS, self.space.channels)
        release(seen)
        centred = windows.mean(axis=1, dtype=np.float64) - self.space.mean
        centred /= np.linalg.norm(centred, axis=1, keepdims=True)
        ticks: npt.NDArray[np.float64] = centred[steps - steps[0]]
        return ticks

    def _sized(self, pixels: Pixels) -> Pixels:
        """What is kept of pictures, with its short side as the network was trained."""
        kept = _CROP.kept(pixels, (pixels.shape[2], pixels.shape[1]))
        _, height, width, _ = kept.shape
        return resized(kept, short_side_size(height, width, self._short_side))


def squares(height: int, width: int) -> list[tuple[slice, slice]]:
    """Rows and columns of the squares of a picture, left to right or downwards; of a square one they are all of it.

    >>> [(columns.start, columns.stop) for _, columns in squares(9, 16)]
    [(0, 9), (3, 12), (7, 16)]
    """
    side, spare = min(height, width), abs(width - height)
    across = slice(0, side)
    along = [slice(start, start + side) for start in (0, spare // 2, spare)]
    return [(across, one) for one in along] if width >= height else [(one, across) for one in along]


class _Watch:
    """What is seen of a video from tick to tick, while its pictures go by.

    Attributes:
        changes: how much colours change at each tick but the first.

    Args:
        cut_times: told of the changes, up to the last.
        turning: whether the camera's turning is watched too.
    """

    def __init__(self, cut_times: CutTimes, *, turning: bool) -> None:
        self.changes = array("d")
        self._cut_times = cut_times
        self._turning = turning
        # Of each tick, side by side.
        self._pans = array("d")
        # Of the last picture.
        self._colours: npt.NDArray[np.float32] | None = None
        self._seen: panning.Seen | None = None

    def steps(self, batches: Iterable[Frames]) -> Iterator[Step]:
        """Each step's picture and the changes since the step before."""
        picture: Pixels | None = None
        tick = 0
        for new, held in new_pictures(batches):
            self._watch(new)
            self.changes.extend([0.0] * held)
            self._pans.extend([0.0] * (held * len(PAN) * self._turning))
            self._cut_times.follow(self.changes)
            for index in range(len(new) + held):
                picture = new[index] if index < len(new) else picture
                if tick % TICKS_A_STEP == 0 and picture is not None:
                    yield Step(picture, self.changes[max(0, tick - TICKS_A_STEP) : tick])
                tick += 1
        self._cut_times.follow(self.changes, to_the_end=True)

    def _watch(self, new: Pixels) -> None:
        """Take in the pictures of some ticks."""
        if not len(new):
            return
        colours = coarse_colours(new)
        known = colours if self._colours is None else np.concatenate([self._colours, colours])
        self.changes.extend(np.abs(np.diff(known, axis=0)).mean(axis=1).tolist())
        self._colours = colours[-1:]
        for picture in new if self._turning else ():
            now = panning.seen(picture)
            self._pans.extend(panning.pan(self._seen, now) if self._seen is not None else (0.0, 0.0))
            self._seen = now

    def pan(self, first: int, steps: int) -> npt.NDArray[np.float16]:
        """How the camera turns in some steps, as `Space.pixels` says; empty where it is not watched."""
        if not self._turning:
            return np.zeros(0, dtype=np.float16)
        at = slice(first * TICKS_A_STEP * len(PAN), (first + steps) * TICKS_A_STEP * len(PAN))
        ticks = np.array(self._pans[at]).reshape(-1, len(PAN))
        mean: npt.NDArray[np.float16] = (TICK_RATE * ticks.mean(axis=0)).astype(np.float16)
        return mean
