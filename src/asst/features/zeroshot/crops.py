"""Features of three crops of each frame, two steps a second, on the shots of the video.

A network sees three overlapping squares, at both ends and in the middle of the longer side: nothing at the sides is
lost, and a small thing fills more of a square than of the whole. Coarse colours of four frames a second tell of cuts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np

from asst.errors import InputError
from asst.features.disk_rows import SpillingRows
from asst.features.extractor import Progress
from asst.features.hashing import settings_hash
from asst.features.prefetch import decoded_ahead
from asst.features.resampling import FrameSize, new_pictures, ticks
from asst.features.runtime import at_once
from asst.features.values import Features, Vectors, release
from asst.features.zeroshot.colours import colour_shares
from asst.features.zeroshot.frame_selection import GROUP_STEPS, FrameSampler, Step
from asst.features.zeroshot.panning import Spectrum, pan, spectrum
from asst.features.zeroshot.shots import CutTimes, coarse_colours, shot_cuts
from asst.features.zeroshot.space import CROPS, PAN, Space
from asst.moments import Float16Array, Float32Array, FloatArray
from asst.video import Crop, Frames, probe
from asst.video.picture import Pixels

TICK_RATE = 4.0
TICKS_A_STEP = 2
STEP_S = TICKS_A_STEP / TICK_RATE
SAMPLED_FPS = 1 / STEP_S
_BATCH_TICKS = 16
# Of frames so long that the crops lie apart, what is between them is not kept.
_CROP = Crop(CROPS, 1.0)
# Colours are named of every so many-th pixel and row.
_COLOUR_STRIDE = 4


class CropsExtractor(ABC):
    """Two steps a second; see `asst.features.extractor.Extractor`. `Space` says what is in a vector.

    Args:
        short_side: pixels that the shorter side of a frame is brought to.
        weights: a short hash of the weights.
        settings: what else decides the numbers; fit for JSON.
        sampled_fps: frames of a second of video that the network sees, at most. Those between hold what the nearest of
            their own kind shows. A still frame is sampled once in eight seconds.
        turn_least: as `shot_cuts` has it.
    """

    flow = ""

    def __init__(
        self,
        space: Space,
        short_side: int,
        weights: str,
        settings: Mapping[str, object],
        sampled_fps: float,
        turn_least: float,
    ) -> None:
        self.name = space.extractor
        self.space = space
        self.dimension = space.dimension
        self.weights = weights
        self.precision = "float32"
        self._sampled = round(sampled_fps * GROUP_STEPS * STEP_S)
        self._size = FrameSize(short_side=short_side, crop=_CROP)
        self._turn_least = turn_least
        clock = {"version": 2, "tick_rate": TICK_RATE, "ticks_a_step": TICKS_A_STEP, "group": GROUP_STEPS}
        pictures = {"looks": self._sampled, "short_side": short_side, "windows": CROPS, "pixels": space.pixels}
        kept = {"long_pictures": (_CROP.parts, _CROP.sides)}
        self.preprocessing = settings_hash({**clock, **pictures, **kept, **settings})

    @abstractmethod
    def crop_vectors(self, frames: Pixels) -> Float16Array:
        """What the network sees of crops of RGB frames, ``(frames, CROPS * channels)``; many threads."""

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """See `asst.features.extractor.Extractor`; decoding runs beside the network."""
        length_s, cut_times = probe(video).duration_s, CutTimes(TICK_RATE)
        size = {"short_side": self._size.short_side, "crop": _CROP}
        kept = {"batch": _BATCH_TICKS, "thumbnails": cut_times.thumbnail}
        batches = decoded_ahead(video, TICK_RATE, length_s, progress, **size, **kept)
        return self._features(batches, cut_times, length_s)

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """See `asst.features.extractor.Extractor`; batches may differ in the size of their frames."""
        cut_times = CutTimes(TICK_RATE)
        return self._features(ticks(frames, TICK_RATE, _BATCH_TICKS, self._size.sized, cut_times.thumbnail), cut_times)

    def embed(self, frames: Pixels) -> Float32Array:
        """RGB frames as unit vectors in the space, means of crops, ``(frames, channels)``; raises InputError."""
        if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
            raise InputError(f"frames are uint8, (frames, height, width, 3), not {frames.dtype}, {frames.shape}")
        vectors = np.zeros((len(frames), self.space.channels), dtype=np.float32)
        for first in range(0, len(frames), _BATCH_TICKS):
            seen = self.crop_vectors(self._size.sized(frames[first : first + _BATCH_TICKS]))
            crops = self.space.crops(seen).astype(np.float32) - self.space.mean
            middle = (crops / np.linalg.norm(crops, axis=2, keepdims=True)).mean(axis=1)
            vectors[first : first + _BATCH_TICKS] = middle / np.linalg.norm(middle, axis=1, keepdims=True)
        return vectors

    def frame_vector(self, frame: Pixels) -> Float16Array:
        """What a step's vector says of a frame, ``(height, width, 3)``, RGB: all but how the camera turns."""
        row: Float16Array = self._frame_vectors(self._size.sized(frame[None]))[0]
        return row

    def _features(self, batches: Iterable[Frames], cut_times: CutTimes, length_s: float = np.inf) -> Features:
        rows = SpillingRows(self.dimension)
        motion = _Motion(cut_times, turning=self.space.pixels)
        with self._single_threaded() as together, FrameSampler(self._frame_vectors, together, self._sampled) as sampler:
            for row, steps in sampler.rows(motion.steps(batches)):
                rows.append(np.concatenate([row, motion.pan(len(rows), steps)]), steps)
        if not len(rows):
            raise InputError("no frame to look at; give at least one")
        seen = rows.finished()
        cuts = shot_cuts(np.array(motion.changes), partial(self._unit_ticks, seen), self._turn_least)
        return Features(seen, 0.0, STEP_S, self.name, cut_times.times_s(cuts), length_s)

    def _single_threaded(self) -> AbstractContextManager[int]:
        """While it lasts a call of `crop_vectors` takes one thread; gives how many frames are worth a call."""
        return nullcontext(at_once())

    def _frame_vectors(self, frames: Pixels) -> Float16Array:
        """What the network sees of frames of one size, and their colours; a row each."""
        seen = self.crop_vectors(frames)
        if not self.space.pixels:
            return seen
        parts = (frames[:, rows, columns] for rows, columns in crop_slices(*frames.shape[1:3]))
        colours = [colour_shares(part[:, ::_COLOUR_STRIDE, ::_COLOUR_STRIDE]) for part in parts]
        return np.concatenate([seen, *(shares.astype(np.float16) for shares in colours)], axis=1)

    def _unit_ticks(self, seen: Vectors, first: int, last: int) -> FloatArray:
        """What is seen at some ticks, centred and of unit length, shape ``(last - first, channels)``."""
        steps = np.arange(first, last) // TICKS_A_STEP
        crops = self.space.crops(np.asarray(seen[steps[0] : steps[-1] + 1]))
        centred = crops.mean(axis=1, dtype=np.float64) - self.space.mean
        release(seen)
        centred /= np.linalg.norm(centred, axis=1, keepdims=True)
        ticks: FloatArray = centred[steps - steps[0]]
        return ticks


