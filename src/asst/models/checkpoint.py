"""A trained model in one file: weights as safetensors, everything else as JSON in its header."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from asst._version import __version__
from asst.atomic import write_whole
from asst.data import share_videos
from asst.errors import InputError
from asst.features.values import Features

if TYPE_CHECKING:
    from torch import Tensor

    from asst.features.extractor import Extractor

FORMAT = "asst-checkpoint-1"
SUFFIX = ".safetensors"

Origin = Literal["real", "simulated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureKind:
    """The features that a model was trained on, and so the only ones it reads.

    ``dimension`` is the width of a vector and ``step_s`` the length of a step in seconds; ``preprocessing`` hashes how
    frames were prepared and ``weights`` the extractor's, both empty if unknown.
    """

    extractor: str
    dimension: int
    step_s: float
    preprocessing: str = ""
    weights: str = ""

    def check(self, features: Features, reader: str) -> None:
        """Raises an `InputError` for features of another kind, naming both."""
        if (features.extractor, features.dimension) != (self.extractor, self.dimension):
            raise InputError(
                f"{reader} reads features of {self.extractor} (dimension {self.dimension}), not of "
                f"{features.extractor} ({features.dimension}); extract them again or choose another checkpoint"
            )

    def check_extractor(self, extractor: Extractor, reader: str) -> None:
        """Raises an `InputError` for an extractor of the same name that would make other numbers."""
        for what, own, given in (
            ("preprocessing", self.preprocessing, extractor.preprocessing),
            ("weights", self.weights, extractor.weights),
        ):
            if own and own != given:
                raise InputError(
                    f"{reader} was trained on features of {self.extractor} with {what} {own}, and here they would be "
                    f"made with {what} {given or 'that are not known'}; name the same weights, install the version "
                    "that made them, or train again"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a checkpoint says of itself."""

    method: str
    """A key of `asst.models.methods.table.METHODS`."""
    settings: Mapping[str, Any]
    """What the method is built from."""
    observation: Mapping[str, Any]
    """``kind``, a key of `asst.data.observations.OBSERVATIONS`, and its settings."""
    overlap: float
    """IoU above which the weaker of two answers is dropped."""
    protocol: str = "standard"
    """What it is judged by, as `asst.evaluation.protocol.protocol_of` takes it."""
    words: str
    """The source of its word vectors."""
    features: FeatureKind
    """The features it reads."""
    origin: Origin
    """Whether those were of real videos or simulated."""
    recipe: str
    """The recipe it was trained by."""
    dataset: str
    """Its data set, a key of `asst.data.DATASETS`, of which it learnt ``split``."""
    split: str
    step: int
    """Optimiser steps it has seen."""
    seed: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of the validation split, in per cent."""
    version: str = __version__
    """Of the package that wrote it."""
    learnt: tuple[str, ...] = ()
    """Every data set and split that its weights were learnt from, such as ``charades_sta/train``: its own, and those of
    what it started from."""

    def __post_init__(self) -> None:
        own = f"{self.dataset}/{self.split}"
        object.__setattr__(self, "learnt", tuple(dict.fromkeys((*self.learnt, own))))

    def origin_on(self, features: Features) -> Origin:
        """Whether what is measured on features is simulated: if they are, or those that were learnt from."""
        return "simulated" if features.extractor.startswith("simulated") else self.origin

    def seen(self, dataset: str, split: str) -> tuple[str, ...]:
        """What of `learnt` shares videos with a split: on these it answers from memory."""
        parts = (name.rpartition("/") for name in self.learnt)
        return tuple(
            f"{known} {part}" for known, _, part in parts if known == dataset and share_videos(dataset, part, split)
        )


def save_checkpoint(path: Path, description: Description, weights: Mapping[str, Tensor]) -> None:
    """Writes a checkpoint whole or not at all."""
    from safetensors.torch import save

    header = {"format": FORMAT, "description": json.dumps(dataclasses.asdict(description), allow_nan=False)}
    content = save({name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}, metadata=header)
    write_whole(path, content)


def described(text: str) -> Description:
    """What a checkpoint's header says; a ValueError, KeyError or TypeError for another text."""
    values = json.loads(text)
    return Description(**{**values, "features": FeatureKind(**values["features"])})


def read_description(path: Path) -> Description:
    """What a checkpoint says of itself, without its weights.

    Raises an `InputError` for a file that is missing, damaged or no checkpoint of ours.
    """
    return load_checkpoint(path, with_weights=False)[0]


def load_checkpoint(path: Path, *, with_weights: bool = True) -> tuple[Description, dict[str, npt.NDArray[Any]]]:
    """A checkpoint; nothing in it is executed; raises as `read_description`."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"no checkpoint at {path}; name a {SUFFIX} file that 'asst train' wrote")
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise InputError(f"{path} is no checkpoint of asst ({header.get('format', 'no format')})")
            weights = {name: file.get_tensor(name) for name in file.keys() if with_weights}  # noqa: SIM118
            if faulty := [name for name, own in weights.items() if not np.isfinite(own).all()]:
                raise InputError(f"{path}: its {faulty[0]} holds a NaN or an infinity; train it again")
            return described(header["description"]), weights
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the file") from error
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged or of another version ({error}); copy it anew or train again") from error
