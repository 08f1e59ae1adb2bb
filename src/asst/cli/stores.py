"""Stores of features: ``asst features info``, ``convert`` and ``extractors``, and those that ``--store`` names."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asst.cli import options
from asst.cli.options import Annotation, argument, option
from asst.cli.verb import print_json
from asst.errors import InputError

if TYPE_CHECKING:
    from asst.features.stores.external import Timing
    from asst.features.stores.native import FeatureStore

_NAMED = 10
_KIND = ("extractor", "dimension", "step_s")
_MADE = ("preprocessing", "weights", "flow", "precision")

_Store = Annotated[Path, argument("STORE", "A store of any form.")]
_Extractor = Annotated[str | None, option("--extractor NAME", "What made the features, for a STORE that does not say.")]


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
        from asst.cli.annotation import read_annotation

        _, annotation = read_annotation(Annotation(dataset, split, data))
        found["missing"] = [video for video in annotation.video_names if video not in opened]
    if as_json:
        print_json([found])
    else:
        _print(found, store)
    if found["damaged"] or found.get("missing"):
        raise typer.Exit(1)


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
    typer.echo(f"wrote {number} videos to {target}")


def extractors(as_json: options.Json = False) -> None:
    """List the extractors."""
    from asst.features.extractor import EXTRACTORS
    from asst.features.image_text.hub import IMAGE_TEXT

    if as_json:
        keys = {"name": "name", "summary": "summary", "dimension": "dimension", "weights": "source", "extra": "extra"}
        print_json({key: getattr(entry, own) for key, own in keys.items()} for entry in EXTRACTORS.values())
        return
    from asst.outputs.grid import Grid, write_grids

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
    write_grids([Grid("extractors", headings, rows, notes, words=len(headings))], sys.stdout)


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
    typer.echo(f"{store}: {found['videos']} videos, {found['steps']} steps, {found['duration_s'] / 3600:.2f} hours")
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
        typer.echo(f"{len(missing)} videos of the data set are missing" + (f": {shown}" if missing else ""))


def checkpoint_store(
    checkpoint: str,
    extractor: str,
    stores: Sequence[Path],
    step_s: float | None,
    preprocessing: str = "",
    key: str | None = None,
) -> FeatureStore:
    """One store, or one a stream side by side.

    The checkpoint reads features of an extractor, several joined by ``+``. Stores are of all streams together, or of
    each, in their order; for published ones, ``step_s`` is how long a step lasts, and ``key`` the array to take. Raises
    an `InputError` for another number of stores, one that cannot be opened, or features that only a recipe makes.
    """
    from asst.features.stores.external import Timing, open_store
    from asst.features.stores.native import UNIT_LENGTH, ConcatenatedStore

    if UNIT_LENGTH in preprocessing:
        raise InputError(f"{checkpoint} reads features that its recipe normalizes; judge it with asst evaluate RUN")
    streams = extractor.split("+")
    if len(stores) not in (1, len(streams)):
        raise InputError(
            f"{checkpoint} reads features of {' and '.join(streams)}; give --store STORE "
            + ("once" if len(streams) == 1 else f"{len(streams)} times, in this order")
        )
    names = streams if len(stores) > 1 else [extractor]
    opened = [
        open_store(path, Timing(name, step_s) if step_s else None, key)
        for path, name in zip(stores, names, strict=True)
    ]
    return opened[0] if len(opened) == 1 else ConcatenatedStore(opened)
