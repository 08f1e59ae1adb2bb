"""Extraction by several processes of this machine, each with an extractor of its own, or by Ray Data on a cluster."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from asst.errors import InputError, WriteError
from asst.extras import require
from asst.features.extract import Job, Outcome, extract_one
from asst.features.extractor import Extractor, extractor_named
from asst.features.stores.native import Store

T = TypeVar("T")


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


def extract_by_workers(jobs: Iterable[Job | T], extraction: Extraction, workers: int) -> Iterator[Outcome | T]:
    """The outcomes of jobs, as they come.

    A worker that dies, for want of memory or by a fault in a decoder, is replaced. The files that were being read then
    are read again one by one; one with which a worker dies again is given up.

    Jobs are taken shortly before their turn comes; what is no job among them is passed on.

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
    jobs: Iterator[Job | T], extraction: Extraction, workers: int
) -> Generator[Outcome | T, None, list[Job]]:
    """Does jobs until all are done or a worker dies; returns those taken and not done, first those under way."""
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (extraction,))
    taken: dict[str, Job] = {}
    waiting: set[Future[Outcome]] = set()
    try:
        for job in jobs:
            if not isinstance(job, Job):
                yield job
                continue
            taken[job.video] = job
            waiting.add(pool.submit(_work, job))
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


_BUILT: tuple[Extractor, Store] | None = None
_FAULT: InputError | None = None


def _start(extraction: Extraction) -> None:
    global _BUILT, _FAULT
    try:
        _BUILT = extraction.build()
    except InputError as error:
        _FAULT = error


def _work(job: Job) -> Outcome:
    if _BUILT is None:
        raise _FAULT or RuntimeError("a worker was asked before it was started")
    return extract_one(job, *_BUILT)


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


def extract_by_cluster(jobs: Iterable[Job | T], extraction: Extraction, workers: int) -> Iterator[Outcome | T]:
    """The outcomes of jobs, as they come.

    Files and store must be reachable by the same paths from every machine. An actor that dies is started anew and its
    file read again; a file is written whole or not at all, so that nothing is lost or doubled.

    Jobs are all taken first, and what is no job among them is passed on. An actor has one core.

    Raises:
        InputError: if Ray is not installed, or the extractor or its weights are not here.
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
