"""A library's folder: what is in it, who may write, and how a video comes and goes.

``library.json``  the schema and what the numbers were made with; written last, so that a library is whole or none
``features/``     a store of features, one file a content
``pictures/``     a strip of small pictures of each content, JPEG
``tables/``       LanceDB's: the videos and their windows
``matrix/``       the windows again, as arrays that are searched; made and appended to when needed
``uploads/``      files that came through the page
``corrections.jsonl``  what users said of answers

All writes of rows happen under a lock that dies with its process.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, Self

from asst.atomic import write_error, write_whole
from asst.errors import InputError, counted
from asst.features.stores.native import SUFFIX, Store, file_name
from asst.library.engine import Identity
from asst.library.tables import Tables, Video
from asst.library.windows import WindowVectors
from asst.local import canonical, local_path

SCHEMA = 2
_SETTINGS = "library.json"
_FOLDERS = ("features", "pictures", "tables", "matrix", "uploads")
_CORRECTIONS = "corrections.jsonl"
_LOCKS = ("rows.lock", "indexing.lock", "uploads.lock")
REMOVED = ".removed"
"""Beside an upload that was removed from the library, so that it is not taken for one that waits."""
_WRITES_A_TIDYING = 64

Placed = Literal["", "kept", "moved", "copied"]
"""What `LibraryFolder.place` did."""


class Stamp(NamedTuple):
    """A file's size in bytes, and when it was last changed, in nanoseconds since 1970; 0 where that says nothing."""

    size: int
    mtime_ns: int


