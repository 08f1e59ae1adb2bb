"""A sentence, parsed once: which of several times is meant, before or after what else, its colours and its camera."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from asst.features.zeroshot.colours import COLOURS

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
_CAMERA_MOVES = re.compile(
    r"\bcamera(?:man)?(?: (?:is|then|now|\w+ly))* (?:circl|fl[iy]|follow|mov|pan|pull|push|rotat|shak|shift|spin|sweep|"
    r"swing|tilt|track|turn|zoom)",
    re.IGNORECASE,
)
_DIRECTIONS = {
    **dict.fromkeys(("right", "rightward", "rightwards"), (1.0, 0.0)),
    **dict.fromkeys(("left", "leftward", "leftwards"), (-1.0, 0.0)),
    **dict.fromkeys(("up", "upward", "upwards"), (0.0, 1.0)),
    **dict.fromkeys(("down", "downward", "downwards"), (0.0, -1.0)),
}
_OTHER_COLOUR_WORDS = {"gray": "grey", "golden": "yellow", "violet": "purple"}
# The rest of the verb, and "quickly to the".
_WORDS_AFTER = 5


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A sentence and what it says.

    Attributes:
        main: what happens in the moment that is meant; the sentence itself where it says nothing of order.
        related: what else happens before or after, if anything; ``order`` says on which side of it the moment lies.
        ordinal: one of `ORDINALS`, ``again`` for any but the first time, or empty.
        colours: that it names, indices of `COLOURS`.
        camera_moves: whether it says that the camera moves: such a sentence names nothing to look for.
        direction: which way it then turns, as shares of `asst.features.zeroshot.space.PAN`; None if that is not said.
    """

    text: str
    main: str
    related: str = ""
    order: Order | None = None
    ordinal: str = ""
    colours: tuple[int, ...] = ()
    camera_moves: bool = False
    direction: tuple[float, float] | None = None


@lru_cache(maxsize=1024)
def parse(text: str) -> ParsedQuery:
    """Takes a sentence apart.

    >>> query = parse("After the bell rings, the red car stops for the second time.")
    >>> query.main, query.related, query.order, query.ordinal, query.colours
    ('the red car stops', 'the bell rings', 'after', 'second', (3,))
    >>> parse("a dog lies before him").order is None
    True
    >>> [parse(text).direction for text in ("The camera quickly pans left.", "he turns right")]
    [(-1.0, 0.0), None]
    """
    rest, ordinal = _without_ordinal(text)
    main, related, order = _clauses(rest)
    moves = _CAMERA_MOVES.search(text)
    words = re.findall(r"[a-z]+", text[moves.end() :].lower())[:_WORDS_AFTER] if moves else []
    direction = next((_DIRECTIONS[word] for word in words if word in _DIRECTIONS), None)
    said = related, order, ordinal, tuple(named_colours(text)), moves is not None, direction
    return ParsedQuery(text, main or (rest if ordinal else text), *said)


def named_colours(sentence: str) -> list[int]:
    """The colours that a sentence names, as indices into `COLOURS`.

    >>> [COLOURS[i] for i in named_colours("A girl in a gray and red-striped shirt")]
    ['grey', 'red']
    """
    words = [_OTHER_COLOUR_WORDS.get(word, word) for word in re.findall(r"[a-z]+", sentence.lower())]
    return [i for i, colour in enumerate(COLOURS) if colour in words]


def _clauses(text: str) -> tuple[str, str, Order | None]:
    """The main clause, the related one and their order; nothing where a text has one clause."""
    if leading := _LEADING.match(text):
        order, related, main = leading.groups()
    elif inner := _INNER.match(text):
        main, order, related = inner.groups()
    else:
        return "", "", None
    main, related = main.strip(_EDGES), related.strip(_EDGES)
    if min(len(main.split()), len(related.split())) < _WORDS_LEAST:
        return "", "", None
    return main, related, "before" if order.lower() == "before" else "after"


def _without_ordinal(sentence: str) -> tuple[str, str]:
    """The sentence without the words that count, and what they say; unchanged if nothing else is left."""
    for pattern in (_TIME, _AGAIN):
        if (found := pattern.search(sentence)) is None:
            continue
        if rest := " ".join((sentence[: found.start()] + sentence[found.end() :]).split()).strip(_EDGES):
            named = found[1].lower() if pattern is _TIME else "again"
            return rest, "last" if named == "final" else named
    return sentence, ""
