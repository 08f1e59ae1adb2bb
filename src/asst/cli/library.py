"""``asst index``: videos into a library; ``asst library``: what is in it, and whether it is whole."""

from __future__ import annotations

from dataclasses import asdict
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from asst.atomic import moved_into_place, write_whole
from asst.cli import options
from asst.cli.asking import engine_for, uncollected
from asst.cli.options import LIBRARY, Verb, argument, option, print_json, tell, with_extra
from asst.errors import InputError, counted
from asst.local import canonical, composed, local_path
from asst.outputs.printable import printable

_FAULTY = 1

app = typer.Typer(
    name="library", help=with_extra("library", "Look after a library that asst index made."), no_args_is_help=True
)


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
    from asst.cli.progress import read_files
    from asst.features.stores.native import named
    from asst.library.index import index as run
    from asst.library.index import listed, missing
    from asst.library.library import Library

    count = len(listed(files))
    with uncollected():
        engine = engine_for(library, model)
    kept = Library.made(library, engine.identity, rebuild=rebuild)
    indexed = partial(run, files, kept, engine, workers=workers, cluster=cluster, rehash=rehash)
    whole = read_files(lambda watch: indexed(watch=watch), count, "indexed", f"the library is {library}")
    gone = [video.path for video in missing(kept)]
    if gone:
        forget = f"asst library remove --missing --library {library}"
        missed = counted(len(gone), "video of the library is", "videos of the library are")
        tell(f"{missed} gone: {printable(named(gone))}; forget with: {forget}")
    if not whole:
        raise typer.Exit(_FAULTY)


@app.command(cls=Verb)
def status(library: options.Library = LIBRARY, as_json: options.Json = False) -> None:
    """Print what is in a library, and which of its videos are gone."""
    from asst.library.index import missing
    from asst.library.library import Library
    from asst.moments import format_time

    opened = Library(library)
    videos = opened.tables.videos()
    gone = [video.path for video in missing(opened)]
    facts: dict[str, Any] = {
        "videos": len(videos),
        "duration_s": sum(video.duration_s for video in videos),
        "vectors": opened.tables.rows(),
        "bytes": sum(path.stat().st_size for path in library.rglob("*") if path.is_file()),
        "missing": gone,
        **asdict(opened.identity),
    }
    if as_json:
        print_json([{**facts, "files": [asdict(video) for video in videos]}])
        return
    vectors = counted(facts["vectors"], "window's vector", "windows' vectors")
    typer.echo(
        f"{library}: {counted(len(videos), 'video')}, {format_time(facts['duration_s'])}, {vectors}, "
        f"{facts['bytes'] / 1e6:.1f} MB; model {facts['model']}, features {facts['extractor']}"
    )
    for path in gone:
        typer.echo(f"gone: {printable(path)}")


@app.command(cls=Verb)
def verify(
    library: options.Library = LIBRARY,
    repair: Annotated[bool, option("--repair", "Delete what is faulty or unfinished, to be indexed again.")] = False,
    as_json: options.Json = False,
) -> None:
    """Read all of a library and the files of its videos, and print what is wrong with it.

    Exit codes: 0 when it is whole, 1 when something is wrong, 2 when it cannot be read at all.
    """
    from asst.cli.progress import counting
    from asst.library.library import Library
    from asst.library.verify import repair as mend
    from asst.library.verify import verify as run

    opened = Library(library)
    with counting("reading the videos") as move:
        verdict = run(opened, move)
    if as_json:
        faults, unfinished = list(verdict.faults.values()), len(verdict.unfinished)
        record = {"videos": verdict.videos, "faults": faults, "unfinished": unfinished, "changed": verdict.changed}
        print_json([record])
    else:
        for fault in (*verdict.faults.values(), *verdict.changed):
            typer.echo(printable(fault))
        changed = f", {len(verdict.changed)} changed" if verdict.changed else ""
        left = f", {len(verdict.unfinished)} unfinished (index again)" if verdict.unfinished else ""
        typer.echo(f"{library}: {counted(verdict.videos, 'video')}, {len(verdict.faults)} faulty{changed}{left}")
    if repair:
        tell(f"deleted {mend(opened, verdict)}; index again to make them anew")
    if verdict.faults or verdict.changed:
        raise typer.Exit(_FAULTY)


@app.command(cls=Verb)
def remove(
    library: options.Library = LIBRARY,
    globs: Annotated[list[str] | None, argument("VIDEO...", "Paths of videos, or patterns of paths in quotes.")] = None,
    gone: Annotated[bool, option("--missing", "All videos that are no longer where they were.")] = False,
) -> None:
    """Forget videos and delete what was made of them. The files themselves are not touched.

    Exit codes: 0 when all were in the library, 2 when one was not.
    """
    from asst.library.index import missing
    from asst.library.library import Library

    if not globs and not gone:
        raise InputError("nothing to remove; name videos, or --missing")
    opened = Library(library)
    chosen = {video.path: video for video in missing(opened)} if gone else {}
    known = opened.tables.videos()
    for glob in globs or []:
        path, pattern = composed(str(canonical(Path(glob)))), composed(glob)
        found = [v for v in known if composed(v.path) == path or fnmatchcase(composed(v.path), pattern)]
        if not found:
            raise InputError(f"{glob}: no such video in {library}; see asst library status --json")
        chosen.update({video.path: video for video in found})
    opened.remove(list(chosen.values()))
    typer.echo(f"removed {counted(len(chosen), 'video')} of {len(known)}")


@app.command(cls=Verb)
def export(
    out: Annotated[Path, argument("OUT", "OUT.jsonl for the videos, OUT.parquet for windows.")],
    library: options.Library = LIBRARY,
) -> None:
    """Write the list of videos as JSON lines, or the windows and their vectors as Parquet."""
    from asst.library.library import Library
    from asst.outputs.json_lines import as_lines

    out, tables = local_path(out, "an export"), Library(library).tables
    if out.suffix == ".jsonl":
        write_whole(out, as_lines(map(asdict, tables.videos())))
    elif out.suffix == ".parquet":
        with moved_into_place(out) as lent:
            tables.write_parquet(lent)
    else:
        raise InputError(f"{out}: a library is exported to .jsonl (its videos) or .parquet (their windows)")
    tell(f"wrote {out}")
