"""From checkpoint files to methods with their weights, and how they look at a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from asst.data.observations import OBSERVATIONS, Observation
from asst.errors import InputError
from asst.features.precision import fastest_device
from asst.models.checkpoint import Description, load_checkpoint
from asst.models.method import Method
from asst.models.methods import build_method


def restored(paths: Sequence[Path]) -> tuple[list[Method], Description]:
    """The methods of checkpoint files, at least one, and what the first says of itself.

    Raises:
        InputError: for a file that is no checkpoint, or checkpoints that do not belong together.
    """
    methods: list[Method] = []
    first: Description | None = None
    for path in paths:
        description, weights = load_checkpoint(path)
        first = first or description
        if (description.method, description.settings, description.features) != (
            first.method,
            first.settings,
            first.features,
        ):
            raise InputError(f"{path} and {paths[0]} are of different models; average checkpoints of one training")
        methods.append(_restored(path, description, weights))
    assert first is not None
    if len(paths) > 1 and not methods[0].averages:
        raise InputError(f"checkpoints of {first.method} cannot be averaged; name one, or set average=0")
    return methods, first


def build_observation(settings: Mapping[str, Any]) -> Observation:
    """How a method looks at videos, from ``kind`` and that kind's settings.

    Raises:
        InputError: for a kind that there is not, or settings that it has not.

    >>> build_observation({"kind": "crops", "steps": 64}).steps
    64
    """
    values = dict(settings)
    kind = values.pop("kind", None)
    if kind not in OBSERVATIONS:
        raise InputError(f"observation.kind must be one of {', '.join(OBSERVATIONS)}, not {kind!r}")
    try:
        return OBSERVATIONS[kind](**values)
    except TypeError as error:
        known = ", ".join(OBSERVATIONS[kind].__dataclass_fields__)
        raise InputError(f"observation of kind {kind} has the settings {known}; got {', '.join(values)}") from error


def _restored(path: Path, description: Description, weights: Mapping[str, Tensor]) -> Method:
    faulty = [name for name, own in weights.items() if not own.isfinite().all()]
    if faulty:
        raise InputError(f"{path}: its {faulty[0]} holds a NaN or an infinity; train it again")
    method = build_method(description.method, dict(description.settings))
    try:
        method.load_state_dict(dict(weights))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: its weights do not fit its settings ({reason}); train it again") from error
    return method.to(fastest_device()).eval()
