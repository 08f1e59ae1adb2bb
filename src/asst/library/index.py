"""Files into a library: what it has is skipped, what has moved is known by its content, a fault stops no other file.

A file of the same path, size and time of change as before is taken to be the same; any other is known by its hash.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from asst.atomic import write_whole
from asst.errors import InputError, WriteError
from asst.features.extract import Job, Outcome, extract_by_cluster, extract_by_workers, extract_in_turn
from asst.features.extractor import Progress
from asst.features.hashing import content_hash
from asst.features.video_files import video_files
from asst.library.engine import Engine
from asst.library.folder import LibraryFolder, SharedLock, Stamp
from asst.library.tables import Video
from asst.local import canonical, local_path
from asst.video import STILL, frames, jpeg, probe

Copy = tuple[Path, Stamp]
"""One of the files of a content."""

PICTURES = 8
"""Of a video, in its strip."""
_SHORT_SIDE = 72
_PARTS = ".*.part"
_ABANDONED_S = 3600.0
# File systems tell times apart by up to two seconds (FAT): in a file younger than that, a change might not show.
_SETTLED_NS = 2_000_000_000


def index(
    paths: Sequence[Path],
    library: LibraryFolder,
    engine: Engine,
    *,
    workers: int = 1,
    cluster: bool = False,
    rehash: bool = False,
    watch: Callable[[Job], Progress | None] = lambda _: None,
) -> Iterator[Outcome]:
    """Brings files and the videos of folders into a library; what becomes of each file, as it comes.

    It may be killed at any moment and run again, and run several times at once: what is there is whole, and what is
    not is done anew. A second run begins with the last file. Raises an `InputError` for a folder without a video, or
    when the library cannot be written.

    Args:
        paths: files and folders.
        library: takes them.
        engine: makes features and windows.
        workers: processes that read videos, or with ``cluster`` actors of Ray.
        cluster: whether Ray spreads the work.
        rehash: hash all files, also those whose size and time of change are as they were.
        watch: called before each file that is read in this process; what it returns is told how far it is read.
    """
    files = listed(paths)
    with SharedLock(library.indexing_lock) as lock:
        if lock.alone():
            _drop_parts(library)
        else:
            files.reverse()
        lock.share()
        waiting: dict[str, list[Copy]] = {}
        jobs = _examined(files, library, waiting, rehash=rehash)
        if cluster or workers > 1:
            extract = extract_by_cluster if cluster else extract_by_workers
            extracted = extract(jobs, engine.extraction(library.features.folder), workers)
        else:
            extracted = extract_in_turn(jobs, engine.model.extractor, library.features, watch)
        for done in extracted:
            # What is not extracted has been dealt with.
            copies = waiting.pop(done.job.content, None)
            yield from [done] if copies is None else _finished(done, copies, library, engine)


def _examined(
    files: list[Path], library: LibraryFolder, waiting: dict[str, list[Copy]], *, rehash: bool
) -> Iterator[Job | Outcome]:
    """What becomes of each file that the library has, and a job for each content that it has not, one file at a time.

    ``waiting`` takes the files of each content whose job is not done.
    """
    by_path = {} if rehash else {video.path: video for video in library.tables.videos()}
    for file in files:
        try:
            stamp = stamp_of(file)
            video = by_path.get(str(file))
            if video and stamp.mtime_ns and stamp == (video.size, video.mtime_ns) and video.content in library.features:
                yield Outcome(_named(file), "kept")
                continue
            content = content_hash(file)
        except InputError as error:
            yield Outcome(_named(file), "failed", str(error))
            continue
        if content in waiting:
            waiting[content].append((file, stamp))
        elif content in library.features and (state := library.place(str(file), content, stamp)):
            yield Outcome(_named(file), state)
        else:
            waiting[content] = [(file, stamp)]
            yield Job(file, content, content)


def _named(path: Path) -> Job:
    """A file in an outcome, which is called by its name there and not by its hash."""
    return Job(path, path.name)


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file, to be taken before it is read, so that a change shows; an `InputError` if there is none."""
    try:
        facts = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    settled = time.time_ns() - facts.st_mtime_ns > _SETTLED_NS
    return Stamp(facts.st_size, facts.st_mtime_ns if settled else 0)


def listed(paths: Sequence[Path]) -> list[Path]:
    """The files to index, those of folders too, each once and by its `canonical` path, in the order given.

    Raises an `InputError` for a folder without a video, or an address.
    """
    local = [local_path(path, "a video") for path in paths]
    return list(dict.fromkeys(canonical(file) for path in local for file in video_files(path)))


def _drop_parts(library: LibraryFolder) -> None:
    """Deletes what processes that were killed had begun to write, and nothing that one may still be writing.

    The caller alone holds the lock of indexing, and whoever writes settings or corrections holds the lock of rows.
    Uploads and the array of windows are written without a lock: of those go the parts that have long not grown.
    """
    folder = library.folder
    for part in (*(folder / "features").glob(_PARTS), *(folder / "pictures").glob(_PARTS)):
        part.unlink(missing_ok=True)
    with library.writing():
        for part in folder.glob(_PARTS):
            part.unlink(missing_ok=True)
    abandoned = time.time() - _ABANDONED_S
    for part in (*library.matrix.rglob(_PARTS), *library.uploads.rglob(_PARTS)):
        with suppress(OSError):
            if part.stat().st_mtime < abandoned:
                part.unlink()
                if part.is_relative_to(library.uploads):
                    part.parent.rmdir()


def _finished(outcome: Outcome, copies: list[Copy], library: LibraryFolder, engine: Engine) -> Iterator[Outcome]:
    """Makes what a file's features allow, and the rows of all its copies."""
    (path, stamp), content = copies[0], outcome.job.video
    try:
        if outcome.state == "failed":
            raise InputError(outcome.reason)
        # Another run may have done it since.
        if not library.place(str(path), content, stamp):
            features, info = library.features.read(content), probe(path)
            write_strip(path, info.duration_s, library.picture(content))
            if not (stamp.mtime_ns and stamp_of(path) == stamp) and content_hash(path) != content:
                library.drop_content(content)
                raise InputError(f"{path}: changed while it was read; index it again")
            windows = engine.windows(features)
            facts = (info.duration_s, info.width, info.height, stamp.size, len(windows), stamp.mtime_ns)
            library.add(Video(str(path), content, *facts), windows)
    except WriteError:
        raise
    except InputError as error:
        yield from (Outcome(_named(path), "failed", str(error), seconds=outcome.seconds) for path, _ in copies)
        return
    yield Outcome(_named(path), "indexed", "", outcome.video_s, outcome.seconds)
    for path, stamp in copies[1:]:
        if state := library.place(str(path), content, stamp):
            yield Outcome(_named(path), state)
        else:
            yield Outcome(_named(path), "failed", f"{path}: was removed from the library meanwhile; index it again")


def write_strip(video: Path, duration_s: float, path: Path) -> None:
    """Writes `PICTURES` pictures of a video side by side, each from the middle of an equal share of it.

    Raises an `InputError` if the video cannot be read, or the strip not written.
    """
    times_s = [(k + 0.5) / PICTURES * duration_s for k in range(PICTURES)]
    pictures = [
        pixels
        for batch in frames(video, times_s=times_s, short_side=_SHORT_SIDE, crop=STILL, threads=1)
        for pixels in batch.pixels
    ]
    write_whole(path, jpeg(np.concatenate(pictures, axis=1)))


def missing(library: LibraryFolder) -> list[Video]:
    """The videos whose files are no longer where they were."""
    return [video for video in library.tables.videos() if not Path(video.path).exists()]
