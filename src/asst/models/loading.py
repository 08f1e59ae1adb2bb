"""From files to methods that answer: checkpoints by PyTorch, exported networks without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asst.data.observations import OBSERVATIONS, Observation
from asst.errors import InputError
from asst.extras import require
from asst.models.answers import Answerer
from asst.models.checkpoint import Description, read_description
from asst.models.exported import SUFFIX, ExportedMethod


def loaded(paths: Sequence[Path]) -> tuple[list[Answerer], Description]:
    """The methods of files, at least one, and what the first says of itself.

    Raises:
        InputError: for a file that is neither a checkpoint nor an exported network, files that do not belong together,
            or a checkpoint where PyTorch is not installed.
    """
    methods: list[Answerer] = []
    first: Description | None = None
    for path in paths:
        method, description = _loaded(path)
        first = first or description
        if (description.method, description.settings, description.features) != (
            first.method,
            first.settings,
            first.features,
        ):
            raise InputError(f"{path} and {paths[0]} are of different models; average checkpoints of one training")
        methods.append(method)
    assert first is not None
    if len(paths) > 1 and not methods[0].averages:
        raise InputError(f"checkpoints of {first.method} cannot be averaged; name one, or set average=0")
    return methods, first


def described_by(path: Path) -> Description:
    """What a checkpoint or an exported network says of itself.

    Raises:
        InputError: for a file that is neither.
    """
    return ExportedMethod.load(path)[1] if path.suffix == SUFFIX else read_description(path)


def _loaded(path: Path) -> tuple[Answerer, Description]:
    if path.suffix == SUFFIX:
        return ExportedMethod.load(path)
    require("torch", f"{path} (unless asst export writes it as a network)")
    from asst.models.restored import RestoredMethod, restored_method

    method, description = restored_method(path)
    return RestoredMethod(method, window_steps(description)), description


def window_steps(description: Description) -> int:
    """Length of the window that a method observes: its observation's, or that of its settings."""
    if "steps" in description.settings:
        return int(description.settings["steps"])
    return build_observation(description.observation).steps


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
