"""Both towers of a space from where they learn on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from asst.training.space.efficientnet import Bottleneck
from asst.training.space.samples import Sentences
from asst.training.space.towers import PictureTower, SentenceTower
from asst.training.space_recipe import CaptionNetwork

_SLOW_KERNEL = 5


class LearningTowers(nn.Module):
    """The towers; what is frozen of them is passed by, for inputs that have seen it.

    Args:
        towers: ``pictures`` and ``sentences``.
        settings: what learns.
    """

    def __init__(self, towers: nn.ModuleDict, settings: CaptionNetwork) -> None:
        super().__init__()
        self.towers, self._settings = towers, settings
        for weights in self.learnt():
            for weight in weights:
                weight.requires_grad_(True)

    @property
    def pictures(self) -> PictureTower:
        """The picture tower."""
        tower = self.towers["pictures"]
        assert isinstance(tower, PictureTower)
        return tower

    @property
    def sentences(self) -> SentenceTower:
        """The sentence tower."""
        tower = self.towers["sentences"]
        assert isinstance(tower, SentenceTower)
        return tower

    @property
    def device(self) -> torch.device:
        """Where the towers are."""
        return self.sentences.straight.weight.device

    def learnt(self) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
        """The weights that learn: the picture network's, the sentence encoder's, and those of what follows that.

        Depthwise filters of 5 by 5 stay, as their gradient alone would take four fifths of a step in bfloat16.
        """
        network, sentences = self.pictures.network, self.sentences
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
            y = block.project(block.depthwise(x if block.expand is None else block.expand(x)))
            if block.shortcut:
                left_out = self._settings.depth_dropout * number / len(blocks)
                if self.training and left_out:
                    y = y * ((torch.rand(len(y), 1, 1, 1, device=y.device) >= left_out).to(y.dtype) / (1 - left_out))
                y = x + y
            x = y
        last: Tensor = self.pictures.network.head(x)
        return last

    def embedded(self, pooled: Tensor) -> Tensor:
        """Pooled maps in the space."""
        vectors: Tensor = self.pictures(pooled, self._settings.picture_dropout if self.training else 0.0)
        return vectors

    def vectors(self, sentences: Sentences) -> Tensor:
        """Sentences in the space, ``(sentences, dimension)``."""
        tower, first = self.sentences, self._settings.first_layer
        parts = [tower(self._ready(states), real.to(self.device), first) for states, real in sentences.parts]
        return torch.cat(parts)[sentences.places]

    def _ready(self, x: Tensor) -> Tensor:
        """Where the towers are, in what sums are in there."""
        kind = self.device.type
        half = torch.is_autocast_enabled(kind)
        return x.to(self.device, torch.get_autocast_dtype(kind) if half else torch.float32)

    def _blocks(self) -> list[Bottleneck]:
        learning = list(self.pictures.network.blocks)[self._settings.first_block :]
        return [block for block in learning if isinstance(block, Bottleneck)]

    def _layers(self) -> nn.ModuleList:
        layers = self.sentences.encoder.layers[self._settings.first_layer :]
        assert isinstance(layers, nn.ModuleList)
        return layers


def _learning(block: Bottleneck) -> list[nn.Module]:
    parts = [block.expand, block.depthwise, block.project]
    return [part for part in parts if part is not None and not _is_slow(part.weight, part.groups)]


def _is_slow(kernel: Tensor, groups: int) -> bool:
    return groups > 1 and kernel.shape[-1] >= _SLOW_KERNEL
