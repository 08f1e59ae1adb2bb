"""Arrays by name, as the field passes them on: a folder with a file a name, or one HDF5 file.

A further kind of file is a function in `LOADERS`; what the names are (videos, queries) is for the caller to know.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.extras import require
from asst.features.values import Vectors

Array = npt.NDArray[Any]

HDF5 = (".h5", ".hdf5")
_SMALL = 1e-5


class Arrays(Protocol):
    """Arrays by name, each read when it is asked for.

    Attributes:
        path: of all of them.
    """

    path: Path

    def names(self) -> tuple[str, ...]:
        """What there is, sorted."""

    def __contains__(self, name: str) -> bool: ...

    def file(self, name: str) -> Path:
        """The file that an array is in."""

    def read(self, name: str) -> Array:
        """One array, of any shape; there must be one of that name.

        Raises:
            InputError: for a damaged file, one of another form, or one of several arrays of which none is chosen.
        """

    def stated(self) -> Mapping[str, Any]:
        """What the file says of all its arrays; empty for most."""


class ArrayFile:
    """One HDF5 file, whose entries are arrays by name, or groups of arrays.

    The file is opened for each reading, so that processes may share it.

    Args:
        path: the file.
        key: the array to take from a group that holds several, such as ``c3d_features``.
    """

    def __init__(self, path: Path, key: str | None = None) -> None:
        self.path = path
        self._key = key

    def names(self) -> tuple[str, ...]:
        """What there is, sorted."""
        with refused(str(self.path)), open_hdf5(self.path) as file:
            return tuple(sorted(file))

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def file(self, name: str) -> Path:
        """The file itself."""
        return self.path

    def read(self, name: str) -> Array:
        """One array.

        Raises:
            InputError: for a broken link, or damaged numbers.
        """
        where = f"{self.path}, {name}"
        with refused(where), open_hdf5(self.path) as file:
            entry = file[name]
            array = _only(entry, self._key, where) if hasattr(entry, "keys") else entry
            return np.asarray(array[()])

    def stated(self) -> Mapping[str, Any]:
        """The attributes of the file."""
        with refused(str(self.path)), open_hdf5(self.path) as file:
            return dict(file.attrs)

    @cached_property
    def _known(self) -> frozenset[str]:
        # Asked for thousands of names in turn; opening the file takes a millisecond.
        return frozenset(self.names())


class ArrayFolder:
    """A folder with a file a name, of any kind in `LOADERS`.

    Args:
        path: the folder.
        key: the array to take from a file that holds several, such as ``features``.

    Raises:
        InputError: if there is no such file in it, or a name has two.
    """

    def __init__(self, path: Path, key: str | None = None) -> None:
        self.path = path
        self._key = key
        self._files: dict[str, Path] = {}
        for file in sorted(path.iterdir()) if path.is_dir() else ():
            if file.suffix not in LOADERS or file.name.startswith("."):
                continue
            name = file.stem
            if name in self._files:
                raise InputError(f"{name} has two files in {path}: {self._files[name].name} and {file.name}")
            self._files[name] = file
        if not self._files:
            raise InputError(f"no features in {path}; expected one file a video or query: {', '.join(LOADERS)}")

    def names(self) -> tuple[str, ...]:
        """What there is, sorted."""
        return tuple(sorted(self._files))

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def file(self, name: str) -> Path:
        """The file of that name."""
        return self._files[name]

    def read(self, name: str) -> Array:
        """One array; that of an ``.npy`` file is mapped and not read.

        Raises:
            InputError: for a damaged file, or one that would have to run code to be read.
        """
        return load_array(self._files[name], self._key)

    def stated(self) -> Mapping[str, Any]:
        """Nothing: such files do not say."""
        return {}


def open_arrays(path: Path, key: str | None = None) -> Arrays:
    """What is at a path.

    Raises:
        InputError: as the folder.
    """
    return ArrayFolder(path, key) if path.is_dir() else ArrayFile(path, key)


def open_hdf5(path: Path, mode: str = "r") -> Any:
    """An HDF5 file.

    Raises:
        InputError: if h5py is not installed, or it cannot be opened.
    """
    require("hdf5", str(path))
    import h5py

    try:
        return h5py.File(path, mode)
    except OSError as error:
        did = "read" if mode == "r" else "write"
        raise InputError(f"cannot {did} {path} as HDF5: {str(error).splitlines()[0]}") from error


@contextmanager
def refused(where: str) -> Iterator[None]:
    """A block that reads a file with a library which has errors of its own for a damaged one."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"cannot read {where}: {reason}; fetch the file again") from error


