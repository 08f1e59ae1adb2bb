"""Attention of several windows and layers as one matrix over a video: what a page can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from asst.data.windows import Window
from asst.moments import Attention, FloatArray


def of_window(weights: Mapping[str, FloatArray], window: Window, observed: int) -> dict[str, FloatArray]:
    """The attention in one window without its padding, by layer, shape ``(words, real steps of the layer)``.

    ``weights`` are of the one sample of a batch, ``(1, words, steps of the layer)``; the network observes ``observed``
    steps.
    """
    real = {}
    for name, own in weights.items():
        steps = math.ceil(window.steps * own.shape[2] / observed)
        real[name] = own[0, :, :steps]
    return real


def over_time(
    windows: Sequence[Window], weights: Sequence[Mapping[str, FloatArray]], words: Sequence[str]
) -> Attention | None:
    """The attention to each word at the centre of each step, from `of_window` of each window; None without layers.

    It is the mean of the layers that see every step of the window. The squeezing layers are left out: each of their
    steps stands for several of the video's, and would smear what the others tell apart. Where windows overlap it is the
    mean of theirs. They are in order and without gaps between them.
    """
    longest = max(range(len(windows)), key=lambda index: windows[index].steps)
    layers = tuple(name for name, own in weights[longest].items() if own.shape[1] == windows[longest].steps)
    if not layers:
        return None
    first_s, step_s = windows[0].start_s, min(window.step_s for window in windows)
    total_steps = round((windows[-1].end_s - first_s) / step_s)
    times_s = first_s + (np.arange(total_steps, dtype=np.float64) + 0.5) * step_s
    total = np.zeros((len(words), len(times_s)))
    count = np.zeros(len(times_s))
    for window, own in zip(windows, weights, strict=True):
        steps = np.floor(window.to_steps(times_s)).astype(np.int64)
        seen = (steps >= 0) & (steps < window.steps)
        total[:, seen] += np.mean([own[name] for name in layers], axis=0)[:, steps[seen]]
        count += seen
    return Attention(tuple(words), times_s, total / count, layers)
