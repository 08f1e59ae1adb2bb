"""Video files to a feature store: what is there already is kept, a fault in one file stops no other.

They are extracted one after the other, by several processes of this machine, each with an extractor of its own, or by
Ray Data, on this machine or the cluster that it is connected to.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from asst.errors import InputError, WriteError
from asst.extras import require
from asst.features.extractor import Extractor, Progress, extractor_named
from asst.features.hashing import content_hash
from asst.features.stores.native import Provenance, Store
from asst.features.video_files import VIDEO_EXTENSIONS, video_files

Naming = Literal["stem", "name", "path"]


@dataclass(frozen=True, slots=True)
class Job:
    """One file to extract: its path, its name in the store, and the hash of its bytes where that is known already."""

    path: Path
    video: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: why it failed, seconds of video that were read, and seconds that it took.

    A library says ``indexed`` of a file; ``kept``, where it had it; ``moved``, where it had it under a path that is
    gone; ``copied``, where it has it under another path too.
    """

    job: Job
    state: Literal["extracted", "indexed", "kept", "moved", "copied", "failed"]
    reason: str = ""
    video_s: float = 0.0
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """The video's, in the store, or in a library the file's."""
        return self.job.video

    @property
    def path(self) -> Path:
        """Of the file."""
        return self.job.path


def jobs_of(paths: Sequence[Path], naming: Naming = "stem") -> list[Job]:
    """The files to extract, in the order given; a folder stands for the videos at and under it, by name.

    A file that is named is taken whatever its ending; one that is missing or no video fails when its turn comes. In the
    store a video is called by its file's name without the last ending (``stem``), with it (``name``), or, within a
    folder, its path from there (``path``). An `InputError` for two files of one name, or a folder without a video.
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


def extract_one(job: Job, extractor: Extractor, store: Store, progress: Progress | None = None) -> Outcome:
    """Features of one file into the store, unless it has them from the same content, made just so.

    A fault of the file is an outcome. A WriteError if the store, or what is kept on disk meanwhile, cannot be written;
    an `InputError` if the store holds another extractor's features.
    """
    started_s = time.monotonic()
    try:
        content = job.content or content_hash(job.path)
        made = extractor.preprocessing, content, extractor.weights
        provenance = Provenance(*made, extractor.flow, extractor.precision)
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
    jobs: Iterable[Job | Outcome], extractor: Extractor, store: Store, watch: Callable[[Job], Progress | None]
) -> Iterator[Outcome]:
    """The outcomes of jobs in this process, as they come; one among the jobs is passed on in its place.

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


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a worker must know, wherever it runs; zero threads leaves their number to the libraries."""

    extractor: str
    weights: Path | None
    store: Path
    threads: int = 0

    def build(self) -> tuple[Extractor, Store]:
        """The extractor and the store; raises InputError if the extractor or its weights are not here."""
        if self.threads:
            # Read by the libraries of networks when they are imported.
            os.environ["OMP_NUM_THREADS"] = str(self.threads)
        return self._extractor(), Store(self.store)

    def _extractor(self) -> Extractor:
        return extractor_named(self.extractor, self.weights)


def extract_by_workers(jobs: Iterable[Job | Outcome], extraction: Extraction, workers: int) -> Iterator[Outcome]:
    """The outcomes of jobs, as they come; one among the jobs is passed on.

    A worker that dies, for want of memory or by a fault in a decoder, is replaced. The files that were being read then
    are read again one by one; one with which a worker dies again is given up. Jobs are taken shortly before their turn
    comes.

    Raises:
        InputError: if the extractor cannot be built.
        WriteError: if the store cannot be written.
    """
    own = replace(extraction, threads=max(1, (os.cpu_count() or 1) // workers))
    coming = iter(jobs)
    while left := (yield from _until_a_death(coming, own, workers)):
        suspects, coming = left[:workers], chain(left[workers:], coming)
        for job in suspects:
            # Alone, so that the file at fault is found and no other suffers for it.
            if (yield from _until_a_death(iter([job]), own, 1)):
                reason = f"{job.path}: the process that read it died; it may need more memory than there is"
                yield Outcome(job, "failed", reason)


def _until_a_death(
    jobs: Iterator[Job | Outcome], extraction: Extraction, workers: int
) -> Generator[Outcome, None, list[Job]]:
    """Does jobs until all are done or a worker dies; returns those taken and not done, first those under way."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"))
    taken: dict[str, Job] = {}
    waiting: set[Future[Outcome]] = set()
    try:
        for job in jobs:
            if not isinstance(job, Job):
                yield job
                continue
            taken[job.video] = job
            waiting.add(pool.submit(_work, extraction, job))
            # One more a worker, so that none waits while the next is looked at.
            ended, waiting = wait(waiting, None if len(waiting) > workers else 0, FIRST_COMPLETED)
            yield from _outcomes(ended, taken)
        yield from _outcomes(as_completed(waiting), taken)
    except BrokenProcessPool:
        return list(taken.values())
    finally:
        pool.shutdown(cancel_futures=True)
    return []


def _outcomes(ended: Iterable[Future[Outcome]], taken: dict[str, Job]) -> Iterator[Outcome]:
    for future in ended:
        outcome = future.result()
        del taken[outcome.job.video]
        yield outcome


@cache
def _built(extraction: Extraction) -> tuple[Extractor, Store]:
    """Of this process."""
    return extraction.build()


def _work(extraction: Extraction, job: Job) -> Outcome:
    return extract_one(job, *_built(extraction))


class _Actor:
    """Builds the extractor once, and extracts job after job."""

    def __init__(self, extraction: Extraction) -> None:
        self._built = extraction.build()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"outcome": extract_one(row["job"], *self._built)}
        except WriteError as error:
            # Raised here it would come as a report of Ray's.
            return {"outcome": error}


def extract_by_cluster(jobs: Iterable[Job | Outcome], extraction: Extraction, workers: int) -> Iterator[Outcome]:
    """The outcomes of jobs, as they come; one among the jobs is passed on. All are taken first.

    Files and store must be reachable by the same paths from every machine. An actor, which has one core, is started
    anew if it dies, and its file read again; a file is written whole or not at all, so that nothing is lost or doubled.
    Raises an `InputError` if Ray is not installed, or the extractor or its weights are not here.
    """
    by_video: dict[str, Job] = {}
    for job in jobs:
        if isinstance(job, Job):
            by_video[job.video] = job
        else:
            yield job
    if not by_video:
        return
    require("cluster", "--cluster")
    import ray
    import ray.data

    extraction.build()
    started = not ray.is_initialized()
    if started:
        # A cluster that RAY_ADDRESS names, else this machine.
        ray.init(log_to_driver=False, include_dashboard=False, configure_logging=False)
    try:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = 0
        rows = [{"job": replace(job, path=job.path.absolute())} for job in by_video.values()]
        weights = extraction.weights.absolute() if extraction.weights else None
        absolute = replace(extraction, store=extraction.store.absolute(), weights=weights, threads=1)
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            _Actor,  # type: ignore[arg-type]  # it also takes a class, whose objects are called
            fn_constructor_args=(absolute,),
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
            num_cpus=1,
        )
        for row in done.iter_rows():
            if isinstance(row["outcome"], WriteError):
                raise row["outcome"]
            yield replace(row["outcome"], job=by_video[row["outcome"].job.video])
    finally:
        if started:
            ray.shutdown()
