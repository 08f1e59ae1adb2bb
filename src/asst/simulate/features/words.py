"""What an action class and a sentence speak of, by rules that need no dictionary."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from asst.text import EMPTY_WORDS, tokenize

LEADING = "someone is "
FUNCTION_WORDS = {"a", "an", "and", "is", "or", "some", "the", "their"}
PREPOSITIONS = {"at", "for", "from", "in", "into", "of", "off", "on", "outside", "through", "to", "up", "with"}
INDEFINITES = {"someone", "something", "somewhere", "themselves"}
WITHOUT_CONTENT = FUNCTION_WORDS | PREPOSITIONS | INDEFINITES
PLURAL_ALONE = frozenset({"clothes", "groceries"})
SHORTEST_NOUN = 3
"""Shorter parts of a name are endings, as in ``towel/s`` and ``dish/es``."""


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
class ActionWords:
    """What an action class is made of: a verb as an ``-ing`` form, and nouns joined by ``/``, or none."""

    verb: str
    object: str


def action_words(name: str) -> ActionWords:
    """The verb and object of a class from its name in the list of classes.

    The verb is the first word after ``Someone is``, or the first of its alternatives. The object is the last word that
    is neither a function word nor an indefinite (``something``) nor an ``-ing`` form, in the singular. Particles are
    dropped: ``Turning on a light`` and ``Turning off a light`` have the same words.

    >>> action_words("Taking a phone/camera from somewhere")
    ActionWords(verb='taking', object='phone/camera')
    >>> action_words("Someone is going from standing to sitting")
    ActionWords(verb='going', object='')
    """
    first, *rest = name.lower().removeprefix(LEADING).split()
    verb = first.split("/")[0]
    nouns = ("/".join(dict.fromkeys(map(_singular, _nouns(word)))) for word in reversed(rest))
    return ActionWords(verb if verb.endswith("ing") else f"{verb}ing", next(filter(None, nouns), ""))


def object_names(words: Mapping[str, ActionWords]) -> dict[str, str]:
    """Which object of the classes a thing is: each alternative by itself, such as ``glass``, and all of them together.

    >>> object_names({"c106": action_words("Drinking from a cup/glass/bottle")})["glass"]
    'cup/glass/bottle'
    """
    objects = {entry.object for entry in words.values() if entry.object}
    return {part: whole for whole in sorted(objects) for part in (*whole.split("/"), whole)}


def _nouns(word: str) -> list[str]:
    return [
        part
        for part in word.split("/")
        if len(part) >= SHORTEST_NOUN and part not in WITHOUT_CONTENT and not part.endswith("ing")
    ]


def _singular(noun: str) -> str:
    if noun in PLURAL_ALONE or noun.endswith("ss"):
        return noun
    return noun.removesuffix("es") if noun.endswith("shes") else noun.removesuffix("s")


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
