"""Vectors of the tokens of each query, made beforehand by a text encoder, in place of vectors of its words.

CLIP's are passed on as a file a query, ``qid{N}.npz``, with ``last_hidden_state`` of shape (tokens, dimension) beside
``pooler_output``. A query is found by its ``qid``, or by the place of its line where the annotation has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from asst.data.record import Record
from asst.errors import InputError, counted
from asst.features.stores.arrays import Arrays, as_vectors, unit_rows
from asst.features.stores.native import named
from asst.text import Vector

SOURCE = "tokens of queries"
"""What a checkpoint says in place of the name of its word vectors."""

LAST_HIDDEN_STATE = "last_hidden_state"
FILE = "{file}"
"""In a path, stands for the name of the annotation file, without its extension."""

By = Literal["qid", "order"]

_HELD_BYTES = 2**30


@dataclass(eq=False)
class QueryTokens:
    """Where the tokens of queries lie; each query's are read when they are asked for.

    Attributes:
        path: a folder with a file a query, or an HDF5 file with an array a query; it may hold `FILE`.
        key: the array to take where an entry holds several.
        by: what names a query: its id, or the number of its line in the annotation file, counted from ``first``.
        normalize: whether each token's vector is made as long as one.
        most: tokens to take of a query; all if None.
    """

    source: ClassVar[str] = SOURCE

    path: Path
    key: str = LAST_HIDDEN_STATE
    by: By = "qid"
    first: int = 0
    normalize: bool = False
    most: int | None = None
    _opened: dict[Path, Arrays] = field(default_factory=dict, init=False)
    _width: int | None = field(default=None, init=False)

    @property
    def dimension(self) -> int:
        """Width of a vector, by the first query that was found; a RuntimeError before any was."""
        if self._width is None:
            raise RuntimeError("no query has been looked up")
        return self._width

    def of(self, records: Sequence[Record]) -> RecordTokens:
        """The tokens of some records' sentences; an `InputError` names queries without any."""
        places = [self._place(record) for record in records]
        missing = [name for (arrays, name), record in zip(places, records, strict=True) if name not in arrays]
        if missing:
            arrays = next(arrays for arrays, name in places if name not in arrays)
            raise InputError(
                f"{counted(len(missing), 'query has', 'queries have')} no tokens: {named(missing)} "
                f"({arrays.path} has {named(arrays.names())}); "
                "name the folder of this annotation, or set data.words.by"
            )
        if places:
            self.read(*places[0])
        return RecordTokens(self, places)

    def read(self, arrays: Arrays, name: str) -> Vector:
        """The tokens of one query, ``(tokens, dimension)``; an `InputError` if they cannot be used."""
        where = f"{arrays.path}, {name}"
        array = arrays.read(name)
        # A pooled vector is a sentence of one token.
        vectors = as_vectors(array[None] if array.ndim == 1 else array, where, "tokens")[: self.most]
        self._width = self._width or vectors.shape[1]
        if vectors.shape[1] != self._width:
            raise InputError(f"{where}: {vectors.shape[1]} numbers in a token, where other queries have {self._width}")
        if not np.isfinite(vectors).all():
            raise InputError(f"{where}: holds a number that is not finite; encode the query again")
        return unit_rows(vectors) if self.normalize else vectors.astype(np.float32)

    def _place(self, record: Record) -> tuple[Arrays, str]:
        """The arrays that a record's tokens are among, and their name there."""
        file, _, line = record.id.rpartition("-")
        if self.by == "order" and not (file and line.isdecimal()):
            raise InputError(f"the annotation names its queries ({record.id}); leave data.words.by=order out")
        if FILE in str(self.path) and not file:
            raise InputError(f"the query {record.id} does not say its file; name the folder without {FILE}")
        name = str(int(line) - 1 + self.first) if self.by == "order" else record.id
        path = Path(str(self.path).replace(FILE, file))
        arrays = self._opened.get(path)
        if arrays is None:
            if not path.exists():
                raise InputError(f"no tokens of queries at {path}; name their folder by data.words")
            arrays = self._opened[path] = Arrays(path, self.key)
        return arrays, name if name in arrays else f"qid{name}"


class RecordTokens:
    """The tokens of each of some records, by their place among these; the first gigabyte read stays in memory."""

    def __init__(self, tokens: QueryTokens, places: Sequence[tuple[Arrays, str]]) -> None:
        self._tokens = tokens
        self._places = places
        self._held: dict[int, Vector] = {}
        self._free_bytes = _HELD_BYTES

    def __getitem__(self, index: int) -> Vector:
        """One vector a token, shape ``(tokens, dimension)``; raises as `QueryTokens.read`."""
        held = self._held.get(index)
        if held is None:
            held = self._tokens.read(*self._places[index])
            if held.nbytes <= self._free_bytes:
                self._held[index] = held
                self._free_bytes -= held.nbytes
        return held
