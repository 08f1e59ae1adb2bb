"""Sentences about nothing in particular: what a sentence must fit better than, to count as found."""

from __future__ import annotations

from itertools import product

_SUBJECTS = (
    *("a man", "a woman", "a child", "two people", "a dog", "a cat", "a girl", "a boy", "someone"),
    *("a group of friends", "a car", "a bird", "a horse", "a player", "an old man"),
)
_VERBS = (
    *("opens", "holds", "walks past", "throws", "sits next to", "looks at", "picks up", "puts down"),
    *("runs toward", "cleans", "drives by", "stands on", "jumps over", "points at", "plays with"),
)
_OBJECTS = (
    *("a door", "a laptop", "a ball", "the table", "a bicycle", "a book", "the window", "a cup of coffee"),
    *("a guitar", "a boat", "the grass", "a tree", "a phone", "a box", "the snow", "a bed", "the beach"),
    *("a bridge", "the kitchen sink", "a camera"),
)
# Of all combinations every so many-th, a number that shares no factor with the lengths of the lists.
_STRIDE = 17


def negative_sentences() -> list[str]:
    """Combinations of subjects, verbs and objects, drawn evenly.

    >>> len(negative_sentences()), negative_sentences()[1]
    (265, 'a man opens a bridge')
    """
    return [" ".join(words) for words in product(_SUBJECTS, _VERBS, _OBJECTS)][::_STRIDE]
