"""What a sentence says is to be seen: its nouns and attributes, and its verbs, by a rule that needs no dictionary."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from asst.text import EMPTY_WORDS, tokenize

_UNSEEN = """
i you we us see sees seen shown shows show visible view frame screen shot video time times first second third last next
again briefly back away up down out off over around through behind under across past near along towards toward onto
before after when until still just only also all some any other another one two three both each no not n't 's have has
had can could will does do did been being was were him them himself herself itself something someone somebody what where
very so too than about same different there here both own how s t
"""
UNSEEN = EMPTY_WORDS.union(_UNSEEN.split())
"""Words that say nothing of what a picture shows: of order, of the camera's frame, and of grammar."""

_ENDINGS = ("ing", "ies", "es", "ed", "s")


@dataclass(frozen=True, slots=True)
class SentenceWords:
    """What a sentence speaks of, each once, in its order: stems of words that have an ``-ing`` form, and others."""

    verbs: tuple[str, ...]
    things: tuple[str, ...]


class Vocabulary:
    """The words of a data set's sentences, which say what is a verb: what is said with ``-ing`` too.

    >>> Vocabulary(["a dog runs", "the dogs are running", "a red ball"]).words("a red dog runs")
    SentenceWords(verbs=('run',), things=('red', 'dog'))
    """

    def __init__(self, sentences: Collection[str]) -> None:
        self._known = {word for sentence in sentences for word in tokenize(sentence)}
        found = [self.words(sentence) for sentence in sentences]
        self.verbs = tuple(sorted({verb for words in found for verb in words.verbs}))
        self.things = tuple(sorted({thing for words in found for thing in words.things}))

    def words(self, sentence: str) -> SentenceWords:
        """What one sentence speaks of."""
        stems = [stem for word in tokenize(sentence) if word not in UNSEEN and (stem := self._stem(word)) not in UNSEEN]
        verbs = dict.fromkeys(stem for stem in stems if self._is_verb(stem))
        return SentenceWords(tuple(verbs), tuple(dict.fromkeys(stem for stem in stems if stem not in verbs)))

    def _stem(self, word: str) -> str:
        """The shortest word that it is a known form of, and itself if there is none."""
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) >= len(ending) + 2:
                bare = word.removesuffix(ending)
                shorter = (bare, f"{bare}e", f"{bare}y", bare[:-1] if bare[-1] == bare[-2] else bare)
                if known := [form for form in shorter if self._is_known(form)]:
                    return min(known, key=len)
        return word

    def _is_known(self, form: str) -> bool:
        """Whether it is said by itself, or in two other forms."""
        others = sum(f"{form}{ending}" in self._known for ending in ("s", "es", "ed", "ing", f"{form[-1]}ing"))
        return form not in EMPTY_WORDS and (form in self._known or others > 1)

    def _is_verb(self, stem: str) -> bool:
        return any(f"{form}ing" in self._known for form in (stem, stem.removesuffix("e"), stem + stem[-1]))
