"""Averages of word vectors, against the vectors themselves."""

from __future__ import annotations

import numpy as np

from asst.features.word_average import word_average
from asst.text import WordVectors


def test_it_is_the_mean_of_the_words_that_carry_meaning() -> None:
    vectors = WordVectors.packaged().vectors(["dog", "runs", "grass"])
    np.testing.assert_allclose(word_average(["A dog runs on the grass."])[0], vectors.mean(axis=0), rtol=1e-6)
    centre = np.linspace(-0.5, 0.5, 50, dtype=np.float32)
    centred = vectors.mean(axis=0) - centre
    np.testing.assert_allclose(
        word_average(["the grass; a dog runs"], centre)[0], centred / np.linalg.norm(centred), rtol=1e-5
    )


def test_words_without_a_vector_do_not_draw_the_mean_towards_zero() -> None:
    np.testing.assert_array_equal(word_average(["a dog"]), word_average(["a qwzzyx dog"]))


def test_a_sentence_of_empty_words_is_their_mean_and_one_without_words_is_zero() -> None:
    vectors = WordVectors.packaged().vectors(["it", "is"])
    found = word_average(["it is", "", "qwzzyx ?!"], np.full(50, 0.1, dtype=np.float32))
    centred = vectors.mean(axis=0) - 0.1
    np.testing.assert_allclose(found[0], centred / np.linalg.norm(centred), rtol=1e-5)
    assert not found[1:].any()
