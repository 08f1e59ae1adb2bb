"""``asst features``: video files to a store of features, what is in a store, and stores in other forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer
from typer.core import TyperGroup

from asst.atomic import check_writable
from asst.cli import options
from asst.cli.options import argument, option
from asst.cli.stores import convert, extractors, info
from asst.cli.verb import Verb
from asst.errors import InputError
from asst.outputs.printable import printable

if TYPE_CHECKING:
    from asst.features.extract import Extraction, Job, Outcome

_PARTLY_FAILED = 1


class _FilesOrVerb(TyperGroup):
    """A group whose first word may also be a file: then the verb is ``extract``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["extract", *args]
        return super().parse_args(ctx, args)


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
    from asst.cli.progress import files_progress, report_files
    from asst.features.extract import Extraction, Naming, jobs_of

    if names not in get_args(Naming):
        raise InputError(f"--names is one of {', '.join(get_args(Naming))}, not {names!r}")
    jobs = jobs_of(files, cast(Naming, names))
    extraction = Extraction(extractor, weights, out)
    _check_store(extraction)
    outcomes: list[Outcome] = []
    try:
        with files_progress(len(jobs)) as bar:
            for outcome in _outcomes(jobs, extraction, workers, cluster=cluster, bar=bar):
                bar.done(outcome.video_s)
                outcomes.append(outcome)
    finally:
        failed = [outcome for outcome in outcomes if outcome.state == "failed"]
        for outcome in failed:
            typer.echo(printable(f"{outcome.job.video}: {outcome.reason}"), err=True)
        if outcomes:
            report_files(outcomes, len(jobs), "extracted", f"the store is {out}")
    if failed:
        raise typer.Exit(_PARTLY_FAILED)


def _check_store(extraction: Extraction) -> None:
    """Refuse a store of other features before anything is read."""
    from asst.features.stores.native import Store

    if extraction.store.exists() and not extraction.store.is_dir():
        raise InputError(f"{extraction.store}: is a file; a store is a folder")
    check_writable(extraction.store)
    found = Store(extraction.store).extractor()
    if found not in (None, extraction.extractor):
        raise InputError(f"{extraction.store} holds features of {found}, not of {extraction.extractor}; name another")


def _outcomes(jobs: list[Job], extraction: Extraction, workers: int, *, cluster: bool, bar: Any) -> Iterator[Outcome]:
    from asst.features.extract import extract_by_cluster, extract_by_workers, extract_in_turn

    if cluster or workers > 1:
        return (extract_by_cluster if cluster else extract_by_workers)(jobs, extraction, workers)
    return extract_in_turn(jobs, *extraction.build(), bar.file)


app.command(cls=Verb)(info)
app.command(cls=Verb)(convert)
app.command(cls=Verb)(extractors)
