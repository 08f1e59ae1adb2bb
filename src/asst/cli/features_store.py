"""``asst features info``, ``convert`` and ``extractors``: stores and extractors looked at, stores in other forms."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asst.cli.annotation import DataFolder, DatasetName, Split
from asst.errors import InputError

if TYPE_CHECKING:
    from asst.features.stores.external import Timing
    from asst.features.stores.native import FeatureStore

_NAMED = 10
_HDF5 = (".h5", ".hdf5")

StepS = Annotated[
    float | None,
    typer.Option("--step-s", metavar="SECONDS", help="How long a step lasts, for a store that does not say."),
]
ExtractorName = Annotated[
    str | None,
    typer.Option("--extractor", metavar="NAME", help="What made the features, for a store that does not say."),
]


Key = Annotated[
    str | None,
    typer.Option("--key", metavar="NAME", help="The array to take where a file or a group holds several."),
]


def info(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A store of any form.", show_default=False)],
    dataset: DatasetName = None,
    split: Split = None,
    data: DataFolder = None,
    step_s: StepS = None,
    extractor: ExtractorName = None,
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print what is in STORE, and which videos of a data set are missing from it.

    Exit codes: 0, or 1 when a video is missing or an entry is damaged.
    """
    from asst.features.stores.external import open_store

    opened = open_store(store, _timing(step_s, extractor), key)
    found = _summary(opened)
    if dataset:
        from asst.cli.annotation import read_annotation

        _, annotation = read_annotation(dataset, split, data, problems=False)
        found["missing"] = [video for video in annotation.video_names if video not in opened]
    if as_json:
        typer.echo(json.dumps(found, allow_nan=False))
    else:
        _print(found, store)
    if found["damaged"] or found.get("missing"):
        raise typer.Exit(1)


def convert(
    source: Annotated[Path, typer.Argument(metavar="STORE", help="A store of any form.", show_default=False)],
    target: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="A file that ends in .hdf5, or a folder of ours.", show_default=False),
    ],
    step_s: StepS = None,
    extractor: ExtractorName = None,
    key: Key = None,
) -> None:
    """Write STORE in another form: one HDF5 file with a data set a video, or a folder of ours."""
    from asst.cli.progress import counting
    from asst.features.stores.external import open_store, to_hdf5, to_store
    from asst.features.stores.native import Store

    opened = open_store(source, _timing(step_s, extractor), key)
    with counting("converting") as count:
        if target.suffix.lower() in _HDF5:
            number = to_hdf5(opened, target, count)
        else:
            number = to_store(opened, Store(target), count)
    typer.echo(f"wrote {number} videos to {target}")


def extractors(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """List the extractors."""
    from asst.features.extractor import EXTRACTORS
    from asst.features.image_text.hub import IMAGE_TEXT

    if as_json:
        for entry in EXTRACTORS.values():
            typer.echo(
                json.dumps(
                    {
                        "name": entry.name,
                        "summary": entry.summary,
                        "dimension": entry.dimension,
                        "weights": entry.source,
                        "extra": entry.extra,
                    },
                    allow_nan=False,
                )
            )
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
    kinds: Counter[tuple[str, int, float]] = Counter()
    made: Counter[tuple[str, str, str, str]] = Counter()
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
        kinds[features.extractor, features.dimension, features.step_s] += 1
        made[provenance.preprocessing, provenance.weights, provenance.flow, provenance.precision] += 1
    return {
        "videos": len(videos),
        "steps": steps,
        "duration_s": seconds,
        "kinds": [
            {"extractor": name, "dimension": dimension, "step_s": step_s, "videos": count}
            for (name, dimension, step_s), count in kinds.most_common()
        ],
        "made": [
            {"preprocessing": preprocessing, "weights": weights, "flow": flow, "precision": precision, "videos": count}
            for (preprocessing, weights, flow, precision), count in made.most_common()
        ],
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
