"""What was fetched into a model's folder: from where, in which revision, and what the hub states of each file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from asst.atomic import write_whole
from asst.errors import InputError
from asst.features.fingerprint import sha256

NAME = "asst.json"
"""The file of a folder that holds its manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the hub states of a file.

    Attributes:
        size: in bytes.
        sha256: of its content, as of all large files; else empty.
        blob: the id that git gives its content, where there is no ``sha256``.
    """

    size: int
    sha256: str = ""
    blob: str = ""

    def fits(self, path: Path) -> bool:
        """Whether a file is the one; it is read whole.

        Raises:
            InputError: for a file that cannot be read.
        """
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        return sha256(path) == self.sha256 if self.sha256 else _blob(path) == self.blob


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder holds.

    Attributes:
        repository: on the hub, ``owner/name``.
        revision: its commit.
        files: of that commit, by their paths in the folder.
    """

    repository: str
    revision: str
    files: Mapping[str, Stated]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The manifest of a folder.

        Raises:
            InputError: if it is missing or damaged.
        """
        path = folder / NAME
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            files = {str(name): Stated(**stated) for name, stated in said["files"].items()}
            return cls(str(said["repository"]), str(said["revision"]), files)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}; get the folder again") from error
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{path} is damaged; delete {folder} and get it again") from error

    def write(self, folder: Path) -> None:
        """Writes it into its folder, whole or not at all.

        Raises:
            WriteError: if it cannot be written.
        """
        write_whole(folder / NAME, json.dumps(asdict(self), indent=2, allow_nan=False) + "\n")

    def fault(self, folder: Path) -> str:
        """What of a folder is not as stated, for people to read; empty if all is."""
        for name, stated in self.files.items():
            if not (folder / name).is_file():
                return f"{name} is missing"
            if not stated.fits(folder / name):
                return f"{name} is not as it was fetched"
        added = sorted(set(_files(folder)) - {*self.files, NAME})
        return f"{added[0]} was not fetched" if added else ""


def check_folder(folder: Path) -> None:
    """Refuses a folder that was fetched and has changed since; one that somebody brought says nothing to check it by.

    Raises:
        InputError: naming what is other than the hub stated.
    """
    if (folder / NAME).exists() and (fault := Manifest.read(folder).fault(folder)):
        raise InputError(f"{folder} has changed since it was fetched: {fault}; run: asst models get {folder.name}")


def _files(folder: Path) -> Iterator[str]:
    """The paths of all files in a folder but hidden ones."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            yield inside.as_posix()


def _blob(path: Path) -> str:
    """The id that git gives a file's content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
