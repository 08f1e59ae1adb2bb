"""What a sentence asks beyond what is seen: which time of several, and before or after what else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Relation = Literal["", "before", "after", "while"]

LAST = -1
"""The ordinal of the last time."""

_COUNTED = {"first": 1, "second": 2, "third": 3, "last": LAST, "final": LAST}
_TIME = re.compile(
    rf"[,\s]*\b(?:for )?the (?:very )?({'|'.join(_COUNTED)}) time\b(?: (?:that|when))?[,\s]*", re.IGNORECASE
)
_AGAIN = re.compile(r"[,\s]*\b(?:once (?:again|more)|again|another time)\b[,\s]*", re.IGNORECASE)
_ADVERB = r"(?:(?:right|just|immediately|shortly|directly) )?"
_LEADING = re.compile(rf"^{_ADVERB}(before|after|while) ([^,]+), *(.+)$", re.IGNORECASE)
_INNER = re.compile(rf"^(.+?),? {_ADVERB}(before|after|while) (.+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clauses:
    """A sentence taken apart.

    Attributes:
        main: what is to be found, without what is below.
        other: what it comes before or after; empty where nothing is said of it.
        relation: whether ``main`` is ``before``, ``after`` or during (``while``) the other; empty likewise.
        ordinal: which time is meant, from 1, or `LAST`; 0 where none is said.
    """

    main: str
    other: str = ""
    relation: Relation = ""
    ordinal: int = 0


def clauses(sentence: str) -> Clauses:
    """Takes a sentence apart.

    >>> clauses("the dog jumps for the second time")
    Clauses(main='the dog jumps', other='', relation='', ordinal=2)
    >>> clauses("After she sits down, she waves.")
    Clauses(main='she waves.', other='she sits down', relation='after', ordinal=0)
    """
    text = " ".join(sentence.split())
    ordinal = 0
    if counted := _TIME.search(text):
        ordinal = _COUNTED[counted[1].lower()]
        text = _without(text, counted)
    elif repeated := _AGAIN.search(text):
        ordinal = 2
        text = _without(text, repeated)
    for form, main, word, other in ((_LEADING, 3, 1, 2), (_INNER, 1, 2, 3)):
        found = form.match(text)
        if found and _says_something(found[main]) and _says_something(found[other]):
            relation: Relation = found[word].lower()  # type: ignore[assignment]
            return Clauses(found[main], found[other].rstrip("."), relation, ordinal)
    return Clauses(text, ordinal=ordinal)


def _says_something(text: str) -> bool:
    return re.search(r"\w", text) is not None


def _without(text: str, found: re.Match[str]) -> str:
    """The sentence around what was found; all of it where nothing else is left."""
    rest = f"{text[: found.start()]} {text[found.end() :]}".strip()
    return rest if _says_something(rest) else text
