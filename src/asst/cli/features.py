"""``asst features``: video files to a store of features, what is in a store, and stores in other forms."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from asst.cli import options
from asst.cli.features_store import convert, extractors, info
from asst.cli.options import argument, option
from asst.cli.verb import Verb
from asst.errors import InputError
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.features.extract import Job, Outcome
    from asst.features.parallel.workers import Extraction

_PARTLY_FAILED = 1


class _FilesOrVerb(TyperGroup):
    """A group whose first word may also be a file: then the verb is ``extract``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["extract", *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


app = typer.Typer(
    cls=_FilesOrVerb,
    name="features",
    help="Extract features of videos into a store: asst features FILES... --extractor NAME --out STORE.",
    no_args_is_help=True,
)


_Weights = Annotated[
    Path | None, option("--weights FILE", "The network's weights; else by the extractor's name in $ASST_WEIGHTS.")
]
_Names = Annotated[
    str,
    option(
        "--names HOW", "What a video is called: stem (v1 for a/v1.mp4), name (v1.mp4), or path (within a given folder)."
    ),
]


@app.command(cls=Verb)
def extract(
    files: Annotated[
        list[Path], argument("FILES...", "Video files, and folders of them. A file called info is written ./info.")
    ],
    out: Annotated[Path, option("--out STORE", "The folder to write.")],
    extractor: Annotated[
        str, option("--extractor NAME", "Which features; 'asst features extractors' lists them.")
    ] = "captions",
    weights: _Weights = None,
    names: _Names = "stem",
    workers: options.Workers = 1,
    cluster: options.Cluster = False,
    device: options.Device = None,
) -> None:
    """Extract the features of FILES into STORE.

    What the store has of the same content from the same extractor is left as it is: run the command again to go on.
    A file that cannot be read is reported at the end and stops no other.

    Exit codes: 0 when all are in the store, 1 when some could not be read, 2 for bad input.
    """
    from asst.features.extract import Naming, jobs_of
    from asst.features.parallel.workers import Extraction

    naming: dict[str, Naming] = {"stem": "stem", "name": "name", "path": "path"}
    if names not in naming:
        raise InputError(f"--names is one of {', '.join(naming)}, not {names!r}")
    jobs = jobs_of(files, naming[names])
    extraction = Extraction(extractor, weights, out)
    _check_store(extraction)
    outcomes: list[Outcome] = []
    try:
        outcomes.extend(_watched(jobs, extraction, workers, cluster=cluster))
    finally:
        _report(outcomes, len(jobs), out)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise typer.Exit(_PARTLY_FAILED)


def _check_store(extraction: Extraction) -> None:
    """Refuse a store of other features before anything is read.

    Raises:
        InputError: if it holds features of another extractor, is no folder, or may not be written to.
    """
    from asst.atomic import check_writable
    from asst.features.stores.native import Store

    if extraction.store.exists() and not extraction.store.is_dir():
        raise InputError(f"{extraction.store}: is a file; a store is a folder")
    check_writable(extraction.store)
    found = Store(extraction.store).extractor()
    if found not in (None, extraction.extractor):
        raise InputError(f"{extraction.store} holds features of {found}, not of {extraction.extractor}; name another")


def _outcomes(jobs: list[Job], extraction: Extraction, workers: int, *, cluster: bool, bar: Any) -> Iterator[Outcome]:
    if cluster:
        from asst.features.parallel.cluster import extract_by_cluster

        return extract_by_cluster(jobs, extraction, workers)
    if workers > 1:
        from asst.features.parallel.workers import extract_by_workers

        return extract_by_workers(jobs, extraction, workers)
    from asst.features.extract import extract_in_turn

    return extract_in_turn(jobs, *extraction.build(), bar.file)


def _watched(jobs: list[Job], extraction: Extraction, workers: int, *, cluster: bool) -> Iterator[Outcome]:
    """The outcomes, with a bar of files on standard error where that is a terminal."""
    from asst.cli.progress import files_progress

    with files_progress(len(jobs)) as bar:
        for outcome in _outcomes(jobs, extraction, workers, cluster=cluster, bar=bar):
            bar.done(outcome.job.video, outcome.video_s)
            yield outcome


def _report(outcomes: list[Outcome], jobs: int, store: Path) -> None:
    """What was done and where it is, on standard output, and what failed and why, a line each, on standard error."""
    for outcome in outcomes:
        if outcome.state == "failed":
            typer.echo(printable(f"{outcome.job.video}: {outcome.reason}"), err=True)
    counts = Counter(outcome.state for outcome in outcomes)
    video_s = sum(outcome.video_s for outcome in outcomes)
    worked_s = sum(outcome.seconds for outcome in outcomes if outcome.state == "extracted")
    speed = f" ({video_s:.0f} s of video at {video_s / worked_s:.1f}x real time a process)" if worked_s else ""
    parts = [f"extracted {counts['extracted']}{speed}", f"{counts['kept']} were there already"]
    parts.append(f"{counts['failed']} failed")
    if left := jobs - len(outcomes):
        parts.append(f"{left} not reached")
    typer.echo(f"of {jobs} videos {', '.join(parts)}; the store is {store}")
    sys.stdout.flush()


app.command(cls=Verb)(info)
app.command(cls=Verb)(convert)
app.command(cls=Verb)(extractors)
