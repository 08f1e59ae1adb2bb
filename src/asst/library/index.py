"""Files into a library: what it has is skipped, what has moved is known by its content, a fault stops no other file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asst.errors import InputError
from asst.features.content import content_hash
from asst.features.extract import Job, Outcome, extract_in_turn, video_files
from asst.features.extractor import Progress
from asst.library.engine import Engine
from asst.library.library import Library
from asst.library.pictures import write_strip
from asst.library.tables import Video
from asst.video import probe

State = Literal["indexed", "kept", "moved", "copied", "failed"]
_STATES: dict[str, State] = {"kept": "kept", "moved": "moved", "copied": "copied"}


@dataclass(frozen=True, slots=True)
class Indexed:
    """What became of a file.

    Attributes:
        path: the file.
        state: ``indexed``; ``kept``, where the library had it; ``moved``, where it had it under a path that is gone;
            ``copied``, where it has it under another path too; or ``failed``.
        reason: one line on what is wrong, for a failure.
        video_s: seconds of video that were read.
        seconds: time that reading them took.
    """

    path: Path
    state: State
    reason: str = ""
    video_s: float = 0.0
    seconds: float = 0.0


def index(
    paths: Sequence[Path],
    library: Library,
    engine: Engine,
    *,
    workers: int = 1,
    cluster: bool = False,
    watch: Callable[[Job], Progress | None] = lambda _: None,
) -> Iterator[Indexed]:
    """Brings files and the videos of folders into a library; what becomes of each file, as it comes.

    It may be killed at any moment and run again, and run several times at once: what is there is whole, and what is
    not is done anew. A second run begins with the last file.

    Args:
        paths: files and folders.
        library: takes them.
        engine: makes features and windows.
        workers: processes that read videos, or actors.
        cluster: whether Ray spreads the work.
        watch: called before each file that is read in this process; what it returns is told how far it is read.

    Raises:
        InputError: for a folder without a video, or when the library cannot be written.
    """
    from filelock import FileLock, Timeout

    files = listed(paths)
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(library.indexing_lock, blocking=False))
            _drop_parts(library)
        except Timeout:
            files.reverse()
        known = {video.content for video in library.tables.videos()}
        by_content: dict[str, list[Path]] = {}
        for file in files:
            try:
                content = content_hash(file)
            except InputError as error:
                yield Indexed(file, "failed", str(error))
                continue
            state = library.place(str(file), content) if content in known else ""
            if state:
                yield Indexed(file, _STATES[state])
            else:
                by_content.setdefault(content, []).append(file)
        jobs = [Job(copies[0], content) for content, copies in by_content.items()]
        for outcome in _extracted(jobs, library, engine, workers, cluster, watch):
            yield from _finished(outcome, by_content[outcome.job.video], library, engine)


def listed(paths: Sequence[Path]) -> list[Path]:
    """The files to index, each once, absolute, in the order given; a folder stands for the videos at and under it.

    Raises:
        InputError: for a folder without a video.
    """
    return list(dict.fromkeys(file.absolute() for path in paths for file in video_files(path)))


def _drop_parts(library: Library) -> None:
    """Deletes what runs that were killed had begun to write; nobody else is writing now."""
    for part in library.folder.rglob(".*.part"):
        part.unlink(missing_ok=True)


def _extracted(
    jobs: list[Job],
    library: Library,
    engine: Engine,
    workers: int,
    cluster: bool,
    watch: Callable[[Job], Progress | None],
) -> Iterator[Outcome]:
    if cluster:
        from asst.features.cluster import extract_by_cluster

        return extract_by_cluster(jobs, engine.extraction(library.features.folder), workers)
    if workers > 1 and jobs:
        from asst.features.workers import extract_by_workers

        return extract_by_workers(jobs, engine.extraction(library.features.folder), min(workers, len(jobs)))
    return extract_in_turn(jobs, engine.extractor, library.features, watch)


def _finished(outcome: Outcome, copies: list[Path], library: Library, engine: Engine) -> Iterator[Indexed]:
    """Makes what a file's features allow, and the rows of all its copies."""
    first, content = outcome.job.path, outcome.job.video
    try:
        if outcome.state == "failed":
            raise InputError(outcome.reason)
        # Another run may have done it since.
        if not library.place(str(first), content):
            _add(first, content, library, engine)
    except InputError as error:
        yield from (Indexed(path, "failed", str(error), seconds=outcome.seconds) for path in copies)
        return
    yield Indexed(first, "indexed", "", outcome.video_s, outcome.seconds)
    for copy in copies[1:]:
        state = library.place(str(copy), content)
        if state:
            yield Indexed(copy, _STATES[state])
        else:
            yield Indexed(copy, "failed", f"{copy}: was removed from the library meanwhile; index it again")


def _add(path: Path, content: str, library: Library, engine: Engine) -> None:
    if library.features.provenance(content).content != content:
        library.drop_content(content)
        raise InputError(f"{path}: changed while it was read; index it again")
    features = library.features.read(content)
    info = probe(path)
    write_strip(path, info.duration_s, library.picture(content))
    windows = engine.windows(features)
    size = path.stat().st_size
    library.add(Video(str(path), content, info.duration_s, info.width, info.height, size, len(windows)), windows)


def missing(library: Library) -> list[Video]:
    """The videos whose files are no longer where they were."""
    return [video for video in library.tables.videos() if not Path(video.path).exists()]
