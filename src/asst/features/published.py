"""Features as the field publishes them: one HDF5 file a data set, or a folder of one file a video.

Such files hold numbers alone. How long a step is, where the first one starts and what made them is for the caller to
say: either every step lasts ``step_s``, or a video's steps divide its duration evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.extras import require
from asst.features.finite import FiniteFiles, require_finite
from asst.features.safetensors_file import Provenance, kind
from asst.features.store import FeatureStore, Store
from asst.features.values import Features, Vectors

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Clock:
    """When the steps of published features happen, and what made them.

    Attributes:
        extractor: the name to give them.
        step_s: length of every step in seconds; not together with ``durations_s``.
        durations_s: length of each video in seconds, which its steps divide evenly.
        start_s: where the first step starts, in seconds.
    """

    extractor: str
    step_s: float | None = None
    durations_s: Mapping[str, float] = field(default_factory=dict)
    start_s: float = 0.0

    def __post_init__(self) -> None:
        if (self.step_s is None) == (not self.durations_s):
            raise InputError("published features need the length of a step, or of every video, and not both")

    def features(self, video: str, vectors: Vectors, where: str) -> Features:
        """The features of one video.

        Raises:
            InputError: if the video's duration is not known, or the numbers make no features.
        """
        if self.step_s is None and video not in self.durations_s:
            raise InputError(f"{where}: the duration of {video} is not known; give the length of a step instead")
        step_s = self.step_s if self.step_s is not None else self.durations_s[video] / max(1, len(vectors))
        try:
            return Features(vectors, self.start_s, step_s, self.extractor)
        except ValueError as error:
            raise InputError(f"{where}: {error}; is it a file of features?") from error


class Hdf5Store:
    """One HDF5 file, whose entries are arrays by the video's name, or groups of arrays.

    The file is opened for each reading, so that processes may share a store.

    Args:
        path: the file.
        clock: when the steps happen.
        key: the array to take from a group that holds several, such as ``c3d_features``.
    """

    def __init__(self, path: Path, clock: Clock, key: str | None = None) -> None:
        self._path = path
        self._clock = clock
        self._key = key
        self._dimension: int | None = None
        self._names: frozenset[str] | None = None

    def videos(self) -> tuple[str, ...]:
        """The videos it holds, sorted."""
        with _refused(str(self._path)), self._open() as file:
            return tuple(sorted(file))

    def provenance(self, video: str) -> Provenance:
        """What our own export says of all videos; nothing of other files."""
        with _refused(str(self._path)), self._open() as file:
            said = {key: str(file.attrs.get(key, "")) for key in ("preprocessing", "weights", "flow", "precision")}
            return Provenance(**said)

    def __contains__(self, video: str) -> bool:
        # Asked for thousands of videos in turn; opening the file takes a millisecond.
        if self._names is None:
            self._names = frozenset(self.videos())
        return video in self._names

    def read(self, video: str) -> Features:
        """One video's features.

        Raises:
            InputError: if there are none, a link to them is broken, they are damaged, not of the shape
                (steps, dimension), or not finite.
        """
        where = f"{self._path}, {video}"
        if video not in self:
            raise InputError(f"no features of {video} in {self._path}; name another file")
        with _refused(where), self._open() as file:
            entry = file[video]
            array = _only(entry, self._key, where) if hasattr(entry, "keys") else entry
            vectors = as_vectors(np.asarray(array[()]), where)
        self._dimension = self._dimension or vectors.shape[1]
        _same_dimension(vectors, self._dimension, where)
        features = self._clock.features(video, vectors, where)
        require_finite(features, where)
        return features

    def _open(self) -> Any:
        return open_hdf5(self._path)


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


def _stated_clock(path: Path) -> Clock | None:
    """The clock that our own export writes into the file."""
    with _refused(str(path)), open_hdf5(path) as file:
        stated = dict(file.attrs)
        if not {"extractor", "step_s", "start_s"} <= stated.keys():
            return None
        return Clock(str(stated["extractor"]), float(stated["step_s"]), start_s=float(stated["start_s"]))


@contextmanager
def _refused(where: str) -> Iterator[None]:
    """A block that reads a file with a library which has errors of its own for a damaged one."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"cannot read {where}: {reason}; fetch the file again") from error


