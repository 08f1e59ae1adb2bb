"""All windows' vectors as one array on disk, mapped into memory: the exact search of the first stage.

It is made of the table when it is needed and the table has changed, and never changed itself.
"""

from __future__ import annotations

import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from asst.atomic import writing_whole
from asst.library.library import Library
from asst.library.tables import ROW, Rows, Tables

if TYPE_CHECKING:
    from torch import Tensor

_ROWS_AT_ONCE = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The windows of a library.

    Attributes:
        rows: of `asst.library.tables.ROW`, shape ``(windows,)``.
        vectors: shape ``(windows, dimension)``.
    """

    rows: Rows
    vectors: npt.NDArray[np.float16]


def products(vectors: npt.NDArray[np.float16], sentence: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The products of vectors with one, a block at a time in single precision.

    Args:
        vectors: shape ``(rows, dimension)``.
        sentence: shape ``(dimension,)``.

    Returns:
        Shape ``(rows,)``.
    """
    import torch

    found = torch.empty(len(vectors))
    wide = torch.empty((min(_ROWS_AT_ONCE, len(vectors)), vectors.shape[1]))
    wanted = torch.from_numpy(sentence)
    for first in range(0, len(vectors), _ROWS_AT_ONCE):
        part = vectors[first : first + _ROWS_AT_ONCE]
        # A block stays in the processor's cache between the two.
        block = wide[: len(part)].copy_(_tensor(part))
        torch.mv(block, wanted, out=found[first : first + len(part)])
    result: npt.NDArray[np.float32] = found.numpy()
    return result


def _tensor(part: npt.NDArray[np.float16]) -> Tensor:
    """The same numbers; those of a read-only map are not to be written."""
    import torch

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(part)


def matrix_of(library: Library) -> Matrix:
    """The library's windows as of now.

    Raises:
        InputError: if the array cannot be written.
    """
    version = library.tables.version
    folder = library.matrix_folder() / str(version)
    if not (folder / "rows").exists():
        # A write since then is in it too, and is written anew under its own version when that is asked for.
        _write(library.tables, folder)
        for other in folder.parent.iterdir():
            if other.name.isdigit() and int(other.name) < version:
                shutil.rmtree(other, ignore_errors=True)
    rows = np.fromfile(folder / "rows", dtype=ROW)
    if not len(rows):
        return Matrix(rows, np.zeros((0, library.identity.dimension), dtype=np.float16))
    shape = (len(rows), library.identity.dimension)
    return Matrix(rows, np.memmap(folder / "vectors", dtype=np.float16, mode="r", shape=shape))


def _write(tables: Tables, folder: Path) -> None:
    """Vectors first: where there are rows, both are whole."""
    rows = [np.zeros(0, dtype=ROW)]
    with writing_whole(folder / "vectors") as file:
        for some, vectors in tables.windows():
            rows.append(some)
            file.write(np.ascontiguousarray(vectors).tobytes())
    with writing_whole(folder / "rows") as file:
        file.write(np.concatenate(rows).tobytes())
