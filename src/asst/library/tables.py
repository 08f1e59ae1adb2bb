"""The two tables of a library, kept by LanceDB: videos by path, windows by content.

A write is a new version of a table, seen whole or not at all. Of a video the windows are written first and the row of
``videos`` last; windows whose content no video has are left over from a run that was killed, and not searched.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from asst.atomic import is_refusal, write_error
from asst.errors import InputError
from asst.extras import require
from asst.features.hashing import CONTENT_LENGTH
from asst.library.windows import WindowVectors

ROW = np.dtype(
    [("content", f"S{CONTENT_LENGTH}"), ("first", "<i4"), ("stop", "<i4"), ("part_first", "<i4"), ("part_stop", "<i4")]
)
"""A window without its vector: the content that it is of, its steps, and those of the part around it."""

Rows = npt.NDArray[np.void]

_ROWS_AT_ONCE = 8192
_KEPT = timedelta(hours=1)
_SURROGATE = 0xDC00
"""Python reads a byte of a path that is no UTF-8 as the character of this number and the byte's."""
_NOT_UTF8, _KEPT_BYTE = re.compile("[\udc80-\udcff]"), re.compile("\0(..)")
_SYSTEMS = re.compile(r"\(os error (\d+)\)")


@dataclass(frozen=True, slots=True)
class Video:
    """A file that a library knows, by its `asst.local.canonical` path and the hash of its bytes.

    Width and height are in pixels, as displayed; ``size`` is in bytes, and ``rows`` counts its windows' vectors.
    ``mtime_ns`` is when it had last been changed before it was read, in nanoseconds since 1970; 0 if not known.
    """

    path: str
    content: str
    duration_s: float
    width: int
    height: int
    size: int
    rows: int
    mtime_ns: int = 0


