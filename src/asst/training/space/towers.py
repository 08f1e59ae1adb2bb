"""The two towers of a space of pictures and sentences as networks that can learn, whole and from where they do.

Pictures are seen by EfficientNet-Lite2, with the shapes of the published weights, batch normalisation folded in
(`asst.features.zeroshot.efficientnet`); sentences are read by MiniLM-L6 (Wang et al. 2020, as trained by
sentence-transformers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.features.zeroshot.efficientnet import CHANNELS, published_lite
from asst.features.zeroshot.minilm import LAYERS, WIDTH, MiniLMTokens, published_minilm, token_vectors
from asst.moments import Float32Array
from asst.training.space_recipe import CaptionNetwork

_PIXEL_MEAN, _PIXEL_SCALE = 127.0, 128.0
_STAGE_BLOCKS = (1, 3, 3, 4, 4, 5, 1)
_STAGE_STRIDES = (1, 2, 2, 2, 1, 2, 1)
_HEADS = 12
_EPSILON = 1e-12
_HIDDEN = 1024
_SLOW_KERNEL = 5


class FoldedConv(nn.Module):
    """A convolution with its batch normalisation folded in, padded as TensorFlow's ``SAME`` pads; ReLU6 may follow."""

    def __init__(self, weights: dict[str, Tensor], name: str, *, stride: int = 1, clipped: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(weights[f"{name}.weight"], requires_grad=False)
        self.bias = nn.Parameter(weights[f"{name}.bias"], requires_grad=False)
        self.stride = stride
        self.clipped = clipped
        self.padding = self.weight.shape[-1] // 2
        # A depthwise kernel has one input channel a group.
        self.groups = len(self.weight) if self.weight.shape[1] == 1 else 1

    def forward(self, x: Tensor) -> Tensor:
        """Shape ``(batch, channels, height, width)`` in and out; sides divided by the stride and rounded up."""
        padding = self.padding
        if self.stride == 2:
            # SAME gives the odd pixel of padding to the right and the bottom.
            down, across = (1 - side % 2 for side in x.shape[2:])
            x = F.pad(x, (padding - across, padding, padding - down, padding))
            padding = 0
        y = F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype), self.stride, padding, groups=self.groups)
        return F.relu6(y) if self.clipped else y


class Bottleneck(nn.Module):
    """Widen by a kernel-1 convolution, filter each channel, narrow; with a shortcut where the shapes agree."""

    def __init__(self, weights: dict[str, Tensor], prefix: str, *, stride: int, shortcut: bool) -> None:
        super().__init__()
        self.expand = FoldedConv(weights, f"{prefix}.expand") if f"{prefix}.expand.weight" in weights else None
        self.depthwise = FoldedConv(weights, f"{prefix}.depthwise", stride=stride)
        self.project = FoldedConv(weights, f"{prefix}.project", clipped=False)
        self.shortcut = shortcut

    def forward(self, x: Tensor, left_out: float = 0.0) -> Tensor:
        """Shape ``(batch, channels, height, width)`` in and out; a shortcut alone is taken with a chance."""
        narrow: Tensor = self.project(self.depthwise(x if self.expand is None else self.expand(x)))
        if not self.shortcut:
            return narrow
        if left_out:
            taken = torch.rand(len(narrow), 1, 1, 1, device=narrow.device) >= left_out
            narrow = narrow * (taken.to(narrow.dtype) / (1 - left_out))
        return x + narrow


class EfficientNetLite(nn.Module):
    """The classifier up to its last feature map; an `InputError` when the weights are not the published ones.

    Attributes:
        class_weights: the last layer's, ``(1000, 1280)``.
        class_bias: ``(1000,)``.
        mean_feature: what each of the 1280 pooled features averages over ImageNet's training pictures, ``(1280,)``.
    """

    def __init__(self) -> None:
        super().__init__()
        published = published_lite()
        weights = {name: torch.from_numpy(own).contiguous() for name, own in published.convolutions.items()}
        self.stem = FoldedConv(weights, "stem", stride=2)
        blocks: list[Bottleneck] = []
        for stage_blocks, stage_stride in zip(_STAGE_BLOCKS, _STAGE_STRIDES, strict=True):
            for k in range(stage_blocks):
                stride = stage_stride if k == 0 else 1
                blocks.append(Bottleneck(weights, f"blocks.{len(blocks)}", stride=stride, shortcut=k > 0))
        self.blocks = nn.Sequential(*blocks)
        self.head = FoldedConv(weights, "head")
        self.class_weights = torch.from_numpy(published.class_weights)
        self.class_bias = torch.from_numpy(published.class_bias)
        self.mean_feature = torch.from_numpy(published.mean_feature)
        self.eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """Feature maps of pictures in RGB, ``uint8``, ``(batch, height, width, 3)``.

        ``(batch, 1280, ceil(height / 32), ceil(width / 32))`` in the network's own precision.
        """
        maps: Tensor = self.head(self.before(pixels, len(self.blocks)))
        return maps

    def before(self, pixels: Tensor, block: int) -> Tensor:
        """What a block reads of pictures, ``(batch, channels, height, width)``; ``pixels`` as in `forward`."""
        first = self.stem.weight
        x = pixels.to(first.device).permute(0, 3, 1, 2).to(first.dtype)
        x = ((x - _PIXEL_MEAN) / _PIXEL_SCALE).contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.blocks[:block](self.stem(x))
        return maps


