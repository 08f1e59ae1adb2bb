"""All windows' vectors as arrays on disk, mapped into memory: the exact search of the first stage.

They are kept in parts that are written once and never changed: vectors, then rows. What the table has gained is
appended as another part when it is asked for; many parts, or parts of which most has gone, are made one anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.atomic import write_whole, writing_whole
from asst.errors import WriteError
from asst.features.values import widened
from asst.library.folder import LibraryFolder
from asst.library.tables import ROW, Rows, Tables

_ROWS_AT_ONCE = 256
_PARTS_MOST = 16
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
        try:
            return _joined(_kept(library))
        except FileNotFoundError:
            # Another search may make one part of several that this one has just listed.
            continue
        except WriteError:
            break
    return _joined([*library.tables.windows()])


def _joined(parts: Sequence[tuple[Rows, npt.NDArray[np.float16]]]) -> Matrix:
    return Matrix(np.concatenate([np.zeros(0, dtype=ROW), *(rows for rows, _ in parts)]), [own for _, own in parts])


def _kept(library: LibraryFolder) -> list[tuple[Rows, npt.NDArray[np.float16]]]:
    folder, dimension = library.matrix, library.identity.dimension
    known, version = folder / "version", str(library.tables.version)
    paths = sorted(folder.glob("*.windows"))
    parts = [_opened(path, dimension) for path in paths]
    if parts and known.exists() and known.read_text() == version:
        return parts
    # Taken before what is written: a write since then is found by the next search.
    counts = library.tables.window_counts()
    held = {name.decode() for rows, _ in parts for name in np.unique(rows["content"]).tolist()}
    living = sum(counts[name] for name in counts.keys() & held)
    many = len(parts) >= _PARTS_MOST or sum(len(rows) for rows, _ in parts) > 2 * living
    gone, left = (paths, []) if many else ([], paths)
    if gained := counts.keys() if many else counts.keys() - held:
        left.append(_appended(library.tables, folder, gained))
    for path in gone:
        path.unlink(missing_ok=True)
    write_whole(known, version)
    return [_opened(path, dimension) for path in left]


def _opened(path: Path, dimension: int) -> tuple[Rows, npt.NDArray[np.float16]]:
    """The rows and the vectors of a part."""
    count = path.stat().st_size // (ROW.itemsize + 2 * dimension)
    rows = np.fromfile(path, dtype=ROW, offset=2 * dimension * count)
    return rows, np.memmap(path, dtype=np.float16, mode="r", shape=(count, dimension))


def _appended(tables: Tables, folder: Path, contents: Collection[str]) -> Path:
    path, rows = folder / f"{uuid.uuid4().hex}.windows", []
    with writing_whole(path) as file:
        for some, vectors in tables.windows(sorted(contents)):
            rows.append(some)
            file.write(np.ascontiguousarray(vectors).tobytes())
        file.write(np.concatenate(rows).tobytes())
    return path
