"""Noise whose neighbouring steps are alike: a stationary AR(1) process, without a loop over steps."""

from __future__ import annotations

import functools

import numpy as np

from asst.moments import Float32Array

BLOCK = 256


def ar1_noise(draw: np.random.Generator, steps: int, width: int, correlation: float) -> Float32Array:
    """``n(t) = c n(t - 1) + sqrt(1 - c^2) e(t)`` with white ``e``, each number of variance one, ``(steps, width)``."""
    # One matrix serves every length up to the next multiple of a block: its leading parts are those of fewer steps.
    smooth = _filter(correlation, -(-steps // BLOCK) * BLOCK)[:steps, :steps]
    return smooth @ draw.standard_normal((steps, width), dtype=np.float32)


def long_ar1_noise(draw: np.random.Generator, steps: int, width: int, correlation: float) -> Float32Array:
    """The process of `ar1_noise` for videos of any length, in memory that grows with their length alone."""
    noise = ar1_noise(draw, min(steps, BLOCK), width, correlation)
    blocks = [noise]
    later = _filter(correlation, BLOCK).copy()
    later[:, 0] *= (1 - correlation**2) ** 0.5
    fading = (correlation ** np.arange(1, BLOCK + 1)).astype(np.float32)[:, None]
    for first in range(BLOCK, steps, BLOCK):
        own = min(BLOCK, steps - first)
        white = draw.standard_normal((own, width), dtype=np.float32)
        blocks.append(later[:own, :own] @ white + fading[:own] * blocks[-1][-1])
    return np.concatenate(blocks)


@functools.lru_cache(maxsize=4)
def _filter(correlation: float, steps: int) -> Float32Array:
    lag = np.subtract.outer(np.arange(steps), np.arange(steps))
    matrix = np.where(lag >= 0, correlation ** np.maximum(lag, 0), 0.0)
    matrix[:, 1:] *= (1 - correlation**2) ** 0.5
    return matrix.astype(np.float32)
