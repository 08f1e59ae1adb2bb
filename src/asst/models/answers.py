"""What a method says of every clip of some windows, whatever computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from asst.data.sample import Sample
from asst.models.runs import padded_runs, runs
from asst.moments import FloatArray

ATTENTION = "attention."
"""What the names of outputs begin with that are weights of words."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a method says of every clip of a batch of windows.

    Attributes:
        spans: in steps of each window, shape ``(windows, clips, 2)``.
        scores: larger is better, shape ``(windows, clips)``.
        kept: which clips the window can answer with, shape ``(windows, clips)``.
        labels: the action that each clip is scored for, an index of `Method.labels`, shape ``(windows, clips)``; None
            for a method that answers sentences.
    """

    spans: FloatArray
    scores: FloatArray
    kept: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64] | None = None


class Answerer(Protocol):
    """A method with its weights, computed by PyTorch or by ONNX Runtime.

    Attributes:
        labels: as `asst.models.method.Method` has it.
    """

    labels: tuple[str, ...]

    @property
    def relative(self) -> bool:
        """As `asst.models.method.Method` has it."""
        ...

    @property
    def averages(self) -> bool:
        """As `asst.models.method.Method` has it."""
        ...

    @property
    def finds_actions(self) -> bool:
        """As `asst.models.method.Method` has it."""
        ...

    def answers(self, samples: Sequence[Sample]) -> Answers:
        """Every clip of every sample's window."""
        ...

    def attention(self, samples: Sequence[Sample]) -> dict[str, FloatArray]:
        """The weight of each word at each step of each layer that attends to words, by the layer's name.

        Returns:
            Each of shape ``(samples, words, steps of the layer)``; none where no layer does.
        """
        ...


def answers_of(outputs: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]) -> Answers:
    """The answers that a method's outputs stand for.

    Args:
        outputs: as `asst.models.method.Method.outputs` says; or ``values`` of classes at steps, of which runs are made.
        settings: the method's.
    """
    if "values" in outputs:
        values = outputs["values"].astype(np.float64)
        outputs = padded_runs(values, [runs(values, own, settings["gap"]) for own in settings["thresholds"]])
    spans, scores = (outputs[name].astype(np.float64) for name in ("spans", "scores"))
    return Answers(spans, scores, outputs["kept"], outputs.get("labels"))
