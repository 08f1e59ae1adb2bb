"""Features on disk in a form of ours: a folder with one safetensors file a video; and stores made of other stores.

The file of a video is named for it, odd characters escaped. It holds a tensor ``vectors``, memory-mapped when read. The
header's metadata names the form, the extractor, ``start_s``, ``step_s`` and ``dimension``, where shots begin, and what
is known of what the features were made of.
"""

from __future__ import annotations

import json
import math
import struct
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import reduce
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote

import numpy as np

from asst.atomic import writing_whole
from asst.errors import InputError, counted
from asst.features.disk_rows import concatenated
from asst.features.stores.arrays import unit_rows
from asst.features.values import Features, chunks

SUFFIX = ".safetensors"
LONGEST_NAME = 240
"""Bytes of a file's name without suffix: file systems end at 255."""
FORMAT = "asst-features-1"
TENSOR = "vectors"
UNIT_LENGTH = "unit-length"
"""Stands in the preprocessing of features whose vectors were scaled to unit length."""

_NAMED_MISSING = 5
_DTYPES = {"F32": np.float32, "F16": np.float16}
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error)


@dataclass(frozen=True, slots=True)
class Provenance:
    """What features were made of; empty where that is unknown.

    Attributes:
        preprocessing: hash of how frames were prepared.
        content: hash of the video file.
        weights: hash or version of the network's weights.
        flow: how optical flow was found, for people; ``preprocessing`` tells it too.
        precision: the number format that the network ran in. Provenances are equal whatever it says, as features in
            bfloat16 and in float32 serve in each other's place (docs/extractors.md says how near they are).
    """

    preprocessing: str = ""
    content: str = ""
    weights: str = ""
    flow: str = field(default="", compare=False)
    precision: str = field(default="", compare=False)


class FeatureStore(Protocol):
    """Features of many videos, by the video's name."""

    @abstractmethod
    def videos(self) -> tuple[str, ...]:
        """The videos it holds, sorted."""

    @abstractmethod
    def __contains__(self, video: str) -> bool: ...

    @abstractmethod
    def read(self, video: str) -> Features:
        """One video's features; raises InputError if there are none, or their file is damaged or not finite."""

    def provenance(self, video: str) -> Provenance:
        """What one video's features were made of, as far as the store knows."""
        return Provenance()


_SOUND: dict[tuple[Path, str], tuple[int, int]] = {}


def require_sound(features: Features, video: str, path: Path) -> None:
    """As `Features.require_finite`, once for a version of a file, as one may be read for every sample."""
    stat = path.stat()
    version = stat.st_mtime_ns, stat.st_size
    if _SOUND.get((path, video)) != version:
        features.require_finite(f"{path}, {video}")
        _SOUND[path, video] = version


