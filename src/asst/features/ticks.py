"""Pictures at whatever instants, brought to a steady clock and to the size a network was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.video import Frames

Pixels = npt.NDArray[np.uint8]

# Instants are floats: a frame due within this is on time.
_ON_TIME_S = 1e-6
_LAST_S = 0.25


def ticks(batches: Iterable[Frames], rate: float, most: int) -> Iterator[Frames]:
    """Frames at whatever instants, resampled to the ticks ``k / rate``, as a player shows them.

    Each tick has the last frame that had begun by then; the first frame also stands for the time before it. The last
    is taken to last as long as the one before it did, a quarter of a second at most, so that the ticks end where a
    file's do.

    Args:
        batches: on one clock; they may differ in the size of their pictures.
        rate: ticks a second.
        most: ticks in a batch.

    Returns:
        Batches of one size each.

    Raises:
        InputError: when a frame begins before the one before it.
    """
    for _, same_size in groupby(_shown(batches, rate), key=lambda shown: shown[1].shape):
        while chosen := list(islice(same_size, most)):
            times_s = np.array([tick / rate for tick, _ in chosen])
            yield Frames(np.stack([pixels for _, pixels in chosen]), times_s)


def _shown(batches: Iterable[Frames], rate: float) -> Iterator[tuple[int, Pixels]]:
    """Each tick and the picture a player shows then."""
    tick = 0
    held: Pixels | None = None
    last_s, lasts_s = -np.inf, np.inf
    for batch in batches:
        for pixels, time_s in zip(batch.pixels, batch.times_s, strict=True):
            if time_s < last_s:
                raise InputError(f"frames go back from {last_s:g} s to {time_s:g} s; put every batch on one clock")
            while held is not None and tick / rate < time_s - _ON_TIME_S:
                yield tick, held
                tick += 1
            held, last_s, lasts_s = pixels, time_s, time_s - last_s
    ends_s = last_s + max(min(lasts_s, _LAST_S) - _ON_TIME_S, _ON_TIME_S)
    while held is not None and tick / rate < ends_s:
        yield tick, held
        tick += 1


def short_side_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Height and width of a picture whose shorter side is so long, its aspect kept.

    >>> short_side_size(720, 1280, 256)
    (256, 455)
    """
    scale = short_side / min(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Pictures of another size, low-pass filtered where they shrink.

    Args:
        pixels: shape ``(pictures, height, width, 3)``.
        size: the new height and width in pixels.

    Returns:
        Shape ``(pictures, *size, 3)``.
    """
    import torch
    import torch.nn.functional as F

    if pixels.shape[1:3] == size:
        return pixels
    values = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()
    sized = F.interpolate(values, size=size, mode="bilinear", antialias=True, align_corners=False)
    rounded: Pixels = sized.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return rounded
