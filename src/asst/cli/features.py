"""``asst features``: videos to a store of features, what is in one, and other forms of it; ``asst simulate``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer
from typer.core import TyperGroup

from asst.atomic import check_writable
from asst.cli import options
from asst.cli.options import Annotation, Verb, argument, key_of, option, print_grid, print_json, tell
from asst.errors import InputError, counted

if TYPE_CHECKING:
    from asst.cli.progress import Watch
    from asst.features.extract import Outcome
    from asst.features.stores.external import Timing
    from asst.features.stores.native import FeatureStore

_PARTLY_FAILED = 1
_NAMED = 10
_KIND = ("extractor", "dimension", "step_s")
_MADE = ("preprocessing", "weights", "flow", "precision")

_Store = Annotated[Path, argument("STORE", "A store of any form.")]
_Extractor = Annotated[str | None, option("--extractor NAME", "What made the features, for a STORE that does not say.")]


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


@app.command(cls=Verb)
def extract(
    files: Annotated[
        list[Path], argument("FILES...", "Video files, and folders of them. A file called info is written ./info.")
    ],
    out: Annotated[Path, option("--out STORE", "The folder to write.")],
    extractor: Annotated[
        str, option("--extractor NAME", "Which features; 'asst features extractors' lists them.")
    ] = "captions",
    weights: Annotated[
        Path | None, option("--weights FILE", "The network's weights; else by the extractor's name in $ASST_WEIGHTS.")
    ] = None,
    names: Annotated[
        str,
        option(
            "--names HOW",
            "What a video is called: stem (v1 for a/v1.mp4), name (v1.mp4), or path (within a given folder).",
        ),
    ] = "stem",
    workers: options.Workers = 1,
    cluster: options.Cluster = False,
    device: options.Device = None,
) -> None:
    """Extract the features of FILES into STORE.

    What the store has of the same content from the same extractor is left as it is: run the command again to go on.
    A file that cannot be read is reported and stops no other.

    Exit codes: 0 when all are in the store, 1 when some could not be read, 2 for bad input.
    """
    from asst.cli.progress import read_files
    from asst.features.extract import (
        Extraction,
        Naming,
        extract_by_cluster,
        extract_by_workers,
        extract_in_turn,
        jobs_of,
    )
    from asst.features.stores.native import Store

    if names not in get_args(Naming):
        raise InputError(f"--names is one of {', '.join(get_args(Naming))}, not {names!r}")
    jobs = jobs_of(files, cast(Naming, names))
    extraction = Extraction(extractor, weights, out)
    # A store of other features is refused before anything is read.
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; a store is a folder")
    check_writable(out)
    found = Store(out).extractor()
    if found not in (None, extractor):
        raise InputError(f"{out} holds features of {found}, not of {extractor}; name another")

    def outcomes(watch: Watch) -> Iterable[Outcome]:
        if cluster or workers > 1:
            return (extract_by_cluster if cluster else extract_by_workers)(jobs, extraction, workers)
        return extract_in_turn(jobs, *extraction.build(), watch)

    if not read_files(outcomes, len(jobs), "extracted", f"the store is {out}"):
        raise typer.Exit(_PARTLY_FAILED)


@app.command(cls=Verb)
def info(
    store: _Store,
    dataset: options.DatasetName = None,
    split: options.Split = None,
    data: options.DataFolder = None,
    step_s: options.StepS = None,
    extractor: _Extractor = None,
    key: options.ArrayKey = None,
    as_json: options.Json = False,
) -> None:
    """Print what is in STORE, and which videos of a data set are missing from it.

    Exit codes: 0, or 1 when a video is missing or an entry is damaged.
    """
    from asst.features.stores.external import open_store

    opened = open_store(store, _timing(step_s, extractor), key)
    found = _summary(opened)
    if dataset:
        from asst.cli.questions import read_questions

        named = read_questions(Annotation(dataset, split, data)).annotation.video_names
        found["missing"] = [video for video in named if video not in opened]
    if as_json:
        print_json([found])
    else:
        _print(found, store)
    if found["damaged"] or found.get("missing"):
        raise typer.Exit(1)


@app.command(cls=Verb)
def convert(
    source: _Store,
    target: Annotated[Path, argument("OUT", "A file that ends in .hdf5, or a folder of ours.")],
    step_s: options.StepS = None,
    extractor: _Extractor = None,
    key: options.ArrayKey = None,
) -> None:
    """Write STORE in another form: one HDF5 file with a data set a video, or a folder of ours."""
    from asst.cli.progress import counting
    from asst.features.stores.arrays import HDF5
    from asst.features.stores.external import open_store, to_hdf5, to_store
    from asst.features.stores.native import Store

    opened = open_store(source, _timing(step_s, extractor), key)
    with counting("converting") as count:
        if target.suffix.lower() in HDF5:
            number = to_hdf5(opened, target, count)
        else:
            number = to_store(opened, Store(target), count)
    typer.echo(f"wrote {counted(number, 'video')} to {target}")


@app.command(cls=Verb)
def extractors(as_json: options.Json = False) -> None:
    """List the extractors."""
    from asst.features.extractor import EXTRACTORS
    from asst.features.image_text.hub import IMAGE_TEXT

    if as_json:
        keys = {"name": "name", "summary": "summary", "dimension": "dimension", "weights": "source", "extra": "extra"}
        print_json({key: getattr(entry, own) for key, own in keys.items()} for entry in EXTRACTORS.values())
        return
    entries = EXTRACTORS.values()
    rows = [[entry.name, entry.summary, ", ".join(entry.needs) or "-", entry.extra or "-"] for entry in entries]
    brought = [entry for entry in entries if len(entry.needs) == 1 and entry.name not in IMAGE_TEXT]
    sources = dict.fromkeys(entry.source for entry in brought)
    notes = [
        *sources,
        f"fetched: asst models get {' | '.join(IMAGE_TEXT)}",
        "name a file with --weights, or a folder of such files in ASST_WEIGHTS",
    ]
    headings = ["name", "features", "weights to bring", "extra"]
    print_grid("extractors", headings, rows, notes, words=len(headings))


def _timing(step_s: float | None, extractor: str | None) -> Timing | None:
    from asst.features.stores.external import Timing

    if step_s is None and extractor is None:
        return None
    if step_s is None or extractor is None:
        raise InputError("a store that says neither needs both --step-s and --extractor")
    return Timing(extractor, step_s)


def _summary(store: FeatureStore) -> dict[str, Any]:
    steps, seconds = 0, 0.0
    kinds: Counter[tuple[Any, ...]] = Counter()
    made: Counter[tuple[Any, ...]] = Counter()
    damaged = []
    videos = store.videos()
    for video in videos:
        try:
            features, provenance = store.read(video), store.provenance(video)
        except InputError as error:
            damaged.append({"video": video, "reason": str(error)})
            continue
        steps += len(features)
        seconds += features.duration_s
        kinds[tuple(getattr(features, key) for key in _KIND)] += 1
        made[tuple(getattr(provenance, key) for key in _MADE)] += 1
    return {
        "videos": len(videos),
        "steps": steps,
        "duration_s": seconds,
        "kinds": [dict(zip((*_KIND, "videos"), (*kind, count), strict=True)) for kind, count in kinds.most_common()],
        "made": [dict(zip((*_MADE, "videos"), (*how, count), strict=True)) for how, count in made.most_common()],
        "damaged": damaged,
    }


def _print(found: dict[str, Any], store: Path) -> None:
    typer.echo(
        f"{store}: {counted(found['videos'], 'video')}, {counted(found['steps'], 'step')}, "
        f"{found['duration_s'] / 3600:.2f} hours"
    )
    for kind in found["kinds"]:
        typer.echo(
            f"{kind['videos']} of {kind['extractor']}: dimension {kind['dimension']}, steps of {kind['step_s']:g} s"
        )
    for made in found["made"]:
        preprocessing, weights = (made[key] or "not stated" for key in ("preprocessing", "weights"))
        flow = f"; flow is {made['flow']}" if made["flow"] else ""
        precision = f", in {made['precision']}" if made["precision"] else ""
        typer.echo(f"{made['videos']} with preprocessing {preprocessing}, weights {weights}{precision}{flow}")
    for bad in found["damaged"]:
        typer.echo(f"damaged: {bad['reason']}")
    if "missing" in found:
        missing = found["missing"]
        shown = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        typer.echo(
            f"{counted(len(missing), 'video of the data set is', 'videos of the data set are')} missing"
            + (f": {shown}" if missing else "")
        )


def simulate(
    out: Annotated[Path, argument("STORE", "The folder to write.")],
    dataset: Annotated[str, option("--dataset NAME", "charades-sta, didemo or thumos14.")] = "charades-sta",
    modality: Annotated[
        str | None, option("--modality NAME", "rgb, flow, or but for THUMOS14 c3d.", show_default="c3d or flow")
    ] = None,
    level: options.Level = "crowded",
    seed: Annotated[int, option("--seed N", "Of all draws.", min=0)] = 0,
    dimension: Annotated[int, option("--dimension N", "Numbers in a vector.", min=1)] = 256,
    data: options.DataFolder = None,
) -> None:
    """Make simulated features of the videos of Charades-STA, DiDeMo or THUMOS14 in STORE.

    They come from the annotation (actions, objects and scene; sentences; labelled spans), not from videos: a
    controlled benchmark with real sentences, spans and splits. Videos that STORE has from the same settings are left
    as they are.
    """
    from asst.data import data_folder
    from asst.features.stores.native import Store
    from asst.training.simulation import SIMULATIONS, settings_of
    from asst.training.simulation import simulate as make

    check_writable(out)
    key = key_of(dataset)
    usual = list(SIMULATIONS[key].modalities)[-1] if key in SIMULATIONS else ""
    settings = settings_of(key, modality or usual, level, seed, dimension)
    count = make(key, settings, data or data_folder(key), Store(out), tell)
    typer.echo(f"wrote simulated features of {counted(count, 'video')} to {out}")
