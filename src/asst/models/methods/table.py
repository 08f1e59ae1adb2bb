"""The table of methods that learn."""

from __future__ import annotations

from typing import Any

from asst.errors import InputError
from asst.models.methods.asst import ASSTMethod
from asst.models.methods.base import Fitted, Trainable
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
