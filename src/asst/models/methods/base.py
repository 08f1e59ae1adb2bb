"""What a method that learns does, whatever it is made of; the trainer and the checkpoints know no more of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import get_annotations
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from asst.data.batch import Batch
from asst.data.record import Record
from asst.models.answers import Answers, answers_of
from asst.settings import Positive, Settings

GIVEN = frozenset({"feature_channels", "word_channels", "steps", "classes", "labels", "includes"})
"""Settings of methods that data and observation decide, and no recipe."""


class Widths(Settings):
    """What the data decide of a method that reads both: the widths of features and of word vectors."""

    feature_channels: Positive
    word_channels: Positive


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of a step's batch a process sees, so that all of them together do what one alone would."""

    uniform: Callable[[int], Tensor]
    """Gives numbers in [0, 1) to this part of the batch, of shape ``(samples of the part, width)``; those of a sample
    are the same however the batch is parted."""
    mean_over_processes: Callable[[Tensor], Tensor]
    """A tensor averaged over the processes."""
    gathered: Callable[[Tensor], Tensor] = lambda rows: rows
    """This process's rows, numbers of any shape, among those of every process; gradients go back to each."""
    first: int = 0
    """Number of this process's first row among them."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of a batch, a scalar to minimise, and what it is made of, by name, for the log."""

    total: Tensor
    parts: Mapping[str, Tensor]


class Method(nn.Module, ABC):
    """Answers sentences about windows of features, or finds actions in them.

    Its constructor takes the settings that `settings` returns.
    """

    relative: bool = False
    """Whether scores are logits that compete within a query (softmax), rather than scores in [0, 1] of their own."""
    averages: bool = True
    """Whether its clips are the same in every window, so that several checkpoints can be averaged."""
    together: str = ""
    """What in its loss depends on the samples that are passed together, for a message; empty if nothing."""
    looks: bool = True
    """Whether it looks at the features of a video."""
    finds_actions: bool = False
    """Whether it finds actions rather than answering sentences."""
    labels: tuple[str, ...] = ()
    """The classes of the actions it finds."""

    _settings: Settings

    @property
    def settings(self) -> dict[str, Any]:
        """What the method is built from, fit for JSON."""
        return self._settings.to_dict()

    @classmethod
    def kind(cls) -> type[Settings] | None:
        """The class of its settings, where it says one."""
        kind: type[Settings] | None = get_annotations(cls, eval_str=True).get("_settings")
        return kind

    @classmethod
    def fault(cls, settings: Mapping[str, Any], steps: int | None) -> str:
        """What is wrong with settings to which data and observation add those of `GIVEN`; empty if nothing is.

        What the data add is not known yet, and anything stands for it; ``steps`` are the observation's, where there is
        one.
        """
        kind = cls.kind()
        if kind is None:
            return ""
        added = {"feature_channels": 1, "word_channels": 1, "labels": ("any",)} | ({"steps": steps} if steps else {})
        return kind.fault({**{name: own for name, own in added.items() if name in kind.model_fields}, **settings})

    @abstractmethod
    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """What `asst.models.answers.answers_of` makes answers of: every clip of every window.

        ``spans`` in steps of each window ``(windows, clips, 2)``, ``scores`` and ``kept`` ``(windows, clips)``, and
        ``labels`` where the method finds actions; or what else that function reads. If asked for, the weights of words
        in each layer that attends to them, `ATTENTION` before its name, ``(windows, words, steps of the layer)``.
        """

    @torch.no_grad()
    def arrays(self, batch: Batch, *, attention: bool = False) -> dict[str, npt.NDArray[Any]]:
        """`outputs` as arrays."""
        found = self.outputs(batch, attention=attention)
        # NumPy has no bfloat16, in which some processors train.
        return {name: (own.float() if own.is_floating_point() else own).cpu().numpy() for name, own in found.items()}

    def answers(self, batch: Batch) -> Answers:
        """Every clip of every window."""
        return answers_of(self.arrays(batch), self.settings)


class Trainable(Method):
    """A method with an objective, trained by gradient steps."""

    def begin(self, features: Iterable[npt.NDArray[np.float32]]) -> None:
        """Called before the first step of a fresh training, with the features of videos that are learnt from."""

    @abstractmethod
    def loss(self, batch: Batch, share: Share) -> Loss:
        """The objective of one batch."""


class Fitted(Method):
    """A method whose state, kept in buffers, is found in closed form by one pass over the data."""

    @abstractmethod
    def fit(self, records: Sequence[Record], batches: Iterable[Batch]) -> None:
        """Find the state from the training split's records, and batches of each once; see ``Batch.records``."""
