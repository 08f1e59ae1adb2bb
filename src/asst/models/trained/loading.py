"""From files to methods that answer: checkpoints by PyTorch, exported networks without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from asst.data.observations import OBSERVATIONS, Observation
from asst.data.sample import Sample, network_inputs
from asst.errors import InputError
from asst.extras import require
from asst.features.extractor import Extractor, extractor_named
from asst.features.runtime import Network
from asst.models.answers import ATTENTION, Answerer, Answers, answers_of
from asst.models.checkpoint import Description, described
from asst.models.trained.answering import WindowAnswer, window_answers
from asst.moments import FloatArray

SUFFIX = ".onnx"
FORMAT = "asst-network-1"
SAID = ("relative", "averages", "finds_actions")
"""What a graph says of its method, ``yes`` or ``no``; see `asst.models.methods.base.Method`."""


class ExportedMethod:
    """A graph as a method, which `asst export` wrote, or that has the weights of a checkpoint; see `Answerer`."""

    def __init__(self, network: Network, description: Description) -> None:
        self.labels = tuple(description.settings.get("labels", ()))
        self.relative, self.averages, self.finds_actions = (network.metadata[name] == "yes" for name in SAID)
        self._network, self._settings = network, description.settings

    @classmethod
    def load(cls, path: Path) -> tuple[Self, Description]:
        """From a file; an `InputError` for one that is missing, damaged or no network of ours."""
        network = Network(path)
        said = network.metadata
        if said.get("format") != FORMAT:
            raise InputError(
                f"{path} is no network of asst ({said.get('format', 'no format')}); write one by asst export"
            )
        try:
            description = described(said["description"])
            return cls(network, description), description
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is of another version ({error}); export it again") from error

    @classmethod
    def of_graph(cls, path: Path, weights: Mapping[str, npt.NDArray[Any]], description: Description) -> Self:
        """From a graph without weights, and a checkpoint of the same settings."""
        # How many batches a normalisation has averaged matters to training alone.
        used = {name: own for name, own in weights.items() if not name.endswith("num_batches_tracked")}
        return cls(Network(path, used), description)

    def answers(self, samples: Sequence[Sample]) -> Answers:
        """See `Answerer`."""
        return answers_of(self._outputs(samples), self._settings)

    def attention(self, samples: Sequence[Sample]) -> dict[str, FloatArray]:
        """See `Answerer`."""
        return {
            name.removeprefix(ATTENTION): own.astype(np.float64)
            for name, own in self._outputs(samples).items()
            if name.startswith(ATTENTION)
        }

    def _outputs(self, samples: Sequence[Sample]) -> dict[str, npt.NDArray[Any]]:
        inputs = network_inputs(samples, int(self._network.metadata["steps"]))
        read = {name: own for name, own in inputs.items() if name in self._network.inputs}
        return dict(zip(self._network.outputs, self._network(**read), strict=True))


def loaded(paths: Sequence[Path]) -> tuple[list[Answerer], Description]:
    """The methods of files, at least one, and what the first says of itself.

    Raises an `InputError` for a file that is neither a checkpoint nor an exported network, files that do not belong
    together, or a checkpoint where PyTorch is not installed.
    """
    methods: list[Answerer] = []
    first: Description | None = None
    for path in paths:
        method, description = _loaded(path)
        first = first or description
        same = description.method == first.method and description.features == first.features
        if not same or description.settings != first.settings:
            raise InputError(f"{path} and {paths[0]} are of different models; average checkpoints of one training")
        methods.append(method)
    assert first is not None
    if len(paths) > 1 and not methods[0].averages:
        raise InputError(f"checkpoints of {first.method} cannot be averaged; name one, or set average=0")
    return methods, first


def _loaded(path: Path) -> tuple[Answerer, Description]:
    if path.suffix == SUFFIX:
        return ExportedMethod.load(path)
    require("torch", f"{path} (unless asst export writes it as a network)")
    from asst.models.methods.table import RestoredMethod, restored_method

    method, description = restored_method(path)
    return RestoredMethod(method, window_steps(description)), description


def window_steps(description: Description) -> int:
    """Length of the window that a method observes: its observation's, or that of its settings."""
    if "steps" in description.settings:
        return int(description.settings["steps"])
    return build_observation(description.observation).steps


def build_observation(settings: Mapping[str, Any]) -> Observation:
    """How a method looks at videos, from ``kind`` and that kind's settings.

    Raises an `InputError` for a kind that there is not, or settings that it has not.

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


class Checkpoints:
    """One checkpoint, or the mean of several of one training (section 4.2), with what they have in common.

    ``at_once`` is how many windows are looked at together, ``labels`` the classes that they find, if any.
    """

    at_once: int

    def __init__(self, methods: Sequence[Answerer], description: Description, name: str) -> None:
        self.name, self.description = name, description
        self.observation, self.labels = build_observation(description.observation), methods[0].labels
        self._methods = tuple(methods)

    @property
    def extractor(self) -> Extractor:
        """What makes their features of a video.

        Raises an `InputError` if that cannot be done here, or would be done otherwise than for the features they learnt
        from.
        """
        kind = self.description.features
        extractor = extractor_named(kind.extractor)
        kind.check_extractor(extractor, self.name)
        return extractor

    def windows(self, samples: Iterable[Sample]) -> Iterator[WindowAnswer]:
        """What they say of each window."""
        source = iter(samples)
        while some := list(islice(source, self.at_once)):
            each = [method.answers(some) for method in self._methods]
            yield from window_answers(each, [own.record for own in some], [own.window for own in some])
