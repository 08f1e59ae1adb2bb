"""The table of methods that learn, and methods with the weights of checkpoint files, computed by PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch

from asst.data.batch import Collate
from asst.data.sample import Sample
from asst.errors import InputError
from asst.features.runtime import fastest_device
from asst.models.answers import SAID, Answerer
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


class RestoredMethod(Answerer):
    """A method that PyTorch computes."""

    def __init__(self, method: Method, steps: int) -> None:
        super().__init__(method.settings, {name: getattr(method, name) for name in SAID})
        self.method, self._collate = method.to(fastest_device()).eval(), Collate(steps)

    def outputs(self, samples: Sequence[Sample], *, attention: bool) -> dict[str, npt.NDArray[Any]]:
        """See `Answerer`."""
        return self.method.arrays(self._collate(samples).to(fastest_device()), attention=attention)


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
