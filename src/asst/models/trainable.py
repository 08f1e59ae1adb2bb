"""What a method that is trained does, whatever it is made of; the trainer and the checkpoints know no more of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from asst.moments import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

    from asst.data.batch import Batch


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of a step's batch a process sees, so that all of them together do what one alone would.

    Attributes:
        uniform: gives numbers in [0, 1) to this part of the batch, of shape ``(samples of the part, width)``; those of
            a sample are the same however the batch is parted.
        mean_over_processes: a scalar tensor averaged over the processes.
    """

    uniform: Callable[[int], Tensor]
    mean_over_processes: Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of a batch.

    Attributes:
        total: what to minimise, a scalar.
        parts: what it is made of, by name, for the log.
    """

    total: Tensor
    parts: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a method says of every clip of a batch of windows.

    Attributes:
        spans: in steps of each window, shape ``(windows, clips, 2)``.
        scores: larger is better, shape ``(windows, clips)``.
        kept: which clips the window can answer with, shape ``(windows, clips)``.
    """

    spans: FloatArray
    scores: FloatArray
    kept: npt.NDArray[np.bool_]


class Trainable(Protocol):
    """A `torch.nn.Module` with an objective. Its constructor takes the settings that `settings` returns."""

    relative: bool
    """Whether scores are logits that compete within a query (softmax), rather than probabilities of their own."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the method is built from, fit for JSON."""

    def loss(self, batch: Batch, share: Share) -> Loss:
        """The objective of one batch."""

    def answers(self, batch: Batch) -> Answers:
        """Every clip of every window, without gradients."""
