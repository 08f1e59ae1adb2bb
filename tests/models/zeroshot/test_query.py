"""What sentences say of order, of colours and of the camera."""

from __future__ import annotations

import pytest

from asst.features.zeroshot.colours import COLOURS
from asst.models.zeroshot.query import parse


@pytest.mark.parametrize(
    ("sentence", "main", "related", "order", "ordinal"),
    [
        ("a man waves for the second time", "a man waves", "", None, "second"),
        ("The third time the dog barks.", "the dog barks", "", None, "third"),
        ("he falls for the final time", "he falls", "", None, "last"),
        ("the woman waves once more", "the woman waves", "", None, "again"),
        ("a girl jumps before she runs away", "a girl jumps", "she runs away", "before", ""),
        ("the lights go out right after the band bows", "the lights go out", "the band bows", "after", ""),
        ("Before the bell rings, a boy sits down", "a boy sits down", "the bell rings", "before", ""),
    ],
)
def test_order_is_taken_from_the_sentence(
    sentence: str, main: str, related: str, order: str | None, ordinal: str
) -> None:
    query = parse(sentence)
    assert (query.main, query.related, query.order, query.ordinal) == (main, related, order, ordinal)


@pytest.mark.parametrize(
    "sentence", ["a dog runs on the grass.", "he kneels before her", "again", "look after him", ""]
)
def test_a_sentence_without_order_stays_as_it_is(sentence: str) -> None:
    query = parse(sentence)
    assert (query.main, query.related, query.order, query.ordinal) == (sentence, "", None, "")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("the camera pans left", True),
        ("Camera zooms in on a sign", True),
        ("the camera quickly turns toward the door", True),
        ("the cameraman follows the dog", True),
        ("the camera is moving", True),
        ("the camera then flies over a field", True),
        ("a man holds a camera", False),
        ("the dog walks toward the camera and turns", False),
        ("she pans for gold", False),
        ("camera", False),
        ("", False),
    ],
)
def test_a_sentence_is_about_the_camera_if_the_camera_is_what_moves(sentence: str, expected: bool) -> None:
    assert parse(sentence).camera_moves is expected


@pytest.mark.parametrize(
    ("sentence", "colours"),
    [
        ("the boy in the blue shirt shoots", ["blue"]),
        ("A Golden retriever by a brown-and-white cat", ["white", "yellow", "brown"]),
        ("she redoes her whites", []),
    ],
)
def test_sentences_name_colours_by_whole_words(sentence: str, colours: list[str]) -> None:
    assert [COLOURS[i] for i in parse(sentence).colours] == colours
