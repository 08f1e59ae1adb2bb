"""From files to methods that answer: checkpoints by PyTorch, exported networks without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from asst.data.observations import OBSERVATIONS, Observation
from asst.data.sample import Sample
from asst.errors import InputError
from asst.extras import require
from asst.features.extractor import Extractor, extractor_named
from asst.models.answers import SUFFIX, Answerer, ExportedMethod, WindowAnswer, window_answers
from asst.models.checkpoint import Description, load_checkpoint, read_description
from asst.settings import first_fault

PACKAGED = Path(__file__).parents[1] / "default.safetensors"
"""The checkpoint that the package ships, of a reranker."""
GRAPH = PACKAGED.with_suffix(SUFFIX)
"""Its network without weights, which serves every checkpoint of the same settings; ``scripts/build_graphs.py`` writes
it."""
RERANKER = "reranker"
"""What checkpoints call the method."""


def loaded(paths: Sequence[Path]) -> tuple[list[Answerer], Description]:
    """The methods of files, at least one, and what the first says of itself.

    Raises an `InputError` for a file that is neither a checkpoint nor an exported network, files that do not belong
    together, or a checkpoint where PyTorch is not installed.
    """
    methods, descriptions = zip(*map(_loaded, paths), strict=True)
    first = descriptions[0]
    for path, own in zip(paths, descriptions, strict=True):
        if (own.method, own.features, own.settings) != (first.method, first.features, first.settings):
            raise InputError(f"{path} and {paths[0]} are of different models; average checkpoints of one training")
    if len(paths) > 1 and not methods[0].averages:
        raise InputError(f"checkpoints of {first.method} cannot be averaged; name one, or set average=0")
    return list(methods), first


def _loaded(path: Path) -> tuple[Answerer, Description]:
    if path.suffix == SUFFIX:
        return ExportedMethod.load(path)
    described = read_description(path)
    if described.method == RERANKER and described.settings == read_description(PACKAGED).settings:
        return ExportedMethod.of_graph(GRAPH, load_checkpoint(path)[1], described), described
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
    except ValidationError as error:
        raise InputError(f"observation of kind {kind}: {first_fault(error, OBSERVATIONS[kind])}") from error


class Checkpoints:
    """One checkpoint, or the mean of several of one training (section 4.2), with what they have in common.

    ``at_once`` is how many windows are looked at together, ``labels`` the classes that they find, if any. Raises an
    `InputError` with ``otherwise`` for methods of which ``finds_actions`` is not so.
    """

    at_once: int
    finds_actions: bool
    otherwise: str

    def __init__(self, methods: Sequence[Answerer], description: Description, name: str) -> None:
        if methods[0].finds_actions != self.finds_actions:
            raise InputError(f"{name} {self.otherwise}")
        self.name, self.description = name, description
        self.observation, self.labels = build_observation(description.observation), methods[0].labels
        self._methods = tuple(methods)

    @classmethod
    def load(cls, paths: Sequence[Path], *given: Any) -> Self:
        """From checkpoint files, at least one; the rest is as the constructor takes it.

        Raises an `InputError` for a file that is no checkpoint, or checkpoints that do not belong together.
        """
        return cls(*loaded(paths), paths[0].name, *given)

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
