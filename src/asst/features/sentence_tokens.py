"""Sentences as the tokens that an image-text model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.preparing import read_object

IntArray = npt.NDArray[np.int64]

LONGEST = {"clip": 77, "siglip": 64}
"""Tokens that a model of each kind takes where its ``config.json`` says nothing else."""


class SentenceTokens:
    """The tokenizer of a model's folder.

    Args:
        folder: with ``tokenizer.json`` and ``config.json``.
        kind: of model, a key of `LONGEST`.
        filled: whether all sentences are filled up to the longest text that the model takes.

    Raises:
        InputError: for a tokenizer that is missing or cannot be read.
    """

    def __init__(self, folder: Path, kind: str, *, filled: bool) -> None:
        from tokenizers import Tokenizer

        path = folder / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"{path} holds no tokenizer that can be read ({error}); get the folder again") from error
        text: Mapping[str, Any] = read_object(folder / "config.json").get("text_config") or {}
        longest = int(text.get("max_position_embeddings", LONGEST[kind]))
        # SigLIP was trained on small letters; SigLIP 2's tokenizer leaves them as they are.
        self._lower = kind == "siglip"
        fill = self._tokenizer.token_to_id(_filler(folder)) or 0
        self._tokenizer.enable_truncation(longest)
        self._tokenizer.enable_padding(direction="right", pad_id=fill, length=longest if filled else None)

    def __call__(self, sentences: Sequence[str]) -> tuple[IntArray, IntArray]:
        """Tokens, and which of them are no filling, both ``(sentences, tokens)``; what is beyond the longest is cut."""
        given = [sentence.lower() if self._lower else sentence for sentence in sentences]
        encoded = self._tokenizer.encode_batch(given)
        tokens, real = ([getattr(one, name) for one in encoded] for name in ("ids", "attention_mask"))
        return np.array(tokens, dtype=np.int64), np.array(real, dtype=np.int64)


def _filler(folder: Path) -> str:
    """The token that shorter sentences are filled up with; empty where no file says."""
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        said = read_object(folder / name).get("pad_token") if (folder / name).is_file() else None
        if said:
            return str(said["content"] if isinstance(said, Mapping) else said)
    return ""
