"""The verb and the object of an action class, by a rule that needs no dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LEADING = "someone is "
FUNCTION_WORDS = {"a", "an", "and", "is", "or", "some", "the", "their"}
PREPOSITIONS = {"at", "for", "from", "in", "into", "of", "off", "on", "outside", "through", "to", "up", "with"}
INDEFINITES = {"someone", "something", "somewhere", "themselves"}
WITHOUT_CONTENT = FUNCTION_WORDS | PREPOSITIONS | INDEFINITES
PLURAL_ALONE = frozenset({"clothes", "groceries"})
SHORTEST_NOUN = 3
"""Shorter parts of a name are endings, as in ``towel/s`` and ``dish/es``."""


@dataclass(frozen=True, slots=True)
class ActionWords:
    """What an action class is made of: a verb as an ``-ing`` form, and nouns joined by ``/``, or none."""

    verb: str
    object: str


def action_words(name: str) -> ActionWords:
    """The verb and object of a class from its name in the list of classes.

    A leading ``Someone is`` is dropped. The verb is then the first word, or the first of its alternatives. The object
    is the last word that is neither a function word nor an indefinite (``something``) nor an ``-ing`` form, in the
    singular. Particles are dropped: ``Turning on a light`` and ``Turning off a light`` have the same words.

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
