"""The packaged extractor: an ImageNet classifier's pooled features, seen through three windows of the picture.

Two pictures a second go through the network whole, so that nothing at the sides is lost. Its last map is pooled over
three overlapping squares, at both ends and in the middle of the longer side: a small thing fills more of a square than
of the whole. Between them the coarse colours of four pictures a second tell where shots change.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.ahead import made_ahead
from asst.features.extractor import Progress
from asst.features.looking import GROUP_STEPS, Looking, Step
from asst.features.precision import fastest_device, fastest_dtype
from asst.features.shots import coarse_colours, shot_cuts
from asst.features.spill import SpillingRows, release
from asst.features.values import Features
from asst.video import Frames, frames, probe

if TYPE_CHECKING:
    import torch
    from torch import Tensor

TICK_RATE = 4.0
TICKS_A_STEP = 2
STEP_S = TICKS_A_STEP / TICK_RATE
LOOKS_A_SECOND = 0.75
WINDOWS = 3
CHANNELS = 1280
_BATCH_TICKS = 16
# Instants are floats: a frame due within this is on time.
_ON_TIME_S = 1e-6


class ImageNetExtractor:
    """EfficientNet-Lite features, two steps a second, ``WINDOWS * CHANNELS`` numbers a step.

    Attributes:
        name: ``imagenet-lite2`` or ``imagenet-lite0``.
        variant: ``lite2`` or ``lite0``.
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
        self.network = EfficientNetLite(variant)
        self._looks = round(looks_a_second * GROUP_STEPS * STEP_S)
        self._short_side = VARIANTS[variant].side
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
        return self._features(self._sized(batch) for batch in _ticks(frames))

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

    def _unit_ticks(self, seen: npt.NDArray[np.float16], first: int, last: int) -> npt.NDArray[np.float64]:
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
        import torch
        import torch.nn.functional as F

        height, width = batch.pixels.shape[1:3]
        scale = self._short_side / min(height, width)
        pixels: torch.Tensor = torch.from_numpy(np.ascontiguousarray(batch.pixels)).permute(0, 3, 1, 2).float()
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        sized = F.interpolate(pixels, size=size, mode="bilinear", antialias=True, align_corners=False)
        rounded = sized.round().clamp(0, 255).byte().permute(0, 2, 3, 1)
        return Frames(rounded.numpy(), batch.times_s)


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


def _ticks(batches: Iterable[Frames]) -> Iterator[Frames]:
    """Frames at whatever instants, resampled to the ticks: each shows the last frame that had begun by then."""
    for _, same_size in groupby(_shown(batches), key=lambda shown: shown[1].shape):
        while chosen := list(islice(same_size, _BATCH_TICKS)):
            times_s = np.array([tick / TICK_RATE for tick, _ in chosen])
            yield Frames(np.stack([pixels for _, pixels in chosen]), times_s)


def _shown(batches: Iterable[Frames]) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
    """Each tick and the picture a player shows then; the first picture also stands for the time before it.

    The last picture is taken to last as long as the one before it did, so that the ticks end where the file's do.
    """
    tick = 0
    held: npt.NDArray[np.uint8] | None = None
    last_s, lasts_s = -np.inf, np.inf
    for batch in batches:
        for pixels, time_s in zip(batch.pixels, batch.times_s, strict=True):
            if time_s < last_s:
                raise InputError(f"frames go back from {last_s:g} s to {time_s:g} s; put every batch on one clock")
            while held is not None and tick / TICK_RATE < time_s - _ON_TIME_S:
                yield tick, held
                tick += 1
            held, last_s, lasts_s = pixels, time_s, time_s - last_s
    if held is not None and tick / TICK_RATE < last_s + max(lasts_s - _ON_TIME_S, _ON_TIME_S):
        yield tick, held
