"""Whether a library is whole: what is wrong with it, and what a run that was killed left unfinished."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from asst.errors import InputError
from asst.features.hashing import content_hash
from asst.library.folder import LibraryFolder, SharedLock
from asst.library.tables import Video
from asst.video import is_jpeg


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, of so many videos: a line on what is wrong with each faulty content.

    Contents are unfinished that have features or windows and no file; indexing again finishes them, if they are given.
    Files are changed, a line each, that hold other bytes than those that were indexed, or cannot be read.
    """

    videos: int
    faults: dict[str, str]
    unfinished: tuple[str, ...]
    changed: tuple[str, ...] = ()


def verify(library: LibraryFolder, told: Callable[[int, int], None] = lambda *_: None) -> Verdict:
    """Reads all of a library, and then its videos' files, to hash them.

    Nothing is written and no lock taken: others may write meanwhile, so that whatever looks wrong is looked up anew.
    ``told`` is called with how many files have been hashed, and of how many. Raises an `InputError` if its tables
    cannot be read.
    """
    files = library.tables.videos()
    windows = library.tables.window_counts()
    kept = {*windows, *library.features.videos()}
    faults: dict[str, str] = {}
    for video in {video.content: video for video in files}.values():
        if _wrong(library, video, windows.get(video.content, 0)) and (fault := _fault(library, video.content)):
            faults[video.content] = fault
    unfinished = kept - {video.content for video in library.tables.videos()}
    return Verdict(len(files), faults, tuple(sorted(unfinished)), _changed(library, files, told))


def _changed(library: LibraryFolder, files: list[Video], told: Callable[[int, int], None]) -> tuple[str, ...]:
    """What is wrong with files. Not under the lock, as it may take hours, so that a difference is looked up anew."""
    changed = []
    for done, video in enumerate(files):
        told(done, len(files))
        if not Path(video.path).exists():
            continue
        try:
            content = content_hash(Path(video.path))
        except InputError as error:
            changed.append(str(error))
            continue
        if content != video.content and any(now.content != content for now in library.tables.videos(path=video.path)):
            changed.append(f"{video.path}: has changed since it was indexed; index it again with --rehash")
    return tuple(changed)


def repair(library: LibraryFolder, verdict: Verdict) -> int:
    """Deletes what is still faulty or unfinished, so many contents; indexing the files again makes them anew.

    Raises an `InputError` while files are being indexed: what they have not finished is no fault.
    """
    with SharedLock(library.indexing_lock) as lock:
        if not lock.alone():
            raise InputError(f"{library.folder} is being indexed; repair it when that has ended")
        wrong = [content for content in verdict.faults if _fault(library, content)]
        wrong += [content for content in verdict.unfinished if not library.tables.videos(content=content)]
        for content in wrong:
            library.drop_content(content)
    return len(wrong)


def _fault(library: LibraryFolder, content: str) -> str:
    """What is wrong with a content as of now, with the path of a file of it; nothing where the library has none."""
    videos = library.tables.videos(content=content)
    wrong = _wrong(library, videos[0], library.tables.rows(content)) if videos else ""
    return f"{videos[0].path}: {wrong}" if wrong else ""


def _wrong(library: LibraryFolder, video: Video, windows: int) -> str:
    """What is wrong with one content, or nothing."""
    try:
        features = library.features.read(video.content)
        if library.features.provenance(video.content).content != video.content:
            return "its features are of another file"
    except InputError as error:
        return str(error)
    if features.extractor != library.identity.extractor:
        return f"its features are of {features.extractor}"
    if windows != video.rows:
        return f"it has {windows} windows' vectors and should have {video.rows}"
    with suppress(OSError):
        if is_jpeg(library.picture(video.content).read_bytes()):
            return ""
    return "its strip of pictures is damaged"
