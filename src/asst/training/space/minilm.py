"""MiniLM-L6 (Wang et al. 2020, as trained by sentence-transformers) as a network that can learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.features.zeroshot.minilm import LAYERS, WIDTH, MiniLMTokens, published_minilm, token_vectors

_HEADS = 12
_EPSILON = 1e-12


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
