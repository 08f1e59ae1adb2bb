"""The packaged extractor: three crops of each frame in a space that is learnt from people's captions.

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

from asst.atomic import write_whole
from asst.errors import InputError
from asst.features.hashing import LENGTH, sha256
from asst.features.runtime import Network, graph, precision
from asst.features.weights import weights_file
from asst.features.zeroshot.crops import SAMPLED_FPS, CropsExtractor, crop_slices
from asst.features.zeroshot.efficientnet import SIDE, LiteWeights, published_lite
from asst.features.zeroshot.minilm import published_minilm
from asst.features.zeroshot.space import CaptionSentences, Classifier, Space
from asst.moments import Array, Float16Array, Float32Array
from asst.video.picture import Pixels

NAME = "captions"
PACKAGED = Path(__file__).with_name("captions.safetensors")
"""The space that the package ships."""

SHA256 = "4652d516371fa3ce9d76b65b4c683aeed19785fb6e4f49fb36a83a78893361f8"
"""Of that file."""

FORMAT = "asst-caption-space-2"

# How far centred features turn at a change of shot, as one minus their cosine. Rounding to bytes adds 0.02 to it.
_TURN_LEAST = {"float32": 0.3, "int8": 0.32}

_LEVELS = 127
_NETWORK, _ENCODER, _SENTENCES = "pictures.network.", "sentences.encoder.", "sentences."
# Weights that begin at random and not as published.
_OWN = frozenset(f"{_SENTENCES}{name}.{part}" for name in ("straight", "wide", "narrow") for part in ("weight", "bias"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDescription:
    """What a file of a space says of itself."""

    scale: float  # what the training multiplied products by before its softmax
    recipe: str
    sets: tuple[str, ...]  # what it was trained on
    step: int  # of the optimiser
    metrics: Mapping[str, float]  # of the validation pictures, in per cent


@dataclass(frozen=True, slots=True, eq=False)
class CaptionSpace:
    """A space: weights by name."""

    network: dict[str, Float32Array]  # of the picture network
    encoder: Callable[[], dict[str, Float32Array]]  # makes those of the sentence encoder, which has a file of its own
    placing: dict[str, Float32Array]  # of the layers that follow it
    published: LiteWeights  # the classifier that the picture tower was
    description: SpaceDescription
    sha256: str
    own_encoder: bool  # whether the sentence encoder differs from the published one

    def weights(self) -> dict[str, Float32Array]:
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


def save_space(path: Path, weights: Mapping[str, Float32Array], description: SpaceDescription) -> None:
    """Writes what differs from the published weights in 8 bits, whole or not at all; raises InputError if it cannot."""
    from safetensors.numpy import save

    base = {f"{_NETWORK}{name}": own for name, own in published_lite().convolutions.items()}
    base |= {f"{_ENCODER}{name}": own for name, own in published_minilm().items()}
    stored: dict[str, Array] = {}
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


def _changed(base: Mapping[str, Float32Array], stored: Mapping[str, Array], prefix: str) -> dict[str, Float32Array]:
    weights = dict(base)
    for name in stored:
        own = name.removeprefix(prefix)
        if name.startswith(prefix) and not name.endswith(".scale"):
            change = _change(stored, name)
            if change.shape != weights[own].shape:
                raise ValueError(f"{name} has the shape {change.shape}, not {weights[own].shape}")
            weights[own] = weights[own] + change
    return weights


def _change(stored: Mapping[str, Array], name: str) -> Float32Array:
    """How far a weight was trained away, or the weight itself of `_OWN`."""
    change = stored[name]
    if change.dtype == np.int8:
        change = change * _beside(stored[f"{name}.scale"], change)
    return change.astype(np.float32)


def _beside(scale: Array, change: Array) -> Array:
    """A number for each row of a change."""
    return scale.reshape(-1, *[1] * (change.ndim - 1))


class CaptionExtractor(CropsExtractor):
    """A frame goes through the network whole; its last map is pooled by crops.

    Raises an `InputError` as `load_space`, or for a packaged space that is not the one that was shipped.
    """

    def __init__(self, path: Path = PACKAGED, sampled_fps: float = SAMPLED_FPS) -> None:
        found = load_space(path)
        if path == PACKAGED and found.sha256 != SHA256:
            raise InputError(f"{path}: not the space that was shipped (sha256 {found.sha256[:12]}...); reinstall asst")
        self.sentences = CaptionSentences(found.encoder, found.placing, own_encoder=found.own_encoder)
        own = precision()
        name = "pictures" if own == "float32" else f"pictures-{own}"
        # One thread: several frames are looked at at once.
        self._network = Network(graph(name), found.network, alone=True)
        classifier = Classifier(found.published.class_weights, found.published.class_bias)
        space = Space(NAME, found.published.mean_feature, classifier, pixels=True)
        super().__init__(space, SIDE, found.sha256[:LENGTH], {}, sampled_fps, _TURN_LEAST[own])
        self.precision = own

    def crop_vectors(self, frames: Pixels) -> Float16Array:
        """See `CropsExtractor.crop_vectors`."""
        (maps,) = self._network(pixels=np.ascontiguousarray(frames))
        return pooled_crops(maps).reshape(len(maps), -1).astype(np.float16)


def captions(weights: Path | None = None) -> CaptionExtractor:
    """Of the file of a space or a folder that holds one as ``captions``, else the packaged; raises InputError."""
    if weights is None or (weights.is_dir() and not any(weights.glob(f"{NAME}.*"))):
        return CaptionExtractor()
    return CaptionExtractor(weights_file(NAME, weights))


def pooled_crops(maps: Float32Array) -> Float32Array:
    """Mean over the crops of maps ``(batch, height, width, channels)``; shape ``(batch, CROPS, channels)``."""
    parts = [maps[:, rows, columns] for rows, columns in crop_slices(*maps.shape[1:3])]
    return np.stack([part.mean(axis=(1, 2)) for part in parts], axis=1)
