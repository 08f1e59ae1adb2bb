"""A method that ONNX Runtime computes, from a file that ``asst export`` wrote, or from a graph and a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from asst.data.sample import Sample, network_inputs
from asst.errors import InputError
from asst.features.runtime import Network
from asst.models.answers import ATTENTION, Answers, answers_of
from asst.models.checkpoint import Description, described
from asst.moments import FloatArray

SUFFIX = ".onnx"
FORMAT = "asst-network-1"


class ExportedMethod:
    """A graph as a method; attributes as `asst.models.answers.Answerer` has them.

    Args:
        network: the graph.
        description: of the checkpoint that it was made of.
    """

    def __init__(self, network: Network, description: Description) -> None:
        self.labels = tuple(description.settings.get("labels", ()))
        self._network, self._settings = network, description.settings

    @property
    def relative(self) -> bool:
        """Whether windows are told by their place in the video."""
        return self._says("relative")

    @property
    def averages(self) -> bool:
        """Whether several networks may be averaged."""
        return self._says("averages")

    @property
    def finds_actions(self) -> bool:
        """Whether it finds actions of fixed classes."""
        return self._says("finds_actions")

    def _says(self, name: str) -> bool:
        return self._network.metadata[name] == "yes"

    @classmethod
    def load(cls, path: Path) -> tuple[Self, Description]:
        """From a file.

        Raises:
            InputError: for one that is missing, damaged or no network of ours.
        """
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
        """Every clip of every sample's window."""
        return answers_of(self._outputs(samples), self._settings)

    def attention(self, samples: Sequence[Sample]) -> dict[str, FloatArray]:
        """See `asst.models.answers.Answerer.attention`."""
        return {
            name.removeprefix(ATTENTION): own.astype(np.float64)
            for name, own in self._outputs(samples).items()
            if name.startswith(ATTENTION)
        }

    def _outputs(self, samples: Sequence[Sample]) -> dict[str, npt.NDArray[Any]]:
        inputs = network_inputs(samples, int(self._network.metadata["steps"]))
        read = {name: own for name, own in inputs.items() if name in self._network.inputs}
        return dict(zip(self._network.outputs, self._network(**read), strict=True))
