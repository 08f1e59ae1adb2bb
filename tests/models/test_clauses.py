"""What a sentence says of order, and what is left of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.models.clauses import LAST, Clauses, clauses


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("a dog jumps", Clauses("a dog jumps")),
        ("the man jumps for the first time", Clauses("the man jumps", ordinal=1)),
        ("the third time the man jumps", Clauses("the man jumps", ordinal=3)),
        ("For the last time, she waves", Clauses("she waves", ordinal=LAST)),
        ("the girl waves again.", Clauses("the girl waves .", ordinal=2)),
        ("she turns once more to the camera", Clauses("she turns to the camera", ordinal=2)),
        ("she waves right after the dog barks.", Clauses("she waves", "the dog barks", "after")),
        ("Before he eats, he washes a pan", Clauses("he washes a pan", "he eats", "before")),
        ("he sings while walking", Clauses("he sings", "walking", "while")),
        ("the dog barks for the second time after it runs", Clauses("the dog barks", "it runs", "after", 2)),
        ("after all", Clauses("after all")),
        ("the last time", Clauses("the last time", ordinal=LAST)),
        ("a painter of the afterlife", Clauses("a painter of the afterlife")),
    ],
)
def test_sentences_are_taken_apart(sentence: str, expected: Clauses) -> None:
    assert clauses(sentence) == expected


@given(st.lists(st.sampled_from(["a dog", "runs", "after", "before", ",", "again", "the second time", "while", "."])))
def test_something_is_left_to_look_for(words: list[str]) -> None:
    sentence = " ".join(words)
    found = clauses(sentence)
    if any(letter.isalpha() for letter in sentence):
        assert any(letter.isalpha() for letter in found.main)
    assert bool(found.other) == bool(found.relation)
