"""Features of sliding windows, a file each, as TALL has them: ``{video}_{start}_{end}.npy``, a vector of one window.

Start and end count frames. Windows of several lengths may lie in one folder; those of one length make the steps.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.arrays import LOADERS, load_array
from asst.features.finite import require_finite
from asst.features.safetensors_file import Provenance
from asst.features.values import Features, Vectors

_NAME = re.compile(r"(?P<video>.+)_(?P<start>\d+)_(?P<end>\d+)(?P<ending>\.[a-z]+)")


class WindowStore:
    """A folder with a file a window.

    The steps are as far apart as the windows start, and each has the vector of the window whose middle is nearest to
    its own, so that the first and the last windows stand for the ends of the video too.

    Args:
        path: the folder.
        extractor: the name to give the features.
        fps: frames a second that the names count.
        length: frames of the windows to take.

    Raises:
        InputError: if there is no such file in it, or none of that length.
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
            found = _NAME.fullmatch(file.name)
            if found is None or found["ending"] not in LOADERS:
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
        """The videos it has windows of, sorted."""
        return tuple(sorted(self._windows))

    def __contains__(self, video: str) -> bool:
        return video in self._windows

    def provenance(self, video: str) -> Provenance:
        """Nothing: such files do not say."""
        return Provenance()

    def read(self, video: str) -> Features:
        """One video's features.

        Raises:
            InputError: if there are none, windows are missing between others, or a file is damaged, no vector, of
                another dimension, or not finite.
        """
        if video not in self:
            raise InputError(f"no windows of {video} in {self._path}; name another folder")
        windows = sorted(self._windows[video])
        starts = np.array([start for start, _ in windows])
        stride = float(np.median(np.diff(starts))) if len(starts) > 1 else float(self._length)
        nearest = self._nearest(video, starts, stride)
        vectors: Vectors = np.stack([self._vector(self._path / name) for _, name in windows])
        features = Features(vectors[nearest], float(starts[0]) / self._fps, stride / self._fps, self._extractor)
        require_finite(features, f"{self._path}, {video}")
        return features

    def _nearest(self, video: str, starts: npt.NDArray[np.int64], stride: float) -> npt.NDArray[np.intp]:
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

    def _vector(self, path: Path) -> npt.NDArray[np.float32]:
        array = load_array(path)
        vector = np.atleast_1d(array.squeeze())
        if vector.dtype.kind != "f" or vector.ndim != 1 or not vector.size:
            raise InputError(f"{path}: a window has one vector of numbers, not {array.shape} of {array.dtype}")
        self._dimension = self._dimension or vector.size
        if vector.size != self._dimension:
            raise InputError(f"{path}: {vector.size} numbers, where other windows have {self._dimension}")
        found: npt.NDArray[np.float32] = vector.astype(np.float32)
        return found
