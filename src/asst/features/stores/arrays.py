"""Arrays by name, as the field passes them on: a folder with a file a name, or one HDF5 file.

A further kind of file is a function in `LOADERS`; what the names are (videos, queries) is for the caller to know.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from asst.errors import InputError
from asst.extras import require
from asst.features.values import Vectors
from asst.moments import Array, Float32Array

HDF5 = (".h5", ".hdf5")
_SMALL = 1e-5


class Arrays:
    """Arrays by name, each read when it is asked for. HDF5 is opened for each reading, so that processes may share it.

    Args:
        path: a folder with a file a name, of any kind in `LOADERS`, or an HDF5 file of arrays or groups of arrays.
        key: the array to take from a file or group that holds several, such as ``c3d_features``.

    Attributes:
        stated: what an HDF5 file's attributes say of all its arrays; empty for a folder.

    Raises:
        InputError: for a folder without such a file or with two of one name, or an HDF5 file that cannot be read.
    """

    def __init__(self, path: Path, key: str | None = None) -> None:
        self.path = path
        self.stated: Mapping[str, Any] = {}
        self._key = key
        if path.is_dir():
            self._files = _files(path)
        else:
            with refused(str(path)), open_hdf5(path) as file:
                self._files = dict.fromkeys(file, path)
                self.stated = dict(file.attrs)

    def names(self) -> tuple[str, ...]:
        """What there is, sorted."""
        return tuple(sorted(self._files))

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def file(self, name: str) -> Path:
        """The file that an array is in."""
        return self._files[name]

    def read(self, name: str) -> Array:
        """One array, of any shape; there must be one of that name. That of an ``.npy`` file is mapped and not read.

        Raises an `InputError` for a file that is damaged, of another form, would have to run code to be read, or holds
        several arrays of which none is chosen.
        """
        file = self._files[name]
        if file != self.path:
            return load_array(file, self._key)
        where = f"{file}, {name}"
        with refused(where), open_hdf5(file) as opened:
            entry = opened[name]
            return np.asarray((_only(entry, self._key, where) if hasattr(entry, "keys") else entry)[()])


def open_hdf5(path: Path, mode: str = "r") -> Any:
    """An HDF5 file; raises InputError if h5py is not installed, or it cannot be opened."""
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
    """The array of one file, or the one called ``key`` of several; raises InputError for a file that is damaged."""
    with refused(str(path)):
        return LOADERS[path.suffix](path, key)


def as_vectors(array: Array, where: str, rows: str = "steps") -> Vectors:
    """An array as ``(steps, dimension)``, without axes of one, in float16 or 32; an `InputError` if it is none."""
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


def unit_rows(vectors: Vectors) -> Float32Array:
    """Each row over its length, as the detectors built on Moment-DETR read features; a row of zeros stays."""
    wide = vectors.astype(np.float32)
    scaled: Float32Array = wide / (np.linalg.norm(wide, axis=1, keepdims=True) + _SMALL)
    return scaled


def _files(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in LOADERS and not file.name.startswith("."):
            other = files.setdefault(file.stem, file)
            if other != file:
                raise InputError(f"{file.stem} has two files in {folder}: {other.name} and {file.name}")
    if not files:
        raise InputError(f"no features in {folder}; expected one file a video or query: {', '.join(LOADERS)}")
    return files


def _only(arrays: Any, key: str | None, where: str) -> Any:
    """The named array of several, or the only one."""
    names = list(arrays.keys())
    if key is None and len(names) == 1:
        return arrays[names[0]]
    if key is None or key not in names:
        wanted = "it holds several arrays" if key is None else f"it holds no array {key}"
        raise InputError(f"{where}: {wanted}; name one of {', '.join(map(str, names))}")
    return arrays[key]


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
    ".npy": lambda path, _key: np.load(path, mmap_mode="r", allow_pickle=False),
    ".npz": _load_npz,
    ".pt": _load_pt,
    ".pth": _load_pt,
    ".safetensors": _load_safetensors,
}
"""By the extension of a file: what reads the array in it, the named one where there are several."""
