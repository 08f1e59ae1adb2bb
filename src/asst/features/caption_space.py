"""The space of pictures and sentences that is learnt from people's captions.

Two towers end in unit vectors whose product says how well a sentence describes a picture. The picture tower is an
ImageNet classifier without its last layer, which still tells classes from what the tower sees. The sentence tower is a
sentence encoder with two layers more. A file of a space holds how far its towers were trained away from the published
weights, which packages carry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.atomic import write_whole
from asst.errors import InputError
from asst.features.efficientnet import LiteWeights, published_lite
from asst.features.minilm import published_minilm

FloatArray = npt.NDArray[np.float32]

FORMAT = "asst-caption-space-2"

_LEVELS = 127
_NETWORK, _ENCODER = "pictures.network.", "sentences.encoder."
# Layers that begin at random and not as published.
_OWN = ("sentences.straight", "sentences.wide", "sentences.narrow")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDescription:
    """What a file of a space says of itself.

    Attributes:
        scale: what the training multiplied products by before its softmax.
        recipe: that it was trained by.
        sets: what it was trained on.
        step: optimiser steps it has seen.
        metrics: of the validation pictures, in per cent.
    """

    scale: float
    recipe: str
    sets: tuple[str, ...]
    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class CaptionSpace:
    """A space.

    Attributes:
        weights: of both towers by their names: ``pictures.network.stem.weight``, ``sentences.wide.bias`` and so on.
        published: the classifier that the picture tower was.
        description: of the file.
        sha256: of the file.
    """

    weights: dict[str, FloatArray]
    published: LiteWeights
    description: SpaceDescription
    sha256: str

    def part(self, prefix: str) -> dict[str, FloatArray]:
        """The weights whose names begin so, by the rest of their names."""
        return {name.removeprefix(prefix): own for name, own in self.weights.items() if name.startswith(prefix)}

    @property
    def network(self) -> dict[str, FloatArray]:
        """Weights of the picture network."""
        return self.part(_NETWORK)

    @property
    def encoder(self) -> dict[str, FloatArray]:
        """Weights of the sentence encoder."""
        return self.part(_ENCODER)

    @property
    def placing(self) -> dict[str, FloatArray]:
        """Weights of the layers that follow the encoder."""
        return {name: own for name, own in self.part("sentences.").items() if not name.startswith("encoder.")}


def is_space(path: Path) -> bool:
    """Whether a file says that it is of a space; false for one that cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as opened:
            return (opened.metadata() or {}).get("format") == FORMAT
    except (OSError, SafetensorError):
        return False


def load_space(path: Path) -> CaptionSpace:
    """A space from its file; nothing in it is executed.

    Raises:
        InputError: for a file that is missing, damaged or of no space, or when published weights are missing.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with safe_open(path, framework="np") as opened:
            header = opened.metadata() or {}
            if header.get("format") != FORMAT:
                raise InputError(f"{path} is no space of pictures and sentences ({header.get('format', 'no format')})")
            values: dict[str, Any] = json.loads(header["description"])
            description = SpaceDescription(**{**values, "sets": tuple(values["sets"])})
            stored = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        lite = published_lite()
        return CaptionSpace(_trained(_published(lite), stored), lite, description, sha256)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the file") from error
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged or of another version ({error}); copy it anew or train again") from error


def save_space(path: Path, weights: Mapping[str, FloatArray], description: SpaceDescription) -> None:
    """Writes a space whole or not at all: what differs from the published weights, in 8 bits.

    Args:
        path: to be written.
        weights: as `CaptionSpace.weights`.
        description: as above.

    Raises:
        InputError: if it cannot be written.
    """
    from safetensors.numpy import save

    base = _published(published_lite())
    stored: dict[str, npt.NDArray[Any]] = {}
    for name, trained in weights.items():
        change = trained - (0 if _is_own(name) else base[name])
        if not change.any():
            continue
        if change.ndim == 1:
            stored[name] = change.astype(np.float16)
            continue
        scale = np.maximum(np.abs(change).reshape(len(change), -1).max(axis=1), 1e-12) / _LEVELS
        stored[name] = np.round(change / _beside(scale, change)).astype(np.int8)
        stored[f"{name}.scale"] = scale.astype(np.float32)
    header = {"format": FORMAT, "description": json.dumps(asdict(description), allow_nan=False)}
    write_whole(path, save(stored, metadata=header))


def _published(lite: LiteWeights) -> dict[str, FloatArray]:
    """What towers begin with, by the names in a space."""
    seeing = {f"{_NETWORK}{name}": own for name, own in lite.convolutions.items()}
    return seeing | {f"{_ENCODER}{name}": own for name, own in published_minilm().items()}


def _is_own(name: str) -> bool:
    return name.rsplit(".", 1)[0] in _OWN


def _trained(base: dict[str, FloatArray], stored: Mapping[str, npt.NDArray[Any]]) -> dict[str, FloatArray]:
    weights = dict(base)
    own = {f"{layer}.{part}" for layer in _OWN for part in ("weight", "bias")}
    if missing := own - stored.keys():
        raise ValueError(f"no {sorted(missing)[0]}")
    for name, change in stored.items():
        if name.endswith(".scale"):
            continue
        if change.dtype == np.int8:
            change = change * _beside(stored[f"{name}.scale"], change)
        if name not in own and change.shape != base[name].shape:
            raise ValueError(f"{name} has the shape {change.shape}, not {base[name].shape}")
        weights[name] = change.astype(np.float32) if name in own else base[name] + change.astype(np.float32)
    return weights


def _beside(scale: npt.NDArray[Any], change: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A number for each row of a change."""
    return scale.reshape(-1, *[1] * (change.ndim - 1))