class FolderStore:
    """A folder with one ``.npy``, ``.npz``, ``.pt`` or ``.safetensors`` file a video, named for the video.

    Args:
        folder: the folder.
        clock: when the steps happen.
        key: the array to take from a file that holds several, such as ``features``.

    Raises:
        InputError: if there is no such file in it, or a video has two.
    """

    def __init__(self, folder: Path, clock: Clock, key: str | None = None) -> None:
        self._folder = folder
        self._clock = clock
        self._key = key
        self._dimension: int | None = None
        self._finite = FiniteFiles()
        self._files: dict[str, Path] = {}
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix not in LOADERS or path.name.startswith("."):
                continue
            video = path.stem
            if video in self._files:
                raise InputError(f"{video} has two files in {folder}: {self._files[video].name} and {path.name}")
            self._files[video] = path
        if not self._files:
            raise InputError(f"no features in {folder}; expected one file a video: {', '.join(LOADERS)}")

    def videos(self) -> tuple[str, ...]:
        """The videos it holds, sorted."""
        return tuple(sorted(self._files))

    def provenance(self, video: str) -> Provenance:
        """Nothing: such files do not say."""
        return Provenance()

    def __contains__(self, video: str) -> bool:
        return video in self._files

    def read(self, video: str) -> Features:
        """One video's features.

        Raises:
            InputError: if there are none, or the file is damaged, of another form, or not finite.
        """
        if video not in self._files:
            raise InputError(f"no features of {video} in {self._folder}; name another folder")
        path = self._files[video]
        with _refused(str(path)):
            vectors = as_vectors(LOADERS[path.suffix](path, self._key), str(path))
        self._dimension = self._dimension or vectors.shape[1]
        _same_dimension(vectors, self._dimension, str(path))
        features = self._clock.features(video, vectors, str(path))
        self._finite.require(features, video, path)
        return features


def open_store(path: Path, clock: Clock | None = None, key: str | None = None) -> FeatureStore:
    """The store at a path, ours or a published one, by what is there.

    Args:
        path: a folder, or an HDF5 file.
        clock: needed for a published store; ours, and HDF5 files that were written from it, bring their own.
        key: the array to take where an entry holds several.

    Raises:
        InputError: if there is nothing, or a published store comes without a clock.
    """
    if not path.exists():
        raise InputError(f"no feature store at {path}; extract features or name another path")
    if path.is_dir() and any(map(kind, sorted(path.glob("*.safetensors")))):
        return Store(path)
    if clock is None and path.is_file():
        clock = _stated_clock(path)
    if clock is None:
        raise InputError(f"{path} does not say how long a step is; give the step in seconds and the extractor's name")
    return FolderStore(path, clock, key) if path.is_dir() else Hdf5Store(path, clock, key)


def as_vectors(array: Array, where: str) -> Vectors:
    """An array as ``(steps, dimension)``: leading and trailing axes of one are dropped, other numbers become float32.

    Raises:
        InputError: if more than two axes remain, fewer are there, or it holds no real numbers.
    """
    shape = array.shape
    while array.ndim > 2 and 1 in (array.shape[0], array.shape[-1]):
        array = array[0] if array.shape[0] == 1 else array[..., 0]
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{where}: features have the shape (steps, dimension), not {shape}")
    if array.dtype.kind not in "fiu":
        raise InputError(f"{where}: features are numbers, not {array.dtype}")
    if array.dtype in (np.float16, np.float32):
        return array
    with np.errstate(over="ignore"):
        # What is too large becomes infinite, and is refused as that.
        return array.astype(np.float32)


def _same_dimension(vectors: Vectors, dimension: int, where: str) -> None:
    if vectors.shape[1] != dimension:
        raise InputError(f"{where}: {vectors.shape[1]} numbers a step, where other videos have {dimension}")


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

    loaded = torch.load(path, map_location="cpu", weights_only=True)
    tensor = _only(loaded, key, str(path)) if isinstance(loaded, dict) else loaded
    if not isinstance(tensor, torch.Tensor):
        raise InputError(f"{path}: holds {type(tensor).__name__} and no tensor")
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().numpy()


def _load_safetensors(path: Path, key: str | None) -> Array:
    from safetensors.numpy import load_file

    return np.asarray(_only(load_file(path), key, str(path)))


LOADERS: dict[str, Callable[[Path, str | None], Array]] = {
    ".npy": _load_npy,
    ".npz": _load_npz,
    ".pt": _load_pt,
    ".safetensors": _load_safetensors,
}
