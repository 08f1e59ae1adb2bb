"""The two towers of a space of pictures and sentences as networks that can learn, whole and from where they do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.features.zeroshot.efficientnet import CHANNELS
from asst.features.zeroshot.minilm import WIDTH
from asst.training.space.efficientnet import Bottleneck, EfficientNetLite
from asst.training.space.minilm import MiniLM
from asst.training.space.samples import Sentences
from asst.training.space_recipe import CaptionNetwork

FloatArray = npt.NDArray[np.float32]

_HIDDEN = 1024
_SLOW_KERNEL = 5


class PictureTower(nn.Module):
    """Pictures to unit vectors; an `InputError` when the published weights are missing."""

    def __init__(self) -> None:
        super().__init__()
        self.network = EfficientNetLite()

    def forward(self, pooled: Tensor, dropout: float = 0.0) -> Tensor:
        """Means over a crop of the network's last map, less what they usually are, ``(..., CHANNELS)`` in and out.

        ``dropout`` is the share of the channels that is dropped, in training.
        """
        pooled = pooled.float()
        return F.normalize(F.dropout(pooled - self.network.mean_feature.to(pooled), dropout), dim=-1)

    def logits(self, pooled: Tensor) -> Tensor:
        """Of ImageNet's classes, by the published last layer; ``pooled`` as in `forward`."""
        pooled, network = pooled.float(), self.network
        return F.linear(pooled, network.class_weights.to(pooled), network.class_bias.to(pooled))


class SentenceTower(nn.Module):
    """Sentences to unit vectors; an `InputError` when the published weights are missing."""

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


class Towers(nn.Module):
    """Both, untrained, with the published weights."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.pictures, self.sentences = PictureTower(), SentenceTower(dropout)


def towers_with(weights: Mapping[str, FloatArray]) -> Towers:
    """Towers with the weights of a space, which do not learn."""
    towers = Towers()
    towers.load_state_dict({name: torch.tensor(own) for name, own in weights.items()})
    return towers.eval().requires_grad_(False)


def weights_of(towers: Towers) -> dict[str, FloatArray]:
    """The towers' weights, as `asst.features.zeroshot.caption_space.CaptionSpace` has them."""
    return {name: own.detach().float().cpu().numpy() for name, own in towers.named_parameters()}


class LearningTowers(nn.Module):
    """Both towers from where they learn on; what is frozen of them is passed by, for inputs that have seen it."""

    def __init__(self, towers: Towers, settings: CaptionNetwork) -> None:
        super().__init__()
        self.towers, self._settings = towers, settings
        for weights in self.learnt():
            for weight in weights:
                weight.requires_grad_(True)

    @property
    def device(self) -> torch.device:
        """Where the towers are."""
        return self.towers.sentences.straight.weight.device

    def learnt(self) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
        """The weights that learn: the picture network's, the sentence encoder's, and those of what follows that.

        Depthwise filters of 5 by 5 stay, as their gradient alone would take four fifths of a step in bfloat16.
        """
        network, sentences = self.towers.pictures.network, self.towers.sentences
        seeing = [weight for block in self._blocks() for part in _learning(block) for weight in part.parameters()]
        reading = [weight for layer in self._layers() for weight in layer.parameters()]
        placing = (sentences.straight, sentences.wide, sentences.narrow)
        return (
            [*seeing, *network.head.parameters()],
            reading,
            [weight for part in placing for weight in part.parameters()],
        )

    def maps(self, x: Tensor) -> Tensor:
        """The last maps of pictures, from what the first block that learns reads; as `EfficientNetLite.forward`."""
        x = self._ready(x)
        blocks = self._blocks()
        for number, block in enumerate(blocks, start=1):
            x = block(x, self._settings.depth_dropout * number / len(blocks) if self.training else 0.0)
        last: Tensor = self.towers.pictures.network.head(x)
        return last

    def embedded(self, pooled: Tensor) -> Tensor:
        """Pooled maps in the space."""
        vectors: Tensor = self.towers.pictures(pooled, self._settings.picture_dropout if self.training else 0.0)
        return vectors

    def vectors(self, sentences: Sentences) -> Tensor:
        """Sentences in the space, ``(sentences, dimension)``."""
        tower, first = self.towers.sentences, self._settings.first_layer
        parts = [tower(self._ready(states), real.to(self.device), first) for states, real in sentences.parts]
        return torch.cat(parts)[sentences.places]

    def _ready(self, x: Tensor) -> Tensor:
        """Where the towers are, in what sums are in there."""
        kind = self.device.type
        half = torch.is_autocast_enabled(kind)
        return x.to(self.device, torch.get_autocast_dtype(kind) if half else torch.float32)

    def _blocks(self) -> list[Bottleneck]:
        learning = list(self.towers.pictures.network.blocks)[self._settings.first_block :]
        return [block for block in learning if isinstance(block, Bottleneck)]

    def _layers(self) -> nn.ModuleList:
        layers = self.towers.sentences.encoder.layers[self._settings.first_layer :]
        assert isinstance(layers, nn.ModuleList)
        return layers


def _learning(block: Bottleneck) -> list[nn.Module]:
    parts = [part for part in (block.expand, block.depthwise, block.project) if part is not None]
    return [part for part in parts if part.groups == 1 or part.weight.shape[-1] < _SLOW_KERNEL]
