"""The space of pictures and sentences that is learnt from people's captions.

Two towers end in unit vectors whose product says how well a sentence describes a picture. The picture tower is an
ImageNet classifier without its last layer, which still tells classes from what the tower sees. The sentence tower is a
sentence encoder with two layers more. A file of a space holds how far its towers were trained away from the published
weights, which packages carry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.atomic import write_whole
from asst.errors import InputError
from asst.features.hashing import sha256
from asst.features.zeroshot.efficientnet import LiteWeights, published_lite
from asst.features.zeroshot.minilm import published_minilm

FloatArray = npt.NDArray[np.float32]

FORMAT = "asst-caption-space-2"

_LEVELS = 127
_NETWORK, _ENCODER, _SENTENCES = "pictures.network.", "sentences.encoder.", "sentences."
# Weights that begin at random and not as published.
_OWN = frozenset(f"{_SENTENCES}{name}.{part}" for name in ("straight", "wide", "narrow") for part in ("weight", "bias"))


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
        network: weights of the picture network, by name.
        encoder: makes those of the sentence encoder, most of which lie in a file of their own.
        placing: those of the layers that follow the encoder.
        published: the classifier that the picture tower was.
        own_encoder: whether the sentence encoder differs from the published one.
    """

    network: dict[str, FloatArray]
    encoder: Callable[[], dict[str, FloatArray]]
    placing: dict[str, FloatArray]
    published: LiteWeights
    description: SpaceDescription
    sha256: str
    own_encoder: bool

    def weights(self) -> dict[str, FloatArray]:
        """All of them: ``pictures.network.stem.weight``, ``sentences.encoder.places``, ``sentences.wide.bias``, ..."""
        parts = {_NETWORK: self.network, _ENCODER: self.encoder(), _SENTENCES: self.placing}
        return {f"{prefix}{name}": own for prefix, part in parts.items() for name, own in part.items()}


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

    Raises an `InputError` for a file that is missing, damaged or of no space, or when published weights are missing.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as opened:
            header = opened.metadata() or {}
            if header.get("format") != FORMAT:
                raise InputError(f"{path} is no space of pictures and sentences ({header.get('format', 'no format')})")
            values: dict[str, Any] = json.loads(header["description"])
            description = SpaceDescription(**{**values, "sets": tuple(values["sets"])})
            stored = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        if missing := _OWN - stored.keys():
            raise ValueError(f"no {sorted(missing)[0]}")
        whole = (name for name, own in stored.items() if own.dtype == np.int8)
        if bare := [name for name in whole if len(stored.get(f"{name}.scale", ())) != len(stored[name])]:
            raise ValueError(f"no scale for each row of {bare[0]}")
        lite = published_lite()
        return CaptionSpace(
            _changed(lite.convolutions, stored, _NETWORK),
            lambda: _changed(published_minilm(), stored, _ENCODER),
            {name.removeprefix(_SENTENCES): _change(stored, name) for name in _OWN},
            lite,
            description,
            sha256(path),
            any(name.startswith(_ENCODER) for name in stored),
        )
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the file") from error
    except InputError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is damaged or of another version ({error}); copy it anew or train again") from error


def save_space(path: Path, weights: Mapping[str, FloatArray], description: SpaceDescription) -> None:
    """Writes what differs from the published weights in 8 bits, whole or not at all; raises InputError if it cannot."""
    from safetensors.numpy import save

    base = {f"{_NETWORK}{name}": own for name, own in published_lite().convolutions.items()}
    base |= {f"{_ENCODER}{name}": own for name, own in published_minilm().items()}
    stored: dict[str, npt.NDArray[Any]] = {}
    for name, trained in weights.items():
        change = trained - (0 if name in _OWN else base[name])
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


def _changed(
    base: Mapping[str, FloatArray], stored: Mapping[str, npt.NDArray[Any]], prefix: str
) -> dict[str, FloatArray]:
    weights = dict(base)
    for name in stored:
        own = name.removeprefix(prefix)
        if name.startswith(prefix) and not name.endswith(".scale"):
            change = _change(stored, name)
            if change.shape != weights[own].shape:
                raise ValueError(f"{name} has the shape {change.shape}, not {weights[own].shape}")
            weights[own] = weights[own] + change
    return weights


def _change(stored: Mapping[str, npt.NDArray[Any]], name: str) -> FloatArray:
    """How far a weight was trained away, or the weight itself of `_OWN`."""
    change = stored[name]
    if change.dtype == np.int8:
        change = change * _beside(stored[f"{name}.scale"], change)
    return change.astype(np.float32)


def _beside(scale: npt.NDArray[Any], change: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A number for each row of a change."""
    return scale.reshape(-1, *[1] * (change.ndim - 1))
