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

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.atomic import write_whole
from asst.errors import InputError
from asst.features.efficientnet import EfficientNetLite
from asst.features.minilm import WIDTH, MiniLM

CHANNELS = 1280
FORMAT = "asst-caption-space-2"

_HIDDEN = 1024
_LEVELS = 127


class PictureTower(nn.Module):
    """Pictures to unit vectors.

    Raises:
        InputError: when the published weights are missing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = EfficientNetLite()

    def forward(self, pooled: Tensor, dropout: float = 0.0) -> Tensor:
        """Means over a crop of the network's last map, less what they usually are; shape ``(..., CHANNELS)``.

        Args:
            pooled: likewise.
            dropout: share of the channels that is dropped, in training.
        """
        pooled = pooled.float()
        return F.normalize(F.dropout(pooled - self.network.mean_feature.to(pooled), dropout), dim=-1)

    def logits(self, pooled: Tensor) -> Tensor:
        """Of ImageNet's classes, by the published last layer; ``pooled`` as in `forward`."""
        pooled, network = pooled.float(), self.network
        return F.linear(pooled, network.class_weights.to(pooled), network.class_bias.to(pooled))


class SentenceTower(nn.Module):
    """Sentences to unit vectors.

    Args:
        dropout: of the encoder's layers and of those that follow, in training.

    Raises:
        InputError: when the published weights are missing.
    """

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = MiniLM(dropout)
        self.straight = nn.Linear(WIDTH, CHANNELS)
        self.wide, self.narrow = nn.Linear(WIDTH, _HIDDEN), nn.Linear(_HIDDEN, CHANNELS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, real: Tensor, first: int = 0) -> Tensor:
        """Shape ``(sentences, CHANNELS)``; arguments as `MiniLM.forward`."""
        return self.placed(self.encoder(x, real, first))

    def placed(self, meanings: Tensor) -> Tensor:
        """Where what the encoder makes of sentences, ``(sentences, WIDTH)``, lies in the space."""
        bent = self.narrow(self.dropout(F.gelu(self.wide(meanings))))
        return F.normalize((self.straight(meanings) + bent).float(), dim=-1)


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
    """Both towers of a space.

    Attributes:
        pictures: the picture tower.
        sentences: the sentence tower.
        description: of the file.
        sha256: of the file.
    """

    pictures: PictureTower
    sentences: SentenceTower
    description: SpaceDescription
    sha256: str


def fresh_towers(dropout: float = 0.1) -> nn.ModuleDict:
    """Untrained towers, ``pictures`` and ``sentences``, with the published weights.

    Raises:
        InputError: when these are missing.
    """
    return nn.ModuleDict({"pictures": PictureTower(), "sentences": SentenceTower(dropout)})


def is_space(path: Path) -> bool:
    """Whether a file says that it is of a space; false for one that cannot be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as opened:
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
        with safe_open(path, framework="pt") as opened:
            header = opened.metadata() or {}
            if header.get("format") != FORMAT:
                raise InputError(f"{path} is no space of pictures and sentences ({header.get('format', 'no format')})")
            values: dict[str, Any] = json.loads(header["description"])
            description = SpaceDescription(**{**values, "sets": tuple(values["sets"])})
            stored = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        towers = fresh_towers()
        _unpack(towers, stored)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; check the file") from error
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is damaged or of another version ({error}); copy it anew or train again") from error
    pictures, sentences = towers.eval().requires_grad_(False).values()
    assert isinstance(pictures, PictureTower)
    assert isinstance(sentences, SentenceTower)
    return CaptionSpace(pictures, sentences, description, sha256)


def save_space(path: Path, towers: nn.ModuleDict, description: SpaceDescription) -> None:
    """Writes a space whole or not at all: what differs from the published weights, in 8 bits.

    Raises:
        InputError: if it cannot be written.
    """
    from safetensors.torch import save

    base = dict(fresh_towers().named_parameters())
    stored: dict[str, Tensor] = {}
    for name, trained in towers.named_parameters():
        change = trained.detach().cpu().float() - (0 if _is_own(name) else base[name])
        if not change.any():
            continue
        if change.ndim == 1:
            stored[name] = change.half()
            continue
        scale = change.abs().flatten(1).amax(dim=1).clamp(min=1e-12) / _LEVELS
        shape = (-1, *[1] * (change.ndim - 1))
        stored[name] = torch.round(change / scale.view(shape)).to(torch.int8)
        stored[f"{name}.scale"] = scale
    header = {"format": FORMAT, "description": json.dumps(asdict(description), allow_nan=False)}
    write_whole(path, save({name: tensor.contiguous() for name, tensor in stored.items()}, metadata=header))


def _is_own(name: str) -> bool:
    """Whether a weight is of a layer that begins at random and not as published."""
    return name.startswith(("sentences.straight.", "sentences.wide.", "sentences.narrow."))


@torch.no_grad()
def _unpack(towers: nn.ModuleDict, stored: Mapping[str, Tensor]) -> None:
    own = {name for name, _ in towers.named_parameters() if _is_own(name)}
    if missing := own - stored.keys():
        raise ValueError(f"no {sorted(missing)[0]}")
    for name, change in stored.items():
        if name.endswith(".scale"):
            continue
        weight = towers.get_parameter(name)
        if change.dtype == torch.int8:
            change = change * stored[f"{name}.scale"].view(-1, *[1] * (change.ndim - 1))
        if change.shape != weight.shape:
            raise ValueError(f"{name} has the shape {tuple(change.shape)}, not {tuple(weight.shape)}")
        weight.copy_(change.float() if name in own else weight + change)
