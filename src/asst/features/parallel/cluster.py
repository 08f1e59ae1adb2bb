"""Extraction by Ray Data, on this machine or the cluster that it is connected to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from asst.errors import WriteError
from asst.extras import require
from asst.features.extract import Job, Outcome, extract_one
from asst.features.parallel.workers import Extraction

T = TypeVar("T")

_UNWRITABLE = "unwritable"


class Extracting:
    """What a Ray actor does: builds the extractor once, and extracts row after row."""

    def __init__(self, extraction: Extraction) -> None:
        self._extractor, self._store = extraction.build()

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """One row, ``path`` and ``video``, to the same with what became of it."""
        job = Job(Path(os.fsdecode(row["path"])), row["video"], row["content"])
        try:
            outcome = extract_one(job, self._extractor, self._store)
        except WriteError as error:
            # Raised here it would come as a report of Ray's.
            return {**row, "state": _UNWRITABLE, "reason": error.args, "video_s": 0.0, "seconds": 0.0}
        return {
            "path": row["path"],
            "video": row["video"],
            "state": outcome.state,
            "reason": ("", outcome.reason),
            "video_s": outcome.video_s,
            "seconds": outcome.seconds,
        }


def extract_by_cluster(jobs: Iterable[Job | T], extraction: Extraction, workers: int) -> Iterator[Outcome | T]:
    """The outcomes of jobs, as they come.

    Files and store must be reachable by the same paths from every machine. An actor that dies is started anew and its
    file read again; a file is written whole or not at all, so that nothing is lost or doubled.

    Args:
        jobs: to do, all taken first; what is no job among them is passed on.
        extraction: how.
        workers: actors, of one core each.

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
        rows = [
            {"path": os.fsencode(job.path.absolute()), "video": job.video, "content": job.content}
            for job in by_video.values()
        ]
        absolute = replace(
            extraction,
            store=extraction.store.absolute(),
            weights=extraction.weights.absolute() if extraction.weights else None,
            threads=1,
        )
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            Extracting,  # type: ignore[arg-type]  # it also takes a class, whose objects are called
            fn_constructor_args=(absolute,),
            compute=ray.data.ActorPoolStrategy(size=min(workers, len(rows))),
            num_cpus=1,
        )
        for row in done.iter_rows():
            path, reason = row["reason"]
            if row["state"] == _UNWRITABLE:
                raise WriteError(path, reason)
            yield Outcome(by_video[row["video"]], row["state"], reason, row["video_s"], row["seconds"])
    finally:
        if started:
            ray.shutdown()