class LibraryFolder:
    """A library that is there. Indexing, searching and whatever else has a file of its own take it as an argument.

    Of its locks, whoever writes rows or corrections holds that of rows; all who index hold that of indexing together,
    and who repairs alone; likewise that of uploads all servers, and alone who looks for what another left behind.
    Raises an `InputError` if there is none, or one of another schema, or for an address such as ``s3://bucket/folder``.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = local_path(folder, "a library")
        self.identity = _identity(self.folder)
        self.features = Store(self.folder / "features")
        self.uploads, self.matrix = canonical(self.folder / "uploads"), self.folder / "matrix"
        self.corrections = self.folder / _CORRECTIONS
        self.rows_lock, self.indexing_lock, self.uploads_lock = (self.folder / name for name in _LOCKS)
        self._writes = 0

    def __repr__(self) -> str:
        videos = counted(len(self.tables.videos()), "video")
        return f"{type(self).__name__}({self.folder}: {videos}, model {self.identity.model})"

    @classmethod
    def made(cls, folder: str | Path, identity: Identity, *, rebuild: bool = False) -> Self:
        """The library in a folder, made if there is none; ``rebuild`` makes all but the features anew.

        Raises an `InputError` if the folder holds something else, or a library of another schema or identity.
        """
        folder = local_path(folder, "a library")
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder}: is a file; a library is a folder")
        known = {_SETTINGS, _CORRECTIONS, *_FOLDERS, *_LOCKS}
        for name in (path.name for path in folder.iterdir()) if folder.is_dir() else ():
            if name not in known and not (name.startswith(".") and name.endswith(".part")):
                raise InputError(f"{folder} holds {name} and is no library; name an empty or a new folder")
        # One that is there is not written to, as it may be on a disk that cannot be.
        if rebuild or not (folder / _SETTINGS).exists():
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise write_error(folder, error) from error
            with locked(folder / _LOCKS[0]):
                if rebuild:
                    if stated(folder, "extractor") not in ("", identity.extractor):
                        shutil.rmtree(folder / "features", ignore_errors=True)
                    (folder / _SETTINGS).unlink(missing_ok=True)
                if not (folder / _SETTINGS).exists():
                    for name in ("pictures", "tables", "matrix"):
                        if (folder / name).exists():
                            shutil.rmtree(folder / name)
                    Tables(folder / "tables", identity.dimension)
                    settings = {"schema": SCHEMA, **asdict(identity)}
                    write_whole(folder / _SETTINGS, json.dumps(settings, indent=2, allow_nan=False) + "\n")
        library = cls(folder)
        library.check(identity)
        return library

    @cached_property
    def tables(self) -> Tables:
        """Its tables; opened when they are first asked for."""
        return Tables(self.folder / "tables", self.identity.dimension)

    def check(self, identity: Identity) -> None:
        """Checks that its numbers were made with these settings; models may differ that read the same numbers.

        Raises an `InputError` naming what differs.
        """
        ours, theirs = asdict(identity), asdict(self.identity)
        different = [name for name in ours if name != "model" and ours[name] != theirs[name]]
        if different and identity.model != self.identity.model:
            raise InputError(
                f"{self.folder} was made with the model {self.identity.model}, and {identity.model} reads other "
                f"numbers; use --model {self.identity.model}, or make it anew with --rebuild"
            )
        if different:
            raise _to_rebuild(f"was made with another {' and '.join(different)} than this asst has", self.folder)

    @contextmanager
    def writing(self) -> Iterator[Tables]:
        """Lends the tables to one process at a time."""
        with locked(self.rows_lock):
            yield self.tables
            self._writes += 1
            if self._writes % _WRITES_A_TIDYING == 0:
                self.tables.tidy()

    def picture(self, content: str) -> Path:
        """The strip of pictures of a content."""
        return self.folder / "pictures" / f"{file_name(content)}.jpg"

    def place(self, path: str, content: str, stamp: Stamp) -> Placed:
        """Gives a content that the library has the path of a file, whose stamp was taken before it was read.

        It was ``kept`` where it has it; ``moved`` where another path of this content is gone, or is another name of the
        file, and now replaced; else ``copied``. Empty where the library does not have the content.
        """
        with self.writing() as tables:
            known = tables.videos(content=content)
            if not known or content not in self.features:
                return ""
            if same := next((video for video in known if video.path == path), None):
                if same.mtime_ns != stamp.mtime_ns:
                    tables.put_video(replace(same, mtime_ns=stamp.mtime_ns))
                return "kept"
            others = (Path(video.path) for video in known)
            gone = next((str(own) for own in others if not own.exists() or str(canonical(own)) == path), None)
            replaced = tables.videos(path=path)
            tables.put_video(replace(known[0], path=path, mtime_ns=stamp.mtime_ns))
            if gone is not None:
                tables.drop_video(gone)
            self._drop_unused(tables, replaced)
            return "moved" if gone is not None else "copied"

    def add(self, video: Video, windows: WindowVectors) -> None:
        """Keeps a video whose features and pictures are written; the row that makes it known comes last."""
        with self.writing() as tables:
            replaced = tables.videos(path=video.path)
            known = tables.videos(content=video.content)
            if not known:
                tables.put_windows(video.content, windows)
            tables.put_video(video)
            self._drop_unused(tables, replaced)

    def remove(self, videos: list[Video]) -> None:
        """Forgets videos, and what was made of contents that no other video has. The files themselves stay."""
        with self.writing() as tables:
            for path in (Path(video.path) for video in videos):
                if path.is_relative_to(self.uploads) and path.exists():
                    path.with_name(REMOVED).touch()
                tables.drop_video(str(path))
            self._drop_unused(tables, videos)

    def drop_content(self, content: str) -> None:
        """Deletes all that was made of a content, the rows of its videos included."""
        with self.writing() as tables:
            for video in tables.videos(content=content):
                tables.drop_video(video.path)
            self._forget(tables, content)

    def _drop_unused(self, tables: Tables, videos: list[Video]) -> None:
        for content in {video.content for video in videos}:
            if not tables.videos(content=content):
                self._forget(tables, content)

    def _forget(self, tables: Tables, content: str) -> None:
        tables.drop_windows(content)
        self.picture(content).unlink(missing_ok=True)
        (self.features.folder / f"{file_name(content)}{SUFFIX}").unlink(missing_ok=True)


def stated(folder: Path, name: str) -> str:
    """A setting of a library; empty where there is none, or it cannot be read."""
    try:
        return str(json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))[name])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return ""


class SharedLock:
    """A lock that many hold at once, or one alone, who may then tidy up; a context manager.

    Raises a `WriteError` if the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise write_error(path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def alone(self, *, wait: bool = False) -> bool:
        """Takes it alone; without ``wait`` unless another process or thread holds it. Whether that was so."""
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Takes it with others, or lets them take it too; waits for one who has it alone."""
        import fcntl

        fcntl.flock(self._file, fcntl.LOCK_SH)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock alone, once it is free; a `WriteError` if it cannot be written."""
    with SharedLock(path) as lock:
        lock.alone(wait=True)
        yield


def _identity(folder: Path) -> Identity:
    """What a library's numbers were made with."""
    try:
        record = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
        schema = record.pop("schema")
        identity = Identity(**record) if schema == SCHEMA else None
    except OSError as error:
        raise InputError(f"no library in {folder}; make one: asst index FILES... --library {folder}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{folder / _SETTINGS} is damaged; index again with --rebuild") from error
    if identity is None:
        raise _to_rebuild(f"is a library of schema {schema}, and this asst reads schema {SCHEMA}", folder)
    return identity


def _to_rebuild(what: str, folder: Path) -> InputError:
    return InputError(f"{folder} {what}; make it anew: asst index FILES... --library {folder} --rebuild")
