"""What sentences say of order."""

from __future__ import annotations

import pytest

from asst.models.clauses import Clauses, read_clauses


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("a man waves for the second time", Clauses("a man waves", ordinal="second")),
        ("The third time the dog barks.", Clauses("the dog barks", ordinal="third")),
        ("he falls for the final time", Clauses("he falls", ordinal="last")),
        ("the woman waves once more", Clauses("the woman waves", ordinal="again")),
        ("a girl jumps before she runs away", Clauses("a girl jumps", "she runs away", "before")),
        ("the lights go out right after the band bows", Clauses("the lights go out", "the band bows", "after")),
        ("Before the bell rings, a boy sits down", Clauses("a boy sits down", "the bell rings", "before")),
    ],
)
def test_order_is_taken_from_the_sentence(sentence: str, expected: Clauses) -> None:
    assert read_clauses(sentence) == expected


@pytest.mark.parametrize(
    "sentence", ["a dog runs on the grass.", "he kneels before her", "again", "look after him", ""]
)
def test_a_sentence_without_order_stays_as_it_is(sentence: str) -> None:
    assert read_clauses(sentence) == Clauses(sentence)
