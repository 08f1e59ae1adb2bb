"""The table of methods that learn, and methods with the weights of checkpoint files, computed by PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from asst.data.batch import Batch, Collate
from asst.data.sample import Sample
from asst.errors import InputError
from asst.features.runtime import fastest_device
from asst.models.answers import Answers
from asst.models.checkpoint import Description, load_checkpoint
from asst.models.methods.asst import ASSTMethod
from asst.models.methods.base import Fitted, Method, Trainable
from asst.models.methods.cca import CCAMethod
from asst.models.methods.ctrl import CTRLMethod
from asst.models.methods.detector import DetectorMethod
from asst.models.methods.frame_classifier import FrameClassifierMethod
from asst.models.methods.mcn import MCNMethod
from asst.models.methods.moment_detr import MomentDETRMethod
from asst.models.methods.prior import PriorMethod
from asst.models.methods.reranker import RerankerMethod
from asst.models.methods.tan2d import TAN2DMethod
from asst.moments import FloatArray

METHODS: dict[str, type[Trainable] | type[Fitted]] = {
    "asst": ASSTMethod,
    "prior": PriorMethod,
    "cca": CCAMethod,
    "mcn": MCNMethod,
    "ctrl": CTRLMethod,
    "2d-tan": TAN2DMethod,
    "moment-detr": MomentDETRMethod,
    "detector": DetectorMethod,
    "frames": FrameClassifierMethod,
    "reranker": RerankerMethod,
}


def build_method(name: str, settings: dict[str, Any]) -> Trainable | Fitted:
    """A method with fresh weights; an `InputError` for a name that no method has, or settings it cannot have."""
    if name not in METHODS:
        raise InputError(f"no method is called {name!r}; there are {', '.join(METHODS)}")
    return METHODS[name](settings)


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

    Raises an `InputError` for a file that is no checkpoint, or whose weights are not finite or do not fit.
    """
    description, weights = load_checkpoint(path)
    method = build_method(description.method, dict(description.settings))
    try:
        method.load_state_dict({name: torch.from_numpy(own) for name, own in weights.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: its weights do not fit its settings ({reason}); train it again") from error
    return method.eval(), description
