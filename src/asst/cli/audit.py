"""``asst audit``: what to know of a data set before believing a number on it."""

from __future__ import annotations

import sys
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from asst.cli import options
from asst.cli.options import argument, print_json, tell
from asst.errors import InputError, counted

if TYPE_CHECKING:
    from asst.data.record import Dataset
    from asst.evaluation.audit import Audit
    from asst.outputs.table import Grid

_SPREADS = {
    "duration_s": "video, s",
    "moment_s": "moment, s",
    "moment_share": "moment, share of video",
    "start_share": "start, share of video",
    "end_share": "end, share of video",
    "moments_a_query": "moments a query",
    "words": "words a sentence",
}
_NUMBERS = ("least", "25 %", "median", "75 %", "greatest", "mean")
_FIFTHS = ("first fifth", "second", "third", "fourth", "last")


def audit(
    dataset: Annotated[str, argument("DATASET", options.OF_SENTENCES)],
    data: options.DataFolder = None,
    as_json: options.Json = False,
) -> None:
    """Print what a prior alone reaches on DATASET, how its spans and sentences are spread, and what its splits share.

    Needs the annotation alone. A split whose files are not there is left out.
    """
    from asst.evaluation.audit import audit as look

    key, splits, absent = _every_split(dataset, data)
    if absent:
        tell(f"{key}: no files of {', '.join(absent)}")
    found = look(key, splits)
    if as_json:
        print_json([found.as_json()])
        return
    from asst.cli.questions import metric_grid
    from asst.outputs.table import Grid, write_grids

    grids = _splits(found)
    if found.leaks:
        rows = [
            [f"{leak.first}, {leak.second}", str(leak.videos), f"{100 * leak.sentences:.1f}", ", ".join(leak.named)]
            for leak in found.leaks
        ]
        headings = ["splits", "videos in both", "sentences of the second\nin the first, per cent", "such as"]
        grids.append(Grid(f"{found.dataset}: what splits have in common", headings, rows))
    for prior in found.priors:
        same = ", the same split: no other is there" if found.fitted == prior.split else ""
        title = f"{found.dataset} {prior.split}: the prior of {found.fitted}{same}"
        notes = ["per cent; low and high enclose 95 % over videos. A method that reads the sentence must beat this."]
        grids.append(metric_grid(prior, title, notes))
    write_grids(grids, sys.stdout)


def _every_split(name: str, folder: Path | None) -> tuple[str, dict[str, Dataset], list[str]]:
    """The data set's key, every split that its authors publish with at least one record, and the names of the others.

    Parts of another split, such as those that a training file is divided into, are left out.
    """
    from asst.data import DATASETS, data_folder, read_dataset
    from asst.data.record import first_problem

    key = options.key_of(name)
    if key not in DATASETS:
        raise InputError(f"no data set {name!r}; there are {', '.join(DATASETS)}")
    folder = folder or data_folder(key)
    parts = {split: part for split, part in DATASETS[key].splits.items() if part.held_out == "all"}
    read = {split: read_dataset(key, folder, split) for split, part in parts.items() if part.is_in(folder)}
    found = {split: own for split, own in read.items() if own.records}
    if not found:
        problems = [problem for own in read.values() for problem in own.problems]
        told = f" ({first_problem(problems)})" if problems else ""
        raise InputError(f"{key}: no annotation with a usable record in {folder}{told}; name its folder with --data")
    return key, found, [split for split in parts if split not in found]


def _splits(found: Audit) -> list[Grid]:
    from asst.outputs.table import Grid

    grids = []
    for name, split in found.splits.items():
        spreads = {label: astuple(getattr(split, key)) for key, label in _SPREADS.items()}
        rows = [[label, *(f"{number:.4g}" for number in own)] for label, own in spreads.items()]
        notes = [
            f"{counted(split.vocabulary, 'distinct word')}, {split.unknown_words} of them without a packaged vector; "
            f"{100 * split.distinct_sentences:.1f} % of the sentences are distinct",
            f"{100 * split.whole:.1f} % of the moments are the whole video",
            f"{counted(split.duplicates, 'query repeats', 'queries repeat')} a sentence about the same video; "
            f"{split.same_span} share their moment with another sentence",
            f"of the file {counted(split.repaired, 'row was', 'rows were')} repaired and {split.dropped} left out",
        ]
        title = f"{found.dataset} {name}: {counted(split.queries, 'query')}, {counted(split.videos, 'video')}"
        grids.append(Grid(title, ["", *_NUMBERS], rows, notes))
        shares = [
            [start, *(f"{100 * share:.1f}" for share in row)] for start, row in zip(_FIFTHS, split.grid, strict=True)
        ]
        grids.append(
            Grid(f"{found.dataset} {name}: where moments start (rows) and end, per cent", ["", *_FIFTHS], shares)
        )
    return grids
