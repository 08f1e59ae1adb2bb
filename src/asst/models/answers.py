"""What a method says of every clip of some windows, whatever computes it; of a classifier of steps, by its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from asst.data.sample import Sample
from asst.moments import FloatArray

IntArray = npt.NDArray[np.int64]

ATTENTION = "attention."
"""What the names of outputs begin with that are weights of words."""


CUT_OFF = 0.5
"""Factor of the score of a run that touches an edge of its window: the window beside it sees more of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a method says of every clip of a batch of windows.

    ``spans`` are in steps of each window, ``(windows, clips, 2)``; of shape ``(windows, clips)`` are ``scores``, larger
    is better, ``kept``, the clips the window can answer with, and ``labels``, the action that each clip is scored for,
    an index of `Method.labels`; None for sentences.
    """

    spans: FloatArray
    scores: FloatArray
    kept: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64] | None = None


class Answerer(Protocol):
    """A method with its weights, computed by PyTorch or by ONNX Runtime; attributes as of methods."""

    labels: tuple[str, ...]
    relative: bool
    averages: bool
    finds_actions: bool

    def answers(self, samples: Sequence[Sample]) -> Answers:
        """Every clip of every sample's window."""
        ...

    def attention(self, samples: Sequence[Sample]) -> dict[str, FloatArray]:
        """By the name of each layer that attends to words, their weights, ``(samples, words, steps of the layer)``."""
        ...


def answers_of(outputs: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> Answers:
    """The answers that a method's ``outputs`` stand for, or the runs of its ``values`` of classes at steps."""
    if "values" in outputs:
        values = outputs["values"].astype(np.float64)
        outputs = padded_runs(values, [runs(values, own, settings["gap"]) for own in settings["thresholds"]])
    spans, scores = (outputs[name].astype(np.float64) for name in ("spans", "scores"))
    return Answers(spans, scores, outputs["kept"], outputs.get("labels"))


def runs(values: FloatArray, threshold: float, gap: int) -> IntArray:
    """Where values, ``(windows, classes, steps)``, reach a threshold; runs no further apart than ``gap`` steps are one.

    Gives window, class, first step and the step after the last of each run, shape ``(runs, 4)``.

    >>> runs(np.array([[[0.9, 0.1, 0.9, 0.1, 0.1, 0.9]]]), 0.5, 1).tolist()
    [[0, 0, 0, 3], [0, 0, 5, 6]]
    """
    reached = np.pad((values >= threshold).astype(np.int8), ((0, 0), (0, 0), (1, 1)))
    changes = np.diff(reached, axis=2)
    starts, ends = np.argwhere(changes == 1), np.argwhere(changes == -1)
    found = np.concatenate([starts, ends[:, 2:]], axis=1)
    if len(found) < 2:
        return found
    near = (found[1:, :2] == found[:-1, :2]).all(axis=1) & (found[1:, 2] - found[:-1, 3] <= gap)
    merged: IntArray = found[np.concatenate([[True], ~near])]
    merged[:, 3] = found[np.concatenate([~near, [True]]), 3]
    return merged


def padded_runs(values: FloatArray, found: list[IntArray]) -> dict[str, npt.NDArray[Any]]:
    """Runs, one array a threshold, as the outputs of windows, scored by their mean values; see `Method.outputs`."""
    together = np.unique(np.concatenate(found), axis=0)
    window, label, start, end = together.T
    sums = np.pad(np.cumsum(values, axis=2), ((0, 0), (0, 0), (1, 0)))
    means = (sums[window, label, end] - sums[window, label, start]) / np.maximum(end - start, 1)
    means = np.where((start == 0) | (end == values.shape[2]), CUT_OFF * means, means)
    counts = np.bincount(window, minlength=len(values))
    column = np.arange(len(together)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = len(values), int(counts.max(initial=0))
    spans, scores = np.zeros((*shape, 2)), np.zeros(shape)
    labels, kept = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    spans[window, column] = together[:, 2:]
    scores[window, column], labels[window, column], kept[window, column] = means, label, True
    return {"spans": spans, "scores": scores, "kept": kept, "labels": labels}