def load_array(path: Path, key: str | None = None) -> Array:
    """The array of one file, or the one called ``key`` where it holds several.

    Raises:
        InputError: for a file that is damaged or holds something else.
    """
    with refused(str(path)):
        return LOADERS[path.suffix](path, key)


def as_vectors(array: Array, where: str, rows: str = "steps") -> Vectors:
    """An array as ``(steps, dimension)``: leading and trailing axes of one are dropped, other numbers become float32.

    Args:
        array: as it was read.
        where: for messages.
        rows: what its rows are.

    Raises:
        InputError: if more than two axes remain, fewer are there, or it holds no real numbers.
    """
    shape = array.shape
    while array.ndim > 2 and 1 in (array.shape[0], array.shape[-1]):
        array = array[0] if array.shape[0] == 1 else array[..., 0]
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{where}: features have the shape ({rows}, dimension), not {shape}")
    if array.dtype.kind not in "fiu":
        raise InputError(f"{where}: features are numbers, not {array.dtype}")
    if array.dtype in (np.float16, np.float32):
        return array
    with np.errstate(over="ignore"):
        # What is too large becomes infinite, and is refused as that.
        return array.astype(np.float32)


def unit_rows(vectors: Vectors) -> npt.NDArray[np.float32]:
    """Each row over its length, as the detectors built on Moment-DETR read features; a row of zeros stays."""
    wide = vectors.astype(np.float32)
    scaled: npt.NDArray[np.float32] = wide / (np.linalg.norm(wide, axis=1, keepdims=True) + _SMALL)
    return scaled


def _only(arrays: Any, key: str | None, where: str) -> Any:
    """The named array of several, or the only one."""
    names = list(arrays.keys())
    if key is None and len(names) == 1:
        return arrays[names[0]]
    if key is None or key not in names:
        wanted = "it holds several arrays" if key is None else f"it holds no array {key}"
        raise InputError(f"{where}: {wanted}; name one of {', '.join(map(str, names))}")
    return arrays[key]


def _load_npy(path: Path, key: str | None) -> Array:
    del key
    loaded: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return loaded


def _load_npz(path: Path, key: str | None) -> Array:
    # Opened here: of an archive that is damaged NumPy leaves its file open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return np.asarray(_only(archive, key, str(path)))


def _load_pt(path: Path, key: str | None) -> Array:
    import torch

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"cannot read {path}: it is damaged, or holds more than tensors, which may run code; save the tensor alone"
        ) from error
    if isinstance(loaded, dict):
        # Names and rates may stand beside the tensors.
        loaded = _only({name: one for name, one in loaded.items() if isinstance(one, torch.Tensor)}, key, str(path))
    if not isinstance(loaded, torch.Tensor):
        raise InputError(f"{path}: holds {type(loaded).__name__} and no tensor")
    return (loaded.float() if loaded.dtype == torch.bfloat16 else loaded).detach().numpy()


def _load_safetensors(path: Path, key: str | None) -> Array:
    from safetensors.numpy import load_file

    return np.asarray(_only(load_file(path), key, str(path)))


LOADERS: dict[str, Callable[[Path, str | None], Array]] = {
    ".npy": _load_npy,
    ".npz": _load_npz,
    ".pt": _load_pt,
    ".pth": _load_pt,
    ".safetensors": _load_safetensors,
}
"""By the ending of a file: what reads the array in it, the named one where there are several."""
