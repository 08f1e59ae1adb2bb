"""The two towers of a space of pictures and sentences as networks that can learn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.features.zeroshot.efficientnet import CHANNELS
from asst.features.zeroshot.minilm import WIDTH
from asst.training.space.efficientnet import EfficientNetLite
from asst.training.space.minilm import MiniLM

FloatArray = npt.NDArray[np.float32]

_HIDDEN = 1024


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


def fresh_towers(dropout: float = 0.1) -> nn.ModuleDict:
    """Untrained towers, ``pictures`` and ``sentences``, with the published weights.

    Raises:
        InputError: when these are missing.
    """
    return nn.ModuleDict({"pictures": PictureTower(), "sentences": SentenceTower(dropout)})


def towers_with(weights: Mapping[str, FloatArray]) -> nn.ModuleDict:
    """Towers with the weights of a space, which do not learn."""
    towers = fresh_towers()
    towers.load_state_dict({name: torch.tensor(own) for name, own in weights.items()})
    return towers.eval().requires_grad_(False)


def weights_of(towers: nn.ModuleDict) -> dict[str, FloatArray]:
    """The towers' weights, as `asst.features.zeroshot.caption_space.CaptionSpace` has them."""
    return {name: own.detach().float().cpu().numpy() for name, own in towers.named_parameters()}
