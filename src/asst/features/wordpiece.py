"""Sentences to the numbers of word pieces, as BERT reads them (Devlin et al. 2019; the uncased English vocabulary)."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_LONGEST_WORD = 100
_UNKNOWN, _FIRST, _LAST = "[UNK]", "[CLS]", "[SEP]"
# Where each ideograph is a word: blocks of CJK unified ideographs and of those for compatibility.
_IDEOGRAPHS = (
    *((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F)),
    *((0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)),
)


class WordPieces:
    """The tokeniser."""

    def __init__(self, path: Path) -> None:
        self._numbers = {piece: i for i, piece in enumerate(path.read_text("utf-8").split("\n"))}
        self._known: dict[str, list[int]] = {}

    def __call__(self, sentence: str, most: int) -> list[int]:
        """The numbers of a sentence's pieces between those of its start and end, so many at most."""
        found: list[int] = []
        for word in words(sentence):
            if len(found) > most:
                break
            if word not in self._known:
                self._known[word] = self._pieces(word)
            found += self._known[word]
        return [self._numbers[_FIRST], *found[: most - 2], self._numbers[_LAST]]

    def _pieces(self, word: str) -> list[int]:
        """The longest piece that the rest of a word begins with, again and again."""
        found: list[int] = []
        begin = 0
        while begin < len(word) <= _LONGEST_WORD:
            for end in range(len(word), begin, -1):
                number = self._numbers.get(("##" if begin else "") + word[begin:end])
                if number is not None:
                    found.append(number)
                    begin = end
                    break
            else:
                return [self._numbers[_UNKNOWN]]
        return found or [self._numbers[_UNKNOWN]]


def words(sentence: str) -> list[str]:
    """Lower-case words without accents; each punctuation mark and each ideograph is a word.

    >>> words("Café, 東京!")
    ['cafe', ',', '東', '京', '!']
    """
    kept = unicodedata.normalize("NFD", "".join(map(_kept, sentence)))
    plain = "".join(c.lower() for c in kept if unicodedata.category(c) != "Mn")
    return "".join(f" {c} " if _is_punctuation(c) else c for c in plain).split()


def _kept(c: str) -> str:
    """A character, set apart where it is an ideograph; nothing for one that shows nothing."""
    if c.isspace() and c not in "\x1c\x1d\x1e\x1f":
        return " "
    if c == "\ufffd" or unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs"):
        return ""
    return f" {c} " if any(first <= ord(c) <= last for first, last in _IDEOGRAPHS) else c


def _is_punctuation(c: str) -> bool:
    return (c.isascii() and c.isprintable() and not c.isalnum() and c != " ") or unicodedata.category(c)[0] == "P"