class Tables:
    """The tables in a folder, made when they are not there; ``dimension`` is that of windows' vectors.

    Raises an `InputError` if LanceDB is not installed, or, as every method, if the tables cannot be read, and a
    `WriteError` if they cannot be written.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        require("library", "a library")
        import lancedb
        import pyarrow as pa

        self._arrow = pa
        self._dimension = dimension
        kinds = {"str": pa.string(), "float": pa.float64(), "int": pa.int64()}
        self._video_schema = pa.schema([(own.name, kinds[str(own.type)]) for own in fields(Video)])
        steps = [(name, pa.int32()) for name in ROW.names[1:]]  # type: ignore[index]  # it has names
        vector = ("vector", pa.list_(pa.float16(), dimension))
        self._window_schema = pa.schema([("content", pa.string()), *steps, vector])
        self.folder = folder
        with self._told():
            # Other processes write too: what is asked is always asked of the newest version.
            database = lancedb.connect(folder, read_consistency_interval=timedelta(0))
            self._videos = database.create_table("videos", schema=self._video_schema, exist_ok=True)
            self._windows = database.create_table("windows", schema=self._window_schema, exist_ok=True)

    @property
    def version(self) -> int:
        """Of the windows; it grows with every write."""
        with self._told():
            return int(self._windows.version)

    def rows(self, content: str | None = None) -> int:
        """How many windows' vectors there are, of a content where one is given."""
        with self._told():
            return int(self._windows.count_rows(content and f"content = {_quoted(content)}"))

    def videos(self, *, content: str | None = None, path: str | None = None) -> list[Video]:
        """The videos, by path; of a content or a path, where one is given."""
        with self._told():
            wanted = self._videos.search()
            if content is not None:
                wanted = wanted.where(f"content = {_quoted(content)}")
            if path is not None:
                wanted = wanted.where(f"path = {_quoted(_kept(path))}")
            rows = wanted.to_arrow().to_pylist()
        for row in rows:
            row["path"] = _KEPT_BYTE.sub(lambda found: chr(_SURROGATE + int(found[1], 16)), row["path"])
        return sorted((Video(**row) for row in rows), key=lambda video: video.path)

    def put_video(self, video: Video) -> None:
        """Writes a video's row in place of any of the same path."""
        row = self._arrow.Table.from_pylist([{**asdict(video), "path": _kept(video.path)}], schema=self._video_schema)
        with self._told():
            self._videos.merge_insert("path").when_matched_update_all().when_not_matched_insert_all().execute(row)

    def drop_video(self, path: str) -> None:
        """Removes the row of a path."""
        with self._told():
            self._videos.delete(f"path = {_quoted(_kept(path))}")

    def put_windows(self, content: str, windows: WindowVectors) -> None:
        """Writes the windows of a content in place of any there."""
        self.drop_windows(content)
        pa = self._arrow
        steps = [*windows.spans.T, *windows.parts.T]
        columns: list[Any] = [pa.array([content] * len(windows)), *(pa.array(column, pa.int32()) for column in steps)]
        flat = pa.array(np.ascontiguousarray(windows.vectors).ravel(), pa.float16())
        columns.append(pa.FixedSizeListArray.from_arrays(flat, self._dimension))
        with self._told():
            self._windows.add(pa.Table.from_arrays(columns, schema=self._window_schema))

    def drop_windows(self, content: str) -> None:
        """Removes the windows of a content."""
        with self._told():
            if self.rows(content):
                self._windows.delete(f"content = {_quoted(content)}")

    def window_counts(self) -> dict[str, int]:
        """How many windows' vectors there are of each content."""
        with self._told():
            counts: Counter[str] = Counter()
            for batch in self._batches(["content"]):
                counts.update(batch["content"].to_pylist())
            return counts

    def windows(self, contents: Iterable[str] | None = None) -> Iterator[tuple[Rows, npt.NDArray[np.float16]]]:
        """The windows in blocks, of some contents alone: rows of `ROW` and vectors of shape ``(rows, dimension)``."""
        for batch in self._batches(self._window_schema.names, contents):
            vectors = batch["vector"].flatten().to_numpy(False)
            yield self._rows(batch), vectors.reshape(-1, self._dimension)

    def write_parquet(self, path: Path) -> None:
        """Writes the windows and their vectors to a Parquet file."""
        from pyarrow import parquet

        with parquet.ParquetWriter(path, self._window_schema) as writer:
            for batch in self._batches(self._window_schema.names):
                writer.write_batch(batch.select(self._window_schema.names))

    def tidy(self) -> None:
        """Joins the small files that many writes leave, and drops versions of more than an hour ago."""
        with self._told():
            for table in (self._videos, self._windows):
                table.optimize(cleanup_older_than=_KEPT)

    def _batches(self, columns: list[str], contents: Iterable[str] | None = None) -> Iterator[Any]:
        with self._told():
            wanted: Any = self._windows.search().select(columns)
            if contents is not None:
                wanted = wanted.where(f"content IN ({', '.join(map(_quoted, contents))})")
            yield from wanted.to_batches(_ROWS_AT_ONCE)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Says in one line what is wrong with the tables, or with the disk that they are on."""
        try:
            yield
        except InputError:
            raise
        except (OSError, RuntimeError, ValueError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            # LanceDB's own errors name the system's in words alone.
            code = _SYSTEMS.search(reason)
            cause = OSError(int(code[1]), os.strerror(int(code[1]))) if code else error
            if isinstance(cause, OSError) and is_refusal(cause):
                raise write_error(self.folder, cause) from error
            if not self.folder.exists():
                message = f"{self.folder} is no longer there; connect its disk, or move the library back"
                raise InputError(message) from error
            raise InputError(f"{self.folder} is damaged ({reason}); index again with --rebuild") from error

    def _rows(self, table: Any) -> Rows:
        rows = np.empty(table.num_rows, dtype=ROW)
        for name in ROW.names or ():
            rows[name] = table[name].to_pylist() if name == "content" else table[name].to_numpy()
        return rows


def _kept(path: str) -> str:
    """A path as the tables hold it: its bytes that are no UTF-8 in hexadecimal, each after a NUL, which no path has."""
    return _NOT_UTF8.sub(lambda found: f"\0{ord(found[0]) - _SURROGATE:02x}", path)


def _quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
