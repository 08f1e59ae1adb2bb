"""What a sentence says of order: which of several times is meant, and before or after what else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Order = Literal["before", "after"]

ORDINALS = ("first", "second", "third", "last")
"""The times that can be told apart."""

_TIME = re.compile(r"\b(?:for )?the (first|second|third|last|final) time\b", re.IGNORECASE)
_AGAIN = re.compile(r"\b(?:once again|once more|one more time|again)\b", re.IGNORECASE)
_LEADING = re.compile(r"^\W*(?:right |just |shortly |immediately )?(before|after) ([^,]+),\s*(.+)$", re.IGNORECASE)
_INNER = re.compile(r"^(.+?),? (?:right |just |shortly |immediately )?(before|after) (.+)$", re.IGNORECASE)
_EDGES = " \t\n.,;:!?"
# One word after "before" is a thing that something is in front of, or none.
_WORDS_LEAST = 2


@dataclass(frozen=True, slots=True)
class Clauses:
    """A sentence in parts.

    Attributes:
        main: what happens in the moment that is meant; the sentence itself where it says nothing of order.
        related: what else happens before or after; empty if nothing is named.
        order: on which side of it the moment lies; None without ``related``.
        ordinal: one of `ORDINALS`, ``again`` for any but the first time, or empty.
    """

    main: str
    related: str = ""
    order: Order | None = None
    ordinal: str = ""

    @property
    def tells_order(self) -> bool:
        """Whether the sentence says anything of order."""
        return bool(self.order or self.ordinal)


def read_clauses(sentence: str) -> Clauses:
    """Takes a sentence apart.

    >>> read_clauses("a man waves for the second time")
    Clauses(main='a man waves', related='', order=None, ordinal='second')
    >>> read_clauses("After the bell rings, the children run out.")
    Clauses(main='the children run out', related='the bell rings', order='after', ordinal='')
    >>> read_clauses("a dog lies before him").order is None
    True
    """
    rest, ordinal = _without_ordinal(sentence)
    leading = _LEADING.match(rest)
    if leading:
        order, related, main = leading.groups()
    else:
        inner = _INNER.match(rest)
        if not inner:
            return Clauses(rest if ordinal else sentence, ordinal=ordinal)
        main, order, related = inner.groups()
    main, related = main.strip(_EDGES), related.strip(_EDGES)
    if min(len(main.split()), len(related.split())) < _WORDS_LEAST:
        return Clauses(rest if ordinal else sentence, ordinal=ordinal)
    return Clauses(main, related, "before" if order.lower() == "before" else "after", ordinal)


def _without_ordinal(sentence: str) -> tuple[str, str]:
    """The sentence without the words that count, and what they say; unchanged if nothing else is left."""
    for pattern in (_TIME, _AGAIN):
        found = pattern.search(sentence)
        if found is None:
            continue
        rest = " ".join((sentence[: found.start()] + sentence[found.end() :]).split()).strip(_EDGES)
        if rest:
            named = found[1].lower() if pattern is _TIME else "again"
            return rest, "last" if named == "final" else named
    return sentence, ""
