"""Sentences to words, and words to vectors.

`tokenize` says what a word is, and `WordVectors.vectors` what becomes of a word without a vector.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import unicodedata
import zipfile
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.errors import InputError

Vector = npt.NDArray[np.float32]
Lookup = Callable[[Collection[str]], dict[str, Vector]]

WORDS = Path(__file__).with_name("words.npy")
"""The 400,000 words of GloVe 6B, in the order of their keys."""
COMMON_WORDS = Path(__file__).with_name("common_words.npy")
"""Vectors of the most frequent ones, in the order of frequency."""
WORD = np.dtype([("key", "<u8"), ("place", "<u4"), ("scale", "<f2"), ("vector", "i1", 50)])
"""A word of the table: its place in the order of frequency, and its vector as a scale times whole numbers."""

_LETTER = r"[^\W_]"  # of any script, and digits
_ENDING = r"'(?:s|re|ve|ll|d|m)\b"
_TOKEN = re.compile(
    rf"""
      n't\b                                                       # does n't
    | {_ENDING}                                                   # girl 's
    | \d+(?:[.,]\d+)+                                             # 1.5
    | {_LETTER}(?:(?!n't\b){_LETTER})*                            # a word that ends before n't,
      (?:(?:-|(?!{_ENDING})'){_LETTER}+)*                         # with t-shirt's and o'clock's inner joints
    """,
    re.VERBOSE,
)
_APOSTROPHES = str.maketrans("\u2019\u2018\u02bc`", "''''")
_DASHES = str.maketrans("\u2010\u2011\u2212", "---")
_JOINTS = re.compile(r"[-']")

_EMPTY = """
a an the of in on at to with and or is are be it its his her their he she they that this from by for into as who which
while then there
"""
EMPTY_WORDS = frozenset(_EMPTY.split())
"""Words that stand in every sentence whatever it shows."""

_STOP = """
am was were been being has have had do does did will would can could shall should may might must not no n't 's 're 've
'll 'd 'm s t i me my you your we us our him them these those what when where why how if but so than too very just also
some any all each both such same own other again about
"""
_STOP_WORDS = EMPTY_WORDS.union(_STOP.split())
_FOREIGN = """
el la los las un una unas unos de del y en con por para su que se le les des du et est une sur dans avec qui aux der das
dem den ein eine einen einem einer und ist mit auf im zum zur von über il lo gli della di che nel het een op naar zijn
och på ett som med det og er til um uma em com não na ja się jest po bir ve ile yang
"""
_FOREIGN_WORDS = frozenset(_FOREIGN.split())
_COMMON, _NOT_RARE, _NEVER = 40_000, 100_000, 1_000_000


def tokenize(sentence: str) -> list[str]:
    """The words of a sentence, as the corpora behind GloVe write them.

    Lower case; punctuation is dropped. A possessive or contracted ending is a word of its own, after the Penn
    Treebank's rule: ``girl's`` gives ``girl`` and ``'s``, ``doesn't`` gives ``does`` and ``n't``. A hyphen or
    apostrophe inside a word stays (``o'clock``); longer dashes, slashes, underscores and other apostrophes part words.
    Typographic apostrophes and hyphens count as the plain ones. Numbers keep their points. Text without a letter or
    digit has no words.

    >>> tokenize("The girl's T-shirt doesn't fit; she pulls/tugs at it.")
    ['the', 'girl', "'s", 't-shirt', 'does', "n't", 'fit', 'she', 'pulls', 'tugs', 'at', 'it']
    """
    plain = unicodedata.normalize("NFKC", sentence).translate(_APOSTROPHES).translate(_DASHES)
    return _TOKEN.findall(plain.lower())


def understood(sentence: str) -> bool:
    """Whether a sentence has a word that the packaged English vocabulary knows, beside those that every sentence has.

    The vocabulary, in order of frequency, has many words of other languages too. So in a sentence with function words
    of one, or unknown words of other letters, half of the words must be common English; one without English function
    words must have a word that is not rare. Text of no words, such as emoji, is not understood.

    >>> [understood(text) for text in ("a dog runs", "un perro corre por la playa", "of the", "42")]
    [True, False, False, False]
    """
    tokens = [token for token in tokenize(sentence) if any(letter.isalpha() for letter in token)]
    words = {token: _JOINTS.split(token) for token in tokens if token not in _STOP_WORDS}
    if not words:
        return False
    names, rows = _found({part for token, parts in words.items() for part in (token, *parts)})
    places: dict[str, int] = dict(zip(names, rows["place"].tolist(), strict=True))
    best = {token: min(places.get(part, _NEVER) for part in (token, *parts)) for token, parts in words.items()}
    foreign = {t for t, place in best.items() if t in _FOREIGN_WORDS or (place == _NEVER and not t.isascii())}
    if foreign:
        common = sum(place < _COMMON for token, place in best.items() if token not in foreign)
        return bool(2 * common >= len(words))
    return bool(min(best.values()) < (_NEVER if len(words) < len(tokens) else _NOT_RARE))


class WordVectors:
    """Word vectors that are looked up where they lie.

    A pass over a text file takes seconds: ask for a corpus's words in one call of `prepare`. ``source`` names the
    vectors in checkpoints, such as ``glove.6B.50d``.
    """

    def __init__(self, source: str, dimension: int, lookup: Lookup) -> None:
        self.source = source
        self.dimension = dimension
        self._lookup = lookup
        self._known: dict[str, Vector | None] = {}

    @classmethod
    def packaged(cls) -> WordVectors:
        """The 50-dimensional GloVe vectors of 400,000 words that this package ships, rounded.

        Those of the 50,000 most frequent words are exact to three digits, the others to a hundredth of their largest
        number.
        """
        return cls("glove.6B.50d", WORD["vector"].shape[0], _shipped)

    @classmethod
    def from_file(cls, path: Path, dimension: int = 300) -> WordVectors:
        """Vectors in GloVe's own text form: ``glove.*.txt``, or of a ``.zip`` of such files that of the dimension.

        Raises an `InputError` if the file cannot be read, is in another form or has no member of that dimension.
        """
        with _lines(path, dimension) as (name, lines):
            width = len(next(iter(lines), b"").split(b" ")) - 1
        if width < 2:
            raise InputError(f"{path} holds no word vectors; each line is a word and its numbers, as GloVe publishes")
        return cls(name, width, lambda words: _from_text(words, path, dimension, width))

    def prepare(self, words: Iterable[str]) -> None:
        """Looks up many words in one pass, with what `vectors` falls back to; known words cost nothing."""
        fresh = {word for word in words if word not in self._known}
        parts = {part for word in fresh for part in _JOINTS.split(word) if part}
        missing = fresh | {part for part in parts if part not in self._known}
        if missing:
            found = self._lookup(missing)
            self._known.update({word: found.get(word) for word in missing})

    def vectors(self, tokens: list[str]) -> Vector:
        """One vector a token, shape ``(tokens, dimension)``.

        A token without a vector is parted at hyphens and apostrophes and gets the mean of the parts that have one
        (``hand-knitted``, ``dog's``). If none has, it gets zeros.
        """
        self.prepare(tokens)
        rows = np.zeros((len(tokens), self.dimension), dtype=np.float32)
        for row, token in zip(rows, tokens, strict=True):
            if (vector := self._vector(token)) is not None:
                row[:] = vector
        return rows

    def covers(self, token: str) -> bool:
        """Whether a token, or a part of it, has a vector."""
        self.prepare([token])
        return self._vector(token) is not None

    def _vector(self, token: str) -> Vector | None:
        whole = self._known[token]
        if whole is not None:
            return whole
        parts = [self._known[part] for part in _JOINTS.split(token) if part]
        found = [part for part in parts if part is not None]
        return np.mean(found, axis=0, dtype=np.float32) if found else None


def word_key(word: str) -> int:
    """What a word is found by in the packaged table."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


@functools.cache
def _table() -> tuple[npt.NDArray[np.void], npt.NDArray[np.uint64], npt.NDArray[np.float16]]:
    """The packaged words, their keys, and the vectors of the common ones; what is not asked for is not read."""
    words: npt.NDArray[np.void] = np.asarray(np.load(WORDS, mmap_mode="r"))
    return words, words["key"], np.load(COMMON_WORDS, mmap_mode="r")


def _found(words: Collection[str]) -> tuple[list[str], npt.NDArray[np.void]]:
    """Those of some words that the packaged table has, and their entries."""
    table, keys, _ = _table()
    found = {}
    for word in words:
        key = word_key(word)
        # One by one, as a search of all at once reads the whole table.
        row = bisect_left(keys, key)
        if row < len(keys) and keys[row] == key:
            found[word] = row
    return list(found), table[list(found.values())]


def _shipped(words: Collection[str]) -> dict[str, Vector]:
    """Vectors of the packaged table."""
    names, entries = _found(words)
    vectors = entries["vector"] * entries["scale"].astype(np.float32)[:, None]
    common = _table()[2]
    is_common = entries["place"] < len(common)
    vectors[is_common] = common[entries["place"][is_common]]
    return dict(zip(names, vectors, strict=True))


def _from_text(words: Collection[str], path: Path, dimension: int, width: int) -> dict[str, Vector]:
    """The vectors of the asked words, in one pass over the lines; a word's first line counts."""
    asked = {word.encode(): word for word in words}
    found: dict[str, Vector] = {}
    with _lines(path, dimension) as (_, lines):
        for number, line in enumerate(lines, start=1):
            head = line[: line.find(b" ")]
            word = asked.get(head)
            if word is None or word in found:
                continue
            fields = line.rstrip().rsplit(b" ", width)
            if len(fields) > width and fields[0] != head:
                continue  # an entry with a space in it, of which a few exist, is not the word it starts with
            try:
                vector = np.array(fields[1:], dtype=np.float32)
            except ValueError:
                vector = np.zeros(0, dtype=np.float32)
            if vector.shape != (width,) or not np.isfinite(vector).all():
                raise InputError(f"{path}, line {number}: not a word and {width} numbers; fetch the file again")
            found[word] = vector
            if len(found) == len(asked):
                break
    return found


@contextmanager
def _lines(path: Path, dimension: int) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Name and lines of a text file; of a ``.zip``, of its only one or the one named for the dimension."""
    try:
        if path.suffix != ".zip":
            with path.open("rb") as file:
                yield path.stem, file
            return
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".txt")]
            fitting = [name for name in names if f".{dimension}d." in Path(name).name]
            if len(fitting or names) != 1:
                listed = ", ".join(names) or "none"
                raise InputError(f"{path} has no one text file of {dimension} dimensions; it has {listed}")
            (member,) = fitting or names
            with archive.open(member) as file:
                yield Path(member).stem, io.BufferedReader(file)  # type: ignore[type-var]
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot read word vectors from {path}: {error}") from error