class Store(FeatureStore):
    """A folder of ours, to read and to write; the first file decides on one extractor and one dimension."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kind: tuple[str, int] | None = None

    def videos(self) -> tuple[str, ...]:
        """See `FeatureStore`."""
        names = (path.name for path in self.folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))
        return tuple(sorted(video_name(name.removesuffix(SUFFIX)) for name in names))

    def __contains__(self, video: str) -> bool:
        return self._path(video).is_file()

    def read(self, video: str) -> Features:
        """See `FeatureStore`; vectors are memory-mapped and not writable."""
        features = self.mapped(video)
        require_sound(features, video, self._path(video))
        return features

    def mapped(self, video: str) -> Features:
        """As `read`, its numbers not looked through: for who takes a part of a long video and looks through that."""
        features = self._opened(video)[0]
        self._check(features, self._path(video))
        return features

    def provenance(self, video: str) -> Provenance:
        """See `FeatureStore`; raises as `read`."""
        return self._opened(video)[1]

    def extractor(self) -> str | None:
        """The name of what made its features, by the first sound file; None where there is none."""
        found = self._kind_on_disk()
        return found[0] if found else None

    def write(self, video: str, features: Features, provenance: Provenance | None = None) -> Path:
        """Keeps the features of a video of any name, in place of those it had; gives the file.

        Raises an `InputError` for another extractor or dimension, a number that is not finite, or a folder not
        writable.
        """
        path = self._path(video)
        # A damaged file must not stop its repair.
        self._kind = self._kind or self._kind_on_disk(besides=path)
        self._check(features, path)
        features.require_finite(video)
        write_file(path, features, provenance or Provenance())
        return path

    def _opened(self, video: str) -> tuple[Features, Provenance]:
        path = self._path(video)
        if not path.is_file():
            raise InputError(f"no features of {video} in {self.folder}; extract them first")
        return read_file(path)

    def _path(self, video: str) -> Path:
        return self.folder / f"{file_name(video)}{SUFFIX}"

    def _kind_on_disk(self, besides: Path | None = None) -> tuple[str, int] | None:
        """The extractor and dimension that the first sound header names."""
        files = (path for path in sorted(self.folder.glob(f"*{SUFFIX}")) if path != besides)
        return next(filter(None, map(kind, files)), None)

    def _check(self, features: Features, path: Path) -> None:
        found = features.extractor, features.dimension
        self._kind = self._kind or found
        if found != self._kind:
            raise InputError(
                f"{path} is of {found[0]} (dimension {found[1]}), the rest of the folder of {self._kind[0]} "
                f"({self._kind[1]}); keep each extractor's features in a folder of their own"
            )


class ConcatenatedStore(FeatureStore):
    """Several stores side by side: a video that each holds has the vectors of all, by `concatenated`."""

    def __init__(self, stores: Sequence[FeatureStore]) -> None:
        if not stores:
            raise ValueError("nothing to join")
        self._stores = tuple(stores)

    def videos(self) -> tuple[str, ...]:
        """See `FeatureStore`."""
        return tuple(sorted(set.intersection(*(set(store.videos()) for store in self._stores))))

    def __contains__(self, video: str) -> bool:
        return all(video in store for store in self._stores)

    def read(self, video: str) -> Features:
        """See `FeatureStore`; refused too where lengths differ too much."""
        return reduce(concatenated, (store.read(video) for store in self._stores))

    def provenance(self, video: str) -> Provenance:
        """What the stores know, joined by ``+``; one that knows nothing leaves all unknown."""
        each = [store.provenance(video) for store in self._stores]
        parts = zip(*((own.preprocessing, own.content, own.weights) for own in each), strict=True)
        preprocessing, content, weights = ("+".join(part) if all(part) else "" for part in parts)
        flows = dict.fromkeys(own.flow for own in each if own.flow)
        precisions = dict.fromkeys(own.precision for own in each if own.precision)
        return Provenance(preprocessing, content, weights, ", ".join(flows), "+".join(precisions))


class UnitStore(ConcatenatedStore):
    """Stores whose vectors are scaled to unit length (`asst.features.stores.arrays.unit_rows`)."""

    def read(self, video: str) -> Features:
        """See `FeatureStore`."""
        features = super().read(video)
        return replace(features, vectors=unit_rows(features.vectors))

    def provenance(self, video: str) -> Provenance:
        """What the stores know, and that the vectors are no more what an extractor makes."""
        made = super().provenance(video)
        return replace(made, preprocessing=f"{made.preprocessing} {UNIT_LENGTH}".strip())


class CachedStore(ConcatenatedStore):
    """A store whose first videos, as many as fit into the budget, are in memory; the others are read each time.

    Worker processes that are forked after it is made share its memory.
    """

    def __init__(self, store: FeatureStore, videos: Iterable[str], budget_bytes: int) -> None:
        super().__init__([store])
        self._held: dict[str, Features] = {}
        self.held_bytes = 0
        for video in dict.fromkeys(videos):
            features = store.read(video)
            if self.held_bytes + features.vectors.nbytes > budget_bytes:
                break
            # They may be mapped from a file.
            self._held[video] = replace(features, vectors=features.vectors.copy())
            self.held_bytes += features.vectors.nbytes

    def read(self, video: str) -> Features:
        """See `FeatureStore`."""
        return self._held[video] if video in self._held else super().read(video)


def require(store: FeatureStore, videos: Iterable[str]) -> None:
    """Checks, before a long run finds out, that a store holds these videos; an `InputError` names those that lack."""
    wanted = set(videos)
    missing = sorted(video for video in wanted if video not in store)
    if missing:
        there = f" (the store has {named(store.videos())})" if len(missing) == len(wanted) else ""
        raise InputError(
            f"{counted(len(missing), 'video has', 'videos have')} no features: {named(missing)}{there}; "
            "extract them or name another store"
        )


def named(names: Sequence[str]) -> str:
    """The first few of many names: ``a, b, c, d, e, ...``."""
    return ", ".join(names[:_NAMED_MISSING]) + (", ..." if len(names) > _NAMED_MISSING else "")


def file_name(video: str) -> str:
    """The name of a video's file, without suffix: all but letters, digits and ``_ . - ~`` as in a URL.

    Raises an `InputError` for an empty name or one too long for a file.

    >>> file_name("a b/c.mp4"), file_name("..")
    ('a%20b%2Fc.mp4', '%2E.')
    """
    name = quote(video, safe="", errors="surrogateescape")
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if not name or len(name) > LONGEST_NAME:
        raise InputError(f"not a video name that a file can have: {video[:60]!r} ({len(name)} bytes as a file name)")
    return name


def video_name(name: str) -> str:
    """The video of a file's name: the inverse of `file_name`."""
    return unquote(name, errors="surrogateescape")


