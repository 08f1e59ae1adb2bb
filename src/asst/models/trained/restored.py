"""From checkpoint files to methods with their weights, computed by PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from asst.data.batch import Batch, Collate
from asst.data.sample import Sample
from asst.errors import InputError
from asst.features.runtime import fastest_device
from asst.models.answers import Answers
from asst.models.checkpoint import Description, load_checkpoint
from asst.models.methods.base import Method
from asst.models.methods.table import build_method
from asst.moments import FloatArray


class RestoredMethod:
    """A method that PyTorch computes; see `asst.models.answers.Answerer`."""

    def __init__(self, method: Method, steps: int) -> None:
        self.method = method.to(fastest_device()).eval()
        self.relative, self.averages = method.relative, method.averages
        self.finds_actions, self.labels = method.finds_actions, method.labels
        self._collate = Collate(steps)

    def answers(self, samples: Sequence[Sample]) -> Answers:
        """See `Answerer`."""
        return self.method.answers(self._batch(samples))

    @torch.no_grad()
    def attention(self, samples: Sequence[Sample]) -> dict[str, FloatArray]:
        """See `Answerer`."""
        found = self.method.attention(self._batch(samples))
        return {name: own.double().cpu().numpy() for name, own in found.items()}

    def _batch(self, samples: Sequence[Sample]) -> Batch:
        return self._collate(samples).to(fastest_device())


def restored_method(path: Path) -> tuple[Method, Description]:
    """The method of a checkpoint file, and what the file says of itself.

    Raises:
        InputError: for a file that is no checkpoint, or whose weights are not finite or do not fit.
    """
    description, weights = load_checkpoint(path)
    method = build_method(description.method, dict(description.settings))
    try:
        method.load_state_dict({name: torch.from_numpy(own) for name, own in weights.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: its weights do not fit its settings ({reason}); train it again") from error
    return method.eval(), description
