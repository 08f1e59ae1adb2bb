"""Whether a library is whole: what is wrong with it, and what a run that was killed left unfinished."""

from __future__ import annotations

from dataclasses import dataclass

from asst.errors import InputError
from asst.features.spill import all_finite
from asst.library.library import Library
from asst.library.tables import Video


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Attributes:
        videos: how many files the library knows.
        faults: by content, one line on what is wrong with it.
        unfinished: contents that have features or windows and no file; indexing again finishes them, if they are given.
    """

    videos: int
    faults: dict[str, str]
    unfinished: tuple[str, ...]


def verify(library: Library) -> Verdict:
    """Reads all of a library, waiting for a write that is under way.

    Raises:
        InputError: if its tables cannot be read.
    """
    with library.writing() as tables:
        videos = {video.content: video for video in tables.videos()}
        count = len(tables.videos())
        windows = tables.window_counts()
        faults: dict[str, str] = {}
        for content, video in videos.items():
            wrong = _wrong(library, video, windows.get(content, 0))
            if wrong:
                faults[content] = f"{video.path}: {wrong}"
        unfinished = sorted({*windows, *library.features.videos()} - videos.keys())
    return Verdict(count, faults, tuple(unfinished))


def repair(library: Library, verdict: Verdict) -> None:
    """Deletes what is faulty or unfinished; indexing the files again makes it anew.

    Raises:
        InputError: while files are being indexed: what they have not finished is no fault.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(library.indexing_lock, blocking=False):
            for content in (*verdict.faults, *verdict.unfinished):
                library.drop_content(content)
    except Timeout as error:
        raise InputError(f"{library.folder} is being indexed; repair it when that has ended") from error


def _wrong(library: Library, video: Video, windows: int) -> str:
    """What is wrong with one content, or nothing."""
    try:
        features = library.features.read(video.content)
        if library.features.provenance(video.content).content != video.content:
            return "its features are of another file"
    except InputError as error:
        return str(error)
    if features.extractor != library.identity.extractor:
        return f"its features are of {features.extractor}"
    if not all_finite(features.vectors):
        return "its features hold a number that is not finite"
    if windows != video.rows:
        return f"it has {windows} windows' vectors and should have {video.rows}"
    return _wrong_picture(library, video.content)


def _wrong_picture(library: Library, content: str) -> str:
    from PIL import Image

    try:
        with Image.open(library.picture(content)) as picture:
            picture.load()
    except (OSError, ValueError):
        return "its strip of pictures is damaged"
    return ""