def write_file(path: Path, features: Features, provenance: Provenance) -> None:
    """Writes one file whole or not at all, making its folder if need be; raises InputError if it cannot be written."""
    header = {
        "format": FORMAT,
        "extractor": features.extractor,
        "start_s": repr(float(features.start_s)),
        "step_s": repr(float(features.step_s)),
        "dimension": str(features.dimension),
        "cuts_s": json.dumps(features.cuts_s.tolist(), allow_nan=False),
        **asdict(provenance),
    }
    vectors = features.vectors
    dtype = next(name for name, own in _DTYPES.items() if own == vectors.dtype)
    tensor = {"dtype": dtype, "shape": list(vectors.shape), "data_offsets": [0, vectors.nbytes]}
    text = json.dumps({"__metadata__": header, TENSOR: tensor}, allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    with writing_whole(path) as file:
        # By hand and in parts: the library takes the whole file in memory, and features may lie on disk.
        file.write(struct.pack("<Q", len(text)) + text)
        for chunk in chunks(vectors):
            file.write(np.ascontiguousarray(chunk, dtype=f"<f{vectors.itemsize}").data)


def read_file(path: Path) -> tuple[Features, Provenance]:
    """One file of ours; raises InputError if it cannot be read, is damaged or is not of ours."""
    try:
        header, first_byte = read_header(path)
        metadata = header.get("__metadata__") or {}
        if metadata.get("format") != FORMAT:
            raise InputError(f"{path} has no header of ours; read it with its step length, as a published store")
        tensor = header[TENSOR]
        shape, dtype = tuple(tensor["shape"]), _DTYPES[tensor["dtype"]]
        begin, end = tensor["data_offsets"]
        if end - begin != math.prod(shape) * np.dtype(dtype).itemsize or path.stat().st_size < first_byte + end:
            raise ValueError("cut short")
        vectors = np.memmap(path, dtype=dtype, mode="r", offset=first_byte + begin, shape=shape)
        cuts_s = np.array(json.loads(metadata["cuts_s"]), dtype=np.float64)
        clock = float(metadata["start_s"]), float(metadata["step_s"])
        features = Features(vectors, *clock, metadata["extractor"], cuts_s)
        return features, Provenance(*(metadata.get(own.name, "") for own in fields(Provenance)))
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the folder") from error
    except _DAMAGED as error:
        raise InputError(f"{path} is damaged ({error}); delete it and extract the video again") from error


def kind(path: Path) -> tuple[str, int] | None:
    """The extractor and dimension that a file's header names; None if the file is damaged there or not of ours."""
    try:
        metadata = read_header(path)[0].get("__metadata__") or {}
        return (metadata["extractor"], int(metadata["dimension"])) if metadata.get("format") == FORMAT else None
    except (OSError, *_DAMAGED):
        return None


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file, and where its data starts; an OSError, ValueError or struct.error if none."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            raise ValueError("cut short")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("no header")
    return header, 8 + length
