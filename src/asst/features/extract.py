"""Video files to a feature store, one at a time: what is there already is kept, a fault in one file stops no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from asst.errors import InputError, WriteError
from asst.features.extractor import Extractor, Progress
from asst.features.hashing import content_hash
from asst.features.stores.native import Provenance, Store
from asst.features.video_files import VIDEO_EXTENSIONS, video_files

T = TypeVar("T")

Naming = Literal["stem", "name", "path"]


@dataclass(frozen=True, slots=True)
class Job:
    """One file to extract: its path, its name in the store, and the hash of its bytes where that is known already."""

    path: Path
    video: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job.

    Attributes:
        state: ``extracted``; ``kept``, where the store had the same content from the same extractor; or ``failed``.
        reason: one line on what is wrong, for a failure.
        video_s: seconds of video that were read.
        seconds: that it took.
    """

    job: Job
    state: Literal["extracted", "kept", "failed"]
    reason: str = ""
    video_s: float = 0.0
    seconds: float = 0.0


def jobs_of(paths: Sequence[Path], naming: Naming = "stem") -> list[Job]:
    """The files to extract, in the order given; a folder stands for the videos at and under it, by name.

    Args:
        paths: files and folders. A file that is named is taken whatever its ending; one that is missing or no video
            fails when its turn comes.
        naming: what a video is called in the store: its file's name without the last ending (``stem``), with it
            (``name``), or, within a folder, its path from there (``path``).

    Raises:
        InputError: for two files of one name, or a folder without a video.
    """
    found: dict[str, Job] = {}
    for path in paths:
        for file in video_files(path):
            within = file.relative_to(path).as_posix() if path.is_dir() else file.name
            name = {"stem": file.stem, "name": file.name, "path": within}[naming]
            if path.is_dir() and file.suffix.lower() not in VIDEO_EXTENSIONS:
                # A subfolder or link that cannot be read: it fails, and must not stop a video of its name.
                name = f"{within}/"
            other = found.setdefault(name, Job(file, name))
            if other.path.absolute() != file.absolute():
                raise InputError(f"{other.path} and {file} would both be called {name!r}; use --names path or name")
    return list(found.values())


def provenance_of(extractor: Extractor, content: str = "") -> Provenance:
    """What is written beside features of this extractor."""
    return Provenance(extractor.preprocessing, content, extractor.weights, extractor.flow, extractor.precision)


def extract_one(job: Job, extractor: Extractor, store: Store, progress: Progress | None = None) -> Outcome:
    """Features of one file into the store, unless it has them.

    A fault of the file is an outcome; a store that cannot be written is not.

    Raises:
        WriteError: if the store, or what is kept on disk meanwhile, cannot be written.
        InputError: if the store holds another extractor's features.
    """
    started_s = time.monotonic()
    try:
        provenance = provenance_of(extractor, job.content or content_hash(job.path))
        if _has(store, job.video, extractor, provenance):
            return Outcome(job, "kept")
        features = extractor.extract(job.path, progress=progress)
        features.require_finite(str(job.path))
    except WriteError:
        raise
    except InputError as error:
        return Outcome(job, "failed", str(error), seconds=time.monotonic() - started_s)
    store.write(job.video, features, provenance)
    return Outcome(job, "extracted", "", features.duration_s, time.monotonic() - started_s)


def extract_in_turn(
    jobs: Iterable[Job | T], extractor: Extractor, store: Store, watch: Callable[[Job], Progress | None]
) -> Iterator[Outcome | T]:
    """The outcomes of jobs in this process, as they come; what is no job among them is passed on in its place.

    ``watch`` is called before each job; what it returns is told how far the file is read.
    """
    for job in jobs:
        yield extract_one(job, extractor, store, watch(job)) if isinstance(job, Job) else job


def _has(store: Store, video: str, extractor: Extractor, provenance: Provenance) -> bool:
    """Whether the store holds sound features of just this content, made just so."""
    if video not in store:
        return False
    try:
        return store.read(video).extractor == extractor.name and store.provenance(video) == provenance
    except InputError:
        # Damaged, or of another extractor: the first is made anew, the second refused by the store when written.
        return False
