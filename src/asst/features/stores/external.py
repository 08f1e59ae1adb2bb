"""Features as the field publishes them: named arrays (`asst.features.stores.arrays`), or files of sliding windows.

Such files hold numbers alone. How long a step is, where the first one starts and what made them is for the caller to
say: either every step lasts ``step_s``, or a video's steps divide its duration evenly. Our stores are written as one
HDF5 file a data set, and stores of any form as ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.atomic import moved_into_place
from asst.errors import InputError
from asst.features.stores.arrays import LOADERS, Arrays, as_vectors, load_array, open_hdf5
from asst.features.stores.native import FeatureStore, Provenance, Store, kind, require_sound
from asst.features.values import SAME_CLOCK, Features, Vectors, chunks
from asst.moments import Float32Array, IntArray

Watch = Callable[[int, int], None]
"""Called with the number of videos done, and of all."""

_WINDOW_FILE = re.compile(r"(?P<video>.+)_(?P<start>\d+)_(?P<end>\d+)(?P<extension>\.[a-z]+)")


@dataclass(frozen=True, slots=True)
class Timing:
    """When the steps of published features happen, and what made them.

    Every step lasts ``step_s``, or a video's steps divide its duration, of ``durations_s``, evenly; these may be filled
    later. All in seconds.
    """

    extractor: str
    step_s: float | None = None
    durations_s: Mapping[str, float] | None = None
    start_s: float = 0.0

    def __post_init__(self) -> None:
        if (self.step_s is None) == (self.durations_s is None):
            raise InputError("published features need the length of a step, or of every video, and not both")

    def features(self, video: str, vectors: Vectors, where: str) -> Features:
        """Of one video; raises InputError if its duration is not known, or the numbers make no features."""
        step_s = self.step_s
        if step_s is None:
            duration_s = (self.durations_s or {}).get(video)
            if duration_s is None:
                raise InputError(f"{where}: the duration of {video} is not known; give the length of a step instead")
            step_s = duration_s / max(1, len(vectors))
        try:
            return Features(vectors, self.start_s, step_s, self.extractor)
        except ValueError as error:
            raise InputError(f"{where}: {error}; is it a file of features?") from error


class ExternalStore(FeatureStore):
    """Features in named arrays, one a video."""

    def __init__(self, arrays: Arrays, timing: Timing) -> None:
        self._arrays = arrays
        self._timing = timing
        self._dimension: int | None = None

    def videos(self) -> tuple[str, ...]:
        """See `FeatureStore`."""
        return self._arrays.names()

    def provenance(self, video: str) -> Provenance:
        """What our own export says of all videos; nothing of other files."""
        said = self._arrays.stated
        return Provenance(**{key: str(said.get(key, "")) for key in ("preprocessing", "weights", "flow", "precision")})

    def __contains__(self, video: str) -> bool:
        return video in self._arrays

    def read(self, video: str) -> Features:
        """See `FeatureStore`; features are refused too that have another dimension than those before."""
        if video not in self._arrays:
            raise InputError(f"no features of {video} in {self._arrays.path}; name another file or folder")
        file = self._arrays.file(video)
        where = f"{file}, {video}" if file == self._arrays.path else str(file)
        vectors = as_vectors(self._arrays.read(video), where)
        self._dimension = self._dimension or vectors.shape[1]
        if vectors.shape[1] != self._dimension:
            raise InputError(f"{where}: dimension {vectors.shape[1]}, where other videos have {self._dimension}")
        features = self._timing.features(video, vectors, where)
        require_sound(features, video, file)
        return features


class WindowStore(FeatureStore):
    """Features of sliding windows, a file each, as TALL has them: ``{video}_{start}_{end}.npy``, by frames.

    Windows of several lengths may lie in one folder; those of ``length`` frames are taken, ``fps`` a second. The steps
    are as far apart as these start, and each has the vector of the window whose middle is nearest to its own, so that
    the first and the last windows stand for the ends of the video too. An `InputError` if there is no such file, or
    none of that length.
    """

    def __init__(self, path: Path, extractor: str, fps: float, length: int) -> None:
        self._path = path
        self._extractor = extractor
        self._fps = fps
        self._length = length
        self._windows: dict[str, list[tuple[int, str]]] = {}
        self._dimension: int | None = None
        lengths: Counter[int] = Counter()
        for file in path.iterdir() if path.is_dir() else ():
            found = _WINDOW_FILE.fullmatch(file.name)
            if found is None or found["extension"] not in LOADERS:
                continue
            frames = int(found["end"]) - int(found["start"])
            lengths[frames] += 1
            if frames == length:
                self._windows.setdefault(found["video"], []).append((int(found["start"]), file.name))
        if not lengths:
            raise InputError(f"no windows in {path}; expected files such as VIDEO_1_65.npy, by first and last frame")
        if not self._windows:
            there = ", ".join(str(frames) for frames, _ in lengths.most_common(5))
            raise InputError(f"no window of {length} frames in {path}; set windows.length to one of {there}")

    def videos(self) -> tuple[str, ...]:
        """See `FeatureStore`."""
        return tuple(sorted(self._windows))

    def __contains__(self, video: str) -> bool:
        return video in self._windows

    def read(self, video: str) -> Features:
        """See `FeatureStore`; features are refused too where windows are missing between others."""
        if video not in self:
            raise InputError(f"no windows of {video} in {self._path}; name another folder")
        windows = sorted(self._windows[video])
        starts = np.array([start for start, _ in windows])
        stride = float(np.median(np.diff(starts))) if len(starts) > 1 else float(self._length)
        nearest = self._nearest(video, starts, stride)
        vectors: Vectors = np.stack([self._vector(self._path / name) for _, name in windows])
        features = Features(vectors[nearest], float(starts[0]) / self._fps, stride / self._fps, self._extractor)
        features.require_finite(f"{self._path}, {video}")
        return features

    def _nearest(self, video: str, starts: IntArray, stride: float) -> npt.NDArray[np.intp]:
        """The window of each step."""
        first, last = int(starts[0]), int(starts[-1]) + self._length
        steps = max(1, round((last - first) / stride))
        middles = first + (np.arange(steps) + 0.5) * stride
        centres = starts + self._length / 2
        nearest: npt.NDArray[np.intp] = np.abs(middles[:, None] - centres).argmin(axis=1)
        apart = np.abs(middles - centres[nearest]) > (self._length + stride) / 2
        if apart.any():
            frame = round(float(middles[apart][0]))
            raise InputError(
                f"{self._path}, {video}: no window of {self._length} frames about frame {frame}; fetch the folder again"
            )
        return nearest

    def _vector(self, path: Path) -> Float32Array:
        array = load_array(path)
        vector = np.atleast_1d(array.squeeze())
        if vector.dtype.kind != "f" or vector.ndim != 1 or not vector.size:
            raise InputError(f"{path}: a window has one vector of numbers, not {array.shape} of {array.dtype}")
        self._dimension = self._dimension or vector.size
        if vector.size != self._dimension:
            raise InputError(f"{path}: dimension {vector.size}, where other windows have {self._dimension}")
        return vector.astype(np.float32)


def open_store(path: Path, timing: Timing | None = None, key: str | None = None) -> FeatureStore:
    """The store at a path, native or published, by what is there: a folder, or an HDF5 file.

    A published one needs a timing; native ones, and HDF5 files that were written from them, bring their own. The key
    names the array to take where an entry holds several. Raises an `InputError` if there is nothing, or a published
    store comes without one.
    """
    if not path.exists():
        raise InputError(f"no feature store at {path}; extract features or name another path")
    if path.is_dir() and any(map(kind, sorted(path.glob("*.safetensors")))):
        return Store(path)
    arrays = Arrays(path, key)
    said = arrays.stated
    if timing is None and {"extractor", "step_s", "start_s"} <= said.keys():
        # Our own export says this in the file.
        timing = Timing(str(said["extractor"]), float(said["step_s"]), start_s=float(said["start_s"]))
    if timing is None:
        raise InputError(
            f"{path} does not say how long a step is; give the step in seconds, by data.step_s of a recipe or --step-s"
        )
    return ExternalStore(arrays, timing)


def to_hdf5(store: FeatureStore, path: Path, watch: Watch | None = None) -> int:
    """Writes every video's vectors as a data set of its name, ``(steps, dimension)``; gives how many videos there are.

    The file's attributes say what the field's files do not: ``extractor``, ``start_s``, ``step_s`` and the `Provenance`
    but for the content. Where shots begin is not kept. Raises an `InputError` for an empty store, videos with different
    clocks, or a file that cannot be written.
    """
    videos = store.videos()
    if not videos:
        raise InputError("the store holds no features; extract some first")
    first, provenance = store.read(videos[0]), store.provenance(videos[0])
    with moved_into_place(path) as lent, open_hdf5(lent, "w") as file:
        stated = {"extractor": first.extractor, "start_s": first.start_s, "step_s": first.step_s}
        file.attrs.update(stated | {name: own for name, own in asdict(provenance).items() if name != "content"})
        for number, video in enumerate(videos, start=1):
            features = store.read(video)
            apart = max(abs(features.step_s - first.step_s), abs(features.start_s - first.start_s))
            if apart > SAME_CLOCK * first.step_s:
                raise InputError(
                    f"{video} has steps of {features.step_s:g} s from {features.start_s:g} s, {videos[0]} of "
                    f"{first.step_s:g} s from {first.start_s:g} s; an HDF5 file has one clock"
                )
            # A slash in a name would make a group of it.
            written = file.create_dataset(video.replace("/", "%2F"), features.vectors.shape, features.vectors.dtype)
            at = 0
            for chunk in chunks(features.vectors):
                written[at : at + len(chunk)] = chunk
                at += len(chunk)
            if watch is not None:
                watch(number, len(videos))
    return len(videos)


def to_store(source: FeatureStore, target: Store, watch: Watch | None = None) -> int:
    """Writes every video of a store of any form into one of ours; gives how many. Raises as `Store.write`."""
    videos = source.videos()
    for number, video in enumerate(videos, start=1):
        target.write(video.replace("%2F", "/"), source.read(video), source.provenance(video))
        if watch is not None:
            watch(number, len(videos))
    return len(videos)