def crop_slices(height: int, width: int) -> list[tuple[slice, slice]]:
    """Rows and columns of the crops of a frame, left to right or downwards; of a square one they are all of it.

    >>> [(columns.start, columns.stop) for _, columns in crop_slices(9, 16)]
    [(0, 9), (3, 12), (7, 16)]
    """
    side, spare = min(height, width), abs(width - height)
    across = slice(0, side)
    along = [slice(start, start + side) for start in (0, spare // 2, spare)]
    return [(across, one) for one in along] if width >= height else [(one, across) for one in along]


class _Motion:
    """What changes in a video from tick to tick, while its frames go by: colours, and how the camera turns."""

    def __init__(self, cut_times: CutTimes, *, turning: bool) -> None:
        self.changes = array("d")
        self._cut_times = cut_times
        self._turning = turning
        # Of each tick, side by side.
        self._pans = array("d")
        # Of the last frame.
        self._colours = np.zeros((0, 0), dtype=np.float32)
        self._spectrum: Spectrum | None = None

    def steps(self, batches: Iterable[Frames]) -> Iterator[Step]:
        """Each step's frame and the changes since the step before."""
        frame: Pixels | None = None
        tick = 0
        for new, held in new_pictures(batches):
            if len(new):
                self._measure(new)
            self.changes.extend([0.0] * held)
            self._pans.extend([0.0] * (held * len(PAN) * self._turning))
            self._cut_times.follow(self.changes)
            for index in range(len(new) + held):
                frame = new[index] if index < len(new) else frame
                if tick % TICKS_A_STEP == 0 and frame is not None:
                    yield Step(frame, self.changes[max(0, tick - TICKS_A_STEP) : tick])
                tick += 1
        self._cut_times.follow(self.changes, to_the_end=True)

    def _measure(self, new: Pixels) -> None:
        colours = coarse_colours(new)
        known = np.concatenate([self._colours.reshape(-1, colours.shape[1]), colours])
        self.changes.extend(np.abs(np.diff(known, axis=0)).mean(axis=1).tolist())
        self._colours = colours[-1:]
        for frame in new if self._turning else ():
            now = spectrum(frame)
            self._pans.extend(pan(self._spectrum, now) if self._spectrum else (0.0, 0.0))
            self._spectrum = now

    def pan(self, first: int, steps: int) -> Float16Array:
        """How the camera turns in some steps, as `Space.pans`; empty where it is not measured."""
        if not self._turning:
            return np.zeros(0, dtype=np.float16)
        at = slice(first * TICKS_A_STEP * len(PAN), (first + steps) * TICKS_A_STEP * len(PAN))
        ticks = np.array(self._pans[at]).reshape(-1, len(PAN))
        mean: Float16Array = (TICK_RATE * ticks.mean(axis=0)).astype(np.float16)
        return mean
