"""All windows' vectors as arrays on disk, mapped into memory: the exact search of the first stage.

They are kept in parts that are written once and never changed. What the table has gained is appended as another part
when it is asked for; many parts, or parts of which most has gone, are made one anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.atomic import write_whole, writing_whole
from asst.errors import WriteError
from asst.features.disk_rows import widened
from asst.library.folder import LibraryFolder
from asst.library.tables import ROW, Rows, Tables

_ROWS_AT_ONCE = 256
_PARTS_MOST = 16
_ROWS = ".rows"
_TRIES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The windows of a library, and perhaps some of videos that it no longer has.

    Their rows are of `asst.library.tables.ROW`, and their vectors, part after part, of shape ``(windows, dimension)``.
    """

    rows: Rows
    parts: Sequence[npt.NDArray[np.float16]]

    def products(self, sentence: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """How well each window matches a sentence's vector ``(dimension,)``, shape ``(windows,)``."""
        found, done = np.empty(len(self.rows), dtype=np.float32), 0
        for part in self.parts:
            for first in range(0, len(part), _ROWS_AT_ONCE):
                # A block in single precision stays in the processor's cache between the two.
                block = widened(part[first : first + _ROWS_AT_ONCE])
                np.dot(block, sentence, out=found[done : done + len(block)])
                done += len(block)
        return found


def matrix_of(library: LibraryFolder) -> Matrix:
    """The library's windows as of now; on a medium that cannot be written they are kept in memory alone."""
    for _ in range(_TRIES):
        # Another search may make one part of several that this one has just listed.
        with suppress(FileNotFoundError):
            try:
                return _matrix(library)
            except WriteError:
                break
    return _opened(*zip(*library.tables.windows(), strict=True)) if library.tables.rows() else _opened((), ())


def _matrix(library: LibraryFolder) -> Matrix:
    folder, dimension = library.matrix, library.identity.dimension
    version = str(library.tables.version)
    parts, rows = _kept(folder)
    known = folder / "version"
    if not known.exists() or known.read_text() != version:
        # Taken before what is written: a write since then is found by the next search.
        counts = library.tables.window_counts()
        held = {name.decode() for own in rows for name in np.unique(own["content"]).tolist()}
        living = sum(counts[name] for name in counts.keys() & held)
        many = len(parts) >= _PARTS_MOST or sum(map(len, rows)) > 2 * living
        if gained := counts.keys() if many else counts.keys() - held:
            _append(library.tables, folder, gained)
        if many:
            for part in parts:
                part.unlink(missing_ok=True)
                _vectors(part).unlink(missing_ok=True)
        write_whole(known, version)
        parts, rows = _kept(folder)
    mapped = [
        np.memmap(_vectors(part), dtype=np.float16, mode="r", shape=(len(own), dimension))
        for part, own in zip(parts, rows, strict=True)
        if len(own)
    ]
    return _opened(rows, mapped)


def _kept(folder: Path) -> tuple[list[Path], list[Rows]]:
    """The parts that are there, and the rows of each."""
    parts = sorted(folder.glob(f"*{_ROWS}"))
    return parts, [np.fromfile(part, dtype=ROW) for part in parts]


def _opened(rows: Sequence[Rows], parts: Sequence[npt.NDArray[np.float16]]) -> Matrix:
    return Matrix(np.concatenate([np.zeros(0, dtype=ROW), *rows]), parts or [np.zeros((0, 1), dtype=np.float16)])


def _append(tables: Tables, folder: Path, contents: Collection[str]) -> None:
    """Writes a part. Vectors first: where there are rows, both are whole."""
    part = folder / f"{uuid.uuid4().hex}{_ROWS}"
    rows = [np.zeros(0, dtype=ROW)]
    with writing_whole(_vectors(part)) as file:
        for some, vectors in tables.windows(sorted(contents)):
            rows.append(some)
            file.write(np.ascontiguousarray(vectors).tobytes())
    with writing_whole(part) as file:
        file.write(np.concatenate(rows).tobytes())


def without_rows(folder: Path) -> list[Path]:
    """Vectors whose rows are not written, or never were."""
    return [vectors for vectors in folder.glob("*.vectors") if not vectors.with_suffix(_ROWS).exists()]


def _vectors(part: Path) -> Path:
    return part.with_suffix(".vectors")