class MiniLMLayer(nn.Module):
    """Self-attention and a network of two layers, each added to its input and normalised."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.mix = (nn.Linear(WIDTH, WIDTH, device="meta") for _ in range(4))
        self.mix_norm, self.narrow_norm = (nn.LayerNorm(WIDTH, _EPSILON, device="meta") for _ in range(2))
        self.widen = nn.Linear(WIDTH, width, device="meta")
        self.narrow = nn.Linear(width, WIDTH, device="meta")
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, real: Tensor) -> Tensor:
        """Shape ``(batch, tokens, WIDTH)`` in and out; ``real`` is true for a token, ``(batch, tokens)``."""
        batch, tokens, _ = x.shape
        query, key, value = (
            part(x).view(batch, tokens, _HEADS, -1).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])
        mixed = self.mix(mixed.transpose(1, 2).reshape(batch, tokens, WIDTH))
        x = self.mix_norm(x + self.dropout(mixed))
        out: Tensor = self.narrow_norm(x + self.dropout(self.narrow(F.gelu(self.widen(x)))))
        return out


class MiniLM(nn.Module):
    """The encoder: unit vectors, near each other for sentences that mean similar things."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        weights = {name: torch.tensor(own) for name, own in published_minilm().items()}
        self.tokens = MiniLMTokens()
        self.places, self.only = (
            nn.Parameter(torch.empty_like(weights[name]), requires_grad=False) for name in ("places", "only")
        )
        self.norm = nn.LayerNorm(WIDTH, _EPSILON, device="meta")
        width = len(weights["layers.0.widen.weight"])
        self.layers = nn.ModuleList(MiniLMLayer(width, dropout) for _ in range(LAYERS))
        self.load_state_dict(weights, assign=True)
        self.requires_grad_(False)

    def embedded(self, tokens: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """What the first layer reads of sentences' tokens, ``(sentences, tokens, WIDTH)``, and which are real."""
        ids, real = self.tokens.side_by_side(tokens)
        device = self.places.device
        return self.first(torch.from_numpy(token_vectors(ids)).to(device)), torch.from_numpy(real).to(device)

    def first(self, words: Tensor) -> Tensor:
        """What the first layer reads of the vectors of tokens, both ``(sentences, tokens, WIDTH)``."""
        read: Tensor = self.norm(words + self.places[: words.shape[1]] + self.only)
        return read

    def forward(self, x: Tensor, real: Tensor, first: int = 0) -> Tensor:
        """The mean over tokens of what the last layer gives, of unit length, shape ``(sentences, WIDTH)``.

        ``x`` is what the layer ``first`` reads, ``(sentences, tokens, WIDTH)``, and ``real`` which tokens are.
        """
        for layer in self.layers[first:]:
            x = layer(x, real)
        mean = (x.float() * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        return F.normalize(mean, dim=1)


class Sentences(NamedTuple):
    """Hidden states of sentences, in parts of like length: states ``(sentences, tokens, channels)`` and which are real.

    ``places`` says where each sentence is in the parts one after the other, ``(sentences,)``.
    """

    parts: list[tuple[Tensor, Tensor]]
    places: Tensor


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


def towers_with(weights: Mapping[str, Float32Array]) -> Towers:
    """Towers with the weights of a space, which do not learn."""
    towers = Towers()
    towers.load_state_dict({name: torch.tensor(own) for name, own in weights.items()})
    return towers.eval().requires_grad_(False)


def weights_of(towers: Towers) -> dict[str, Float32Array]:
    """The towers' weights, as `asst.features.zeroshot.captions.CaptionSpace` has them."""
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
