"""Features as the field publishes them: named arrays (`asst.features.arrays`), or files of sliding windows.

Such files hold numbers alone. How long a step is, where the first one starts and what made them is for the caller to
say: either every step lasts ``step_s``, or a video's steps divide its duration evenly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asst.errors import InputError
from asst.features.arrays import ArrayFile, Arrays, as_vectors, open_arrays
from asst.features.finite import FiniteFiles
from asst.features.safetensors_file import Provenance, kind
from asst.features.store import FeatureStore, Store
from asst.features.values import Features, Vectors


@dataclass(frozen=True, slots=True)
class Clock:
    """When the steps of published features happen, and what made them.

    Attributes:
        extractor: the name to give them.
        step_s: length of every step in seconds; not together with ``durations_s``.
        durations_s: length of each video in seconds, which its steps divide evenly; may be filled later.
        start_s: where the first step starts, in seconds.
    """

    extractor: str
    step_s: float | None = None
    durations_s: Mapping[str, float] | None = None
    start_s: float = 0.0

    def __post_init__(self) -> None:
        if (self.step_s is None) == (self.durations_s is None):
            raise InputError("published features need the length of a step, or of every video, and not both")

    def features(self, video: str, vectors: Vectors, where: str) -> Features:
        """The features of one video.

        Raises:
            InputError: if the video's duration is not known, or the numbers make no features.
        """
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


class PublishedStore:
    """Features in named arrays, one a video.

    Args:
        arrays: by the video's name, each of shape ``(steps, dimension)``.
        clock: when the steps happen.
    """

    def __init__(self, arrays: Arrays, clock: Clock) -> None:
        self._arrays = arrays
        self._clock = clock
        self._dimension: int | None = None
        self._finite = FiniteFiles()

    def videos(self) -> tuple[str, ...]:
        """The videos it holds, sorted."""
        return self._arrays.names()

    def provenance(self, video: str) -> Provenance:
        """What our own export says of all videos; nothing of other files."""
        stated = self._arrays.stated()
        return Provenance(
            **{key: str(stated.get(key, "")) for key in ("preprocessing", "weights", "flow", "precision")}
        )

    def __contains__(self, video: str) -> bool:
        return video in self._arrays

    def read(self, video: str) -> Features:
        """One video's features.

        Raises:
            InputError: if there are none, they are damaged, not of the shape (steps, dimension), of another dimension
                than those before, or not finite.
        """
        if video not in self._arrays:
            raise InputError(f"no features of {video} in {self._arrays.path}; name another file or folder")
        file = self._arrays.file(video)
        where = f"{file}, {video}" if file == self._arrays.path else str(file)
        vectors = as_vectors(self._arrays.read(video), where)
        self._dimension = self._dimension or vectors.shape[1]
        if vectors.shape[1] != self._dimension:
            raise InputError(f"{where}: {vectors.shape[1]} numbers a step, where other videos have {self._dimension}")
        features = self._clock.features(video, vectors, where)
        self._finite.require(features, video, file)
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
    arrays = open_arrays(path, key)
    if clock is None and isinstance(arrays, ArrayFile):
        clock = _stated_clock(arrays)
    if clock is None:
        raise InputError(f"{path} does not say how long a step is; give the step in seconds and the extractor's name")
    return PublishedStore(arrays, clock)


def _stated_clock(arrays: Arrays) -> Clock | None:
    """The clock that our own export writes into the file."""
    stated = arrays.stated()
    if not {"extractor", "step_s", "start_s"} <= stated.keys():
        return None
    return Clock(str(stated["extractor"]), float(stated["step_s"]), start_s=float(stated["start_s"]))
