"""MiniLM-L6 (Wang et al. 2020, as trained by sentence-transformers): sentences to vectors, by way of word pieces.

The package carries the published weights in 16 bits, as ``scripts/build_minilm.py`` writes them. Pieces are those of
BERT (Devlin et al. 2019), of the uncased English vocabulary.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.features.runtime import Network, graph
from asst.moments import Float32Array, IntArray

LAYERS, WIDTH = 6, 384

WEIGHTS = Path(__file__).with_name("minilm.safetensors")
"""The published weights; matrices are whole numbers, to be multiplied by a scale a row."""
SCALE = ".scale"
"""What the name of such a scale ends in."""
VOCABULARY = Path(__file__).with_name("minilm.txt")
"""The published vocabulary."""
_WORDS = "words"
_TOKENS_MOST = 128
_BATCH = 64
_LONGEST_WORD = 100
_UNKNOWN, _FIRST, _LAST = "[UNK]", "[CLS]", "[SEP]"
# Where each ideograph is a word: blocks of CJK unified ideographs and of those for compatibility.
_IDEOGRAPHS = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F)),
    *((0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)


def published_minilm() -> dict[str, Float32Array]:
    """The weights: ``places``, ``layers.0.query.weight`` and so on, without the vectors of tokens."""
    from safetensors import safe_open

    with safe_open(WEIGHTS, "np") as file:
        scales = {name.removesuffix(SCALE): file.get_tensor(name) for name in file.keys() if name.endswith(SCALE)}  # noqa: SIM118
        plain = [name for name in file.keys() if not name.endswith(SCALE) and name != _WORDS]  # noqa: SIM118
        return {name: np.multiply(file.get_tensor(name), scales.get(name, 1), dtype=np.float32) for name in plain}


def token_vectors(ids: IntArray) -> Float32Array:
    """The vectors of tokens by their numbers, shape ``(*ids.shape, WIDTH)``; of others nothing is read."""
    from safetensors import safe_open

    asked, place = np.unique(ids, return_inverse=True)
    with safe_open(WEIGHTS, "np") as file:
        words, scales = (file.get_slice(name) for name in (_WORDS, f"{_WORDS}{SCALE}"))
        rows = [np.multiply(words[i], scales[i], dtype=np.float32) for i in asked.tolist()]
    return np.stack(rows)[place.reshape(ids.shape)]


class MiniLMTokens:
    """The tokeniser."""

    def __init__(self) -> None:
        self._numbers = {piece: i for i, piece in enumerate(VOCABULARY.read_text("utf-8").split("\n"))}
        self._known: dict[str, list[int]] = {}

    def __call__(self, sentences: Sequence[str]) -> list[list[int]]:
        """The numbers of each sentence's pieces between those of its start and end, 128 at most."""
        return [self._sentence(sentence) for sentence in sentences]

    @staticmethod
    def side_by_side(tokens: Sequence[Sequence[int]]) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Numbers of tokens, padded by zeros, and which are real; both of shape ``(sentences, most tokens)``."""
        longest = max(len(ids) for ids in tokens)
        ids = np.array([[*row, *[0] * (longest - len(row))] for row in tokens])
        return ids, np.arange(longest) < np.array([len(row) for row in tokens])[:, None]

    def _sentence(self, sentence: str) -> list[int]:
        found: list[int] = []
        for word in words(sentence):
            if len(found) > _TOKENS_MOST:
                break
            if word not in self._known:
                self._known[word] = self._pieces(word)
            found += self._known[word]
        return [self._numbers[_FIRST], *found[: _TOKENS_MOST - 2], self._numbers[_LAST]]

    def _pieces(self, word: str) -> list[int]:
        """The longest piece that the rest of a word begins with, again and again."""
        found: list[int] = []
        begin = 0
        while begin < len(word) <= _LONGEST_WORD:
            pieces = (("##" if begin else "") + word[begin:end] for end in range(len(word), begin, -1))
            piece = next((piece for piece in pieces if piece in self._numbers), _UNKNOWN)
            if piece == _UNKNOWN:
                return [self._numbers[_UNKNOWN]]
            found.append(self._numbers[piece])
            begin += len(piece) - (2 if begin else 0)
        return found or [self._numbers[_UNKNOWN]]


class MiniLM:
    """The encoder with its tokeniser, of the weights as published or trained on."""

    def __init__(self, weights: dict[str, Float32Array] | None = None) -> None:
        self._network = Network(graph("sentences"), published_minilm() if weights is None else weights)
        self._tokens = MiniLMTokens()

    def encode(self, sentences: Sequence[str]) -> Float32Array:
        """Unit vectors of sentences, shape ``(sentences, WIDTH)``."""
        vectors = np.zeros((len(sentences), WIDTH), dtype=np.float32)
        tokens = self._tokens(sentences)
        # Sentences of like length share a batch, so that little of it is padding.
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        for at in range(0, len(order), _BATCH):
            chosen = order[at : at + _BATCH]
            ids, real = self._tokens.side_by_side([tokens[i] for i in chosen])
            (vectors[chosen],) = self._network(words=token_vectors(ids), real=real)
        return vectors


def words(sentence: str) -> list[str]:
    """Lower-case words without accents; each punctuation mark and each ideograph is a word.

    >>> words("Café, 東京!")
    ['cafe', ',', '東', '京', '!']
    """
    kept = unicodedata.normalize("NFD", "".join(map(_kept, sentence)))
    plain = "".join(c.lower() for c in kept if unicodedata.category(c) != "Mn")
    return "".join(f" {c} " if _is_punctuation(c) else c for c in plain).split()


def _kept(c: str) -> str:
    """A character, set apart where it is an ideograph; nothing for one that shows nothing."""
    if c.isspace() and c not in "\x1c\x1d\x1e\x1f":
        return " "
    if c == "\ufffd" or unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs"):
        return ""
    return f" {c} " if any(first <= ord(c) <= last for first, last in _IDEOGRAPHS) else c


def _is_punctuation(c: str) -> bool:
    return (c.isascii() and c.isprintable() and not c.isalnum() and c != " ") or unicodedata.category(c)[0] == "P"
