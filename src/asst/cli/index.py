"""``asst index``: videos into a library that ``asst search`` asks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli import options
from asst.cli.asking import uncollected
from asst.cli.options import LIBRARY, argument, option
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.library.engine import Engine
    from asst.library.index import Indexed

_PARTLY_FAILED = 1


def index(
    files: Annotated[list[Path], argument("FILES...", "Video files, and folders of them.")],
    library: options.Library = LIBRARY,
    workers: options.Workers = 1,
    cluster: options.Cluster = False,
    rehash: Annotated[
        bool, option("--rehash", "Read all files, also those of the same size and time of change as before.")
    ] = False,
    rebuild: Annotated[bool, option("--rebuild", "Make the library anew; features that still fit are kept.")] = False,
    model: options.LibraryModel = None,
    device: options.Device = None,
) -> None:
    """Bring the videos of FILES into a library, made if it is not there.

    What the library has is skipped, moved files are recognised, and files that are gone are named. It may be killed
    at any moment and run again, and run several times at once.

    Exit codes: 0 when all are in the library, 1 when some could not be read, 2 for bad input.
    """
    from asst.cli.progress import files_progress, report_files
    from asst.features.stores.native import named
    from asst.library.index import index as run
    from asst.library.index import listed, missing
    from asst.library.library import Library

    count = len(listed(files))
    with uncollected():
        engine = engine_for(library, model)
    kept = Library.made(library, engine.identity, rebuild=rebuild)
    done: list[Indexed] = []
    try:
        with files_progress(count) as bar:
            for indexed in run(files, kept, engine, workers=workers, cluster=cluster, rehash=rehash, watch=bar.file):
                done.append(indexed)
                bar.done(indexed.video_s)
                if indexed.state == "failed":
                    typer.echo(printable(f"{indexed.path.name}: {indexed.reason}"), err=True)
    finally:
        report_files(done, count, "indexed", f"the library is {library}")
    gone = [video.path for video in missing(kept)]
    if gone:
        remove = f"asst library remove --missing --library {library}"
        typer.echo(
            f"{len(gone)} videos of the library are gone: {printable(named(gone))}; forget them: {remove}", err=True
        )
    if any(indexed.state == "failed" for indexed in done):
        raise typer.Exit(_PARTLY_FAILED)


def engine_for(library: Path, model: str | None) -> Engine:
    """The model that is named, else the one that the library was made with, or will be."""
    from asst.library.engine import engine_of
    from asst.library.folder import model_of

    return engine_of(model or model_of(library))
