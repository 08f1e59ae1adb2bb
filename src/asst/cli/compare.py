"""``asst compare``: two systems on the same sentences, with paired intervals over videos."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from asst.cli import options
from asst.cli.options import Annotation, argument
from asst.cli.verb import print_json
from asst.errors import InputError


def compare(
    first: Annotated[Path, argument("A", "Predictions, a run's folder, or a folder of runs, over which is averaged.")],
    second: Annotated[Path, argument("B", "Likewise, of the other system.")],
    *,
    annotation: Annotation,
    as_json: options.Json = False,
) -> None:
    """Say how far A is ahead of B on the sentences of a split, in every metric of its protocol.

    Intervals hold 95 % of the differences when videos are drawn with replacement, the same for both, and where there
    are several runs these too.
    """
    from asst.cli.annotation import read_annotation
    from asst.evaluation.scoring import compare as compared
    from asst.evaluation.scoring import per_cent, query_values
    from asst.outputs.json_lines import read_answers

    if annotation.detects:
        raise InputError("detections have no value a sentence to compare by; 'asst evaluate' gives each its interval")
    (key, judged), split = read_annotation(annotation), annotation.split
    files = [_predictions(path, str(split)) for path in (first, second)]
    ours, theirs = (query_values(key, judged.records, map(read_answers, paths), _protocol(paths[0])) for paths in files)
    found = compared(judged.records, ours, theirs)
    figures = {
        metric: {"a": round(100 * one.ours, 4), "b": round(100 * one.theirs, 4), **per_cent(one.difference)}
        for metric, one in found.items()
    }
    if as_json:
        runs = {name: len(paths) for name, paths in zip("ab", files, strict=True)}
        print_json([{"dataset": key, "split": split, "runs": runs, "differences": figures}])
        return
    from asst.outputs.grid import Grid, write_grids

    rows = [
        [metric, *("-" if value is None else f"{value:.2f}" for value in own.values())]
        for metric, own in figures.items()
    ]
    names = [
        f"{name}: {path} ({len(paths)} runs)" for name, path, paths in zip("AB", (first, second), files, strict=True)
    ]
    notes = [*names, "per cent; low and high enclose 95 % of the difference over videos and runs"]
    title = f"{key} {split}: {len(judged.records)} queries, {len(judged.video_names)} videos"
    write_grids([Grid(title, ["metric", "A", "B", "A - B", "low", "high"], rows, notes)], sys.stdout)


def _protocol(predictions: Path) -> str:
    """What a run's own recipe judges by; as they are, of predictions that are no run's."""
    recipe = predictions.parent.parent / "recipe.yaml"
    if not recipe.exists():
        return "standard"
    from asst.training.recipe import read_recipe

    return read_recipe([recipe]).protocol


def _predictions(path: Path, split: str) -> list[Path]:
    """The file itself, or those of all runs in a folder."""
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob(f"predictions/{split}.jsonl"))
    if not found:
        raise InputError(f"{path} has no predictions/{split}.jsonl; run 'asst evaluate {path} --split {split}' first")
    return found
