"""A library with its model: what is usually done with one, in a call each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import asst.library.engine as engines
from asst.features.extract import Outcome
from asst.library.engine import Engine, Identity
from asst.library.folder import LibraryFolder
from asst.library.index import index as indexed
from asst.library.search import search as searched
from asst.moments import Moment


class Library(LibraryFolder):
    """A library that is there, to be indexed into and searched by its own model; raises as `LibraryFolder`."""

    @classmethod
    def made(cls, folder: str | Path, identity: Identity | None = None, *, rebuild: bool = False) -> Self:
        """As `LibraryFolder.made`; without an identity by the default model."""
        return super().made(folder, identity or engines.engine_of().identity, rebuild=rebuild)

    @cached_property
    def engine(self) -> Engine:
        """Its model; loaded when it is first asked for."""
        return engines.engine_of(self.identity.model)

    def index(
        self, paths: str | Path | Sequence[str | Path], *, workers: int = 1, cluster: bool = False, rehash: bool = False
    ) -> list[Outcome]:
        """Brings files and the videos of folders, or one, into the library, as `asst.library.index.index` does.

        What became of each file is returned; one that cannot be read is ``failed``, with a reason, and stops no other.
        Raises an `InputError` for a folder without a video, or a library of another model.
        """
        self.check(self.engine.identity)
        files = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
        return list(indexed(files, self, self.engine, workers=workers, cluster=cluster, rehash=rehash))

    def search(
        self, query: str, *, top: int = 10, within_glob: str | None = None, min_score: float | None = None
    ) -> list[Moment]:
        """The moments of all videos that a sentence describes, by its model: the best video first, a row a moment.

        The arguments are those of `asst.library.search.search`, which raises an `InputError` as this does.
        """
        found = searched(self, self.engine, query, top=top, within_glob=within_glob, min_score=min_score)
        return list(found.moments)
