"""The packaged extractor: an ImageNet classifier's pooled features, seen through three windows of the picture.

Two pictures a second go through the network whole, so that nothing at the sides is lost. Its last map is pooled over
three overlapping squares, at both ends and in the middle of the longer side: a small thing fills more of a square than
of the whole. Between them the coarse colours of four pictures a second tell where shots change.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.ahead import made_ahead
from asst.features.extractor import Progress
from asst.features.fingerprint import LENGTH, settings_hash
from asst.features.looking import GROUP_STEPS, Looking, Step
from asst.features.precision import fastest_device, fastest_dtype
from asst.features.shots import coarse_colours, shot_cuts
from asst.features.spill import Rows, SpillingRows, release
from asst.features.ticks import resized, short_side_size, ticks
from asst.features.values import Features
from asst.video import Frames, frames, probe

if TYPE_CHECKING:
    from torch import Tensor

TICK_RATE = 4.0
TICKS_A_STEP = 2
STEP_S = TICKS_A_STEP / TICK_RATE
LOOKS_A_SECOND = 1 / STEP_S
WINDOWS = 3
CHANNELS = 1280
_BATCH_TICKS = 16


class ImageNetExtractor:
    """EfficientNet-Lite features, two steps a second, ``WINDOWS * CHANNELS`` numbers a step.

    Attributes:
        name: ``imagenet-lite2`` or ``imagenet-lite0``.
        variant: ``lite2`` or ``lite0``.
        dimension: numbers in a vector.
        preprocessing: a short hash of all that decides the numbers besides the weights.
        weights: a short hash of the weights.
        flow: empty, as it looks for none.
        network: the classifier, whose last layer the language side needs.

    Args:
        variant: ``lite2``, or ``lite0`` which is faster and sees less.
        looks_a_second: how many pictures of a second of video the network looks at, at most. Those between hold what
            the nearest of their own kind shows. A still picture is looked at once in eight seconds.

    Raises:
        InputError: when the weights are missing or not the published ones.
    """

    def __init__(self, variant: str = "lite2", looks_a_second: float = LOOKS_A_SECOND) -> None:
        from asst.features.efficientnet import VARIANTS, EfficientNetLite

        self.name = f"imagenet-{variant}"
        self.variant = variant
        self.dimension = WINDOWS * CHANNELS
        self.flow = ""
        self.weights = VARIANTS[variant].sha256[:LENGTH]
        self.network = EfficientNetLite(variant)
        self._looks = round(looks_a_second * GROUP_STEPS * STEP_S)
        self._short_side = VARIANTS[variant].side
        clock = {"version": 1, "tick_rate": TICK_RATE, "ticks_a_step": TICKS_A_STEP, "group": GROUP_STEPS}
        self.preprocessing = settings_hash(
            {**clock, "looks": self._looks, "short_side": self._short_side, "windows": WINDOWS}
        )
        self.network.to(fastest_device(), fastest_dtype())
        self.network.pack()

    def extract(self, video: str | Path, *, progress: Progress | None = None) -> Features:
        """Features of a file, read as a stream: decoding runs beside the network.

        Raises:
            InputError: for a file that holds no video that can be read.
        """
        duration_s = probe(video).duration_s
        # The network takes the rest of the cores.
        threads = max(1, (os.cpu_count() or 1) // 2)
        batches = frames(video, rate=TICK_RATE, short_side=self._short_side, batch=_BATCH_TICKS, threads=threads)

        def watched() -> Iterator[Frames]:
            for batch in made_ahead(batches):
                yield batch
                if progress is not None:
                    progress(min(duration_s, float(batch.times_s[-1]) + 1 / TICK_RATE), duration_s)

        return self._features(watched())

    def extract_frames(self, frames: Iterable[Frames]) -> Features:
        """Features of frames in memory: at each tick the last frame that had begun, as a player shows it.

        Batches may differ in the size of their pictures.

        Raises:
            InputError: when there is no frame, or a batch begins before the one before it has ended.
        """
        return self._features(self._sized(batch) for batch in ticks(frames, TICK_RATE, _BATCH_TICKS))

    def _features(self, batches: Iterable[Frames]) -> Features:
        rows = SpillingRows(self.dimension)
        changes = array("d")
        with Looking(self._seen, fastest_device(), self._looks) as looking:
            for found in looking.rows(_watched_for_changes(batches, changes)):
                rows.append(*found)
        if not len(rows):
            raise InputError("no frame to look at; give at least one")
        seen = rows.finished()
        cuts = shot_cuts(np.array(changes), lambda first, last: self._unit_ticks(seen, first, last))
        return Features(seen, 0.0, STEP_S, self.name, cuts / TICK_RATE)

    def _seen(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
        """What is seen of pictures of one size, shape ``(pictures, WINDOWS * CHANNELS)``."""
        import torch

        maps = self.network(torch.from_numpy(np.ascontiguousarray(pictures)))
        pooled: npt.NDArray[np.float16] = _pooled_windows(maps).flatten(1).half().cpu().numpy()
        return pooled

    def _unit_ticks(self, seen: Rows, first: int, last: int) -> npt.NDArray[np.float64]:
        """What is seen at some ticks, centred and of unit length, shape ``(last - first, CHANNELS)``."""
        steps = np.arange(first, last) // TICKS_A_STEP
        windows = np.asarray(seen[steps[0] : steps[-1] + 1]).reshape(-1, WINDOWS, CHANNELS)
        release(seen)
        centred = windows.mean(axis=1, dtype=np.float64) - self.network.mean_feature.numpy()
        centred /= np.linalg.norm(centred, axis=1, keepdims=True)
        ticks: npt.NDArray[np.float64] = centred[steps - steps[0]]
        return ticks

    def _sized(self, batch: Frames) -> Frames:
        """The batch with its short side as the network was trained."""
        _, height, width, _ = batch.pixels.shape
        return Frames(resized(batch.pixels, short_side_size(height, width, self._short_side)), batch.times_s)


def packaged(variant: str, weights: Path | None = None) -> ImageNetExtractor:
    """The extractor ``imagenet-lite0`` or ``imagenet-lite2``; its weights are those of a package, whatever is named.

    Raises:
        InputError: when the weights are missing or not the published ones.
    """
    return ImageNetExtractor(variant)


def _pooled_windows(maps: Tensor) -> Tensor:
    """Mean over three squares along the longer side of maps ``(batch, channels, height, width)``.

    Returns:
        Shape ``(batch, 3, channels)``, ``float32``: left, middle and right, or top, middle and bottom.
    """
    import torch

    height, width = maps.shape[2:]
    side, spare = min(height, width), abs(width - height)
    along = 3 if width >= height else 2
    squares = [maps.narrow(along, start, side) for start in (0, spare // 2, spare)]
    return torch.stack([square.float().mean((2, 3)) for square in squares], dim=1)


def _watched_for_changes(batches: Iterable[Frames], changes: array[float]) -> Iterator[Step]:
    """Each step's picture and the changes since the step before; how colours change is added to ``changes``."""
    last: npt.NDArray[np.float32] | None = None
    tick = 0
    for batch in batches:
        colours = coarse_colours(batch.pixels)
        before = colours if last is None else np.concatenate([last, colours])
        changes.extend(np.abs(np.diff(before, axis=0)).mean(axis=1).tolist())
        for picture in batch.pixels:
            if tick % TICKS_A_STEP == 0:
                yield Step(picture, changes[max(0, tick - TICKS_A_STEP) : tick])
            tick += 1
        last = colours[-1:]
