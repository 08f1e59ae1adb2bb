"""How a video is divided: windows, each a few vectors that stand for what is seen, and parts that are searched whole.

A window is compared with a sentence in one product of two vectors. The model then scores the part of the video around
the window, which is long enough for it to tell what stands out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asst.moments import Float16Array, IntArray

WINDOW_S, WINDOW_HOP_S = 8.0, 4.0
PART_S, PART_OVERLAP_S = 180.0, 30.0


@dataclass(frozen=True, slots=True, eq=False)
class WindowVectors:
    """The windows of one video; several rows may be of one window.

    Spans are the first step of each row's window and the step after its last, parts those of the part around it, both
    ``(rows, 2)``. The product of a vector with a sentence's says how well they match, ``(rows, dimension)``.
    """

    spans: IntArray
    parts: IntArray
    vectors: Float16Array

    def __len__(self) -> int:
        return len(self.vectors)


def evenly(steps: int, length: int, overlap: int) -> IntArray:
    """Spans that cover ``steps`` steps, as few as can be, evenly spaced, shape ``(spans, 2)``.

    They are at most ``length`` steps long, which is more than ``overlap``, what neighbours share at least.

    >>> evenly(10, 6, 2).tolist(), evenly(3, 6, 2).tolist()
    ([[0, 6], [4, 10]], [[0, 3]])
    """
    if steps <= length:
        return np.array([[0, steps]], dtype=np.int64)
    count = -(-(steps - overlap) // (length - overlap))
    firsts = np.round(np.linspace(0, steps - length, count)).astype(np.int64)
    return np.stack([firsts, firsts + length], axis=1)


def windows_of(steps: int, step_s: float) -> tuple[IntArray, IntArray]:
    """The windows of a video and the part around each: of the parts that hold a window, the one it is most central in.

    Both are in steps, of shape ``(windows, 2)``.

    >>> windows, parts = windows_of(720, 0.5)
    >>> windows[:2].tolist(), parts[[0, -1]].tolist()
    ([[0, 16], [8, 24]], [[0, 360], [360, 720]])
    """
    windows = evenly(steps, _steps(WINDOW_S, step_s), _steps(WINDOW_S - WINDOW_HOP_S, step_s))
    parts = parts_of(steps, step_s)
    middles = parts.sum(axis=1)
    # Between two parts, a window just half-way is of the first.
    nearest = np.searchsorted(middles[:-1] + middles[1:], 2 * windows.sum(axis=1))
    return windows, parts[nearest]


def parts_of(steps: int, step_s: float) -> IntArray:
    """The parts of a video, in steps, shape ``(parts, 2)``; a short video is one part."""
    return evenly(steps, _steps(PART_S, step_s), _steps(PART_OVERLAP_S, step_s))


def _steps(seconds: float, step_s: float) -> int:
    return max(1, round(seconds / step_s))
