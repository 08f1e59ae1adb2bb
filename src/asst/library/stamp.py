"""What a file's entry in its folder says: by it an unchanged file is known without being read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from asst.errors import InputError

_SETTLED_NS = 2_000_000_000
# File systems tell times apart by up to two seconds (FAT): in a file younger than that, a change might not show.


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file's size in bytes, and when it was last changed, in nanoseconds since 1970; 0 where that says nothing."""

    size: int
    mtime_ns: int

    def same(self, size: int, mtime_ns: int) -> bool:
        """Whether these are a file's size and time of change, and say that it has not changed."""
        return self.mtime_ns != 0 and (self.size, self.mtime_ns) == (size, mtime_ns)


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file; to be taken before the file is read, so that a change meanwhile shows.

    Raises:
        InputError: if there is no such file.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); check the path") from error
    settled = time.time_ns() - facts.st_mtime_ns > _SETTLED_NS
    return Stamp(facts.st_size, facts.st_mtime_ns if settled else 0)
