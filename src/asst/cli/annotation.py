"""What every verb that needs a data set's annotation shares: its name, its folder, and a word on its faults."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.errors import InputError

if TYPE_CHECKING:
    from asst.data import Dataset

DatasetName = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="didemo, charades-sta, activitynet-captions, tacos, qvhighlights or jsonlines.",
        show_default=False,
    ),
]
Split = Annotated[str | None, typer.Option(metavar="NAME", help="Its part, such as val or test.", show_default=False)]
DataFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="The folder of its annotation files; else the data set's name in $ASST_DATA or in ../shared/data.",
        show_default=False,
    ),
]
Problems = Annotated[bool, typer.Option("--problems", help="Name each annotation row that was repaired or left out.")]


def read_annotation(name: str | None, split: str | None, folder: Path | None, *, problems: bool) -> tuple[str, Dataset]:
    """The data set's key and one split of it; standard error gets how many rows of its file were at fault.

    Raises:
        InputError: for a missing or unknown name or split, no folder, or files that cannot be read.
    """
    from asst.data import DATASETS, read_dataset
    from asst.data.folders import data_folder

    if not name or not split:
        raise InputError("which annotation? give --dataset NAME and --split NAME")
    key = name.lower().replace("-", "_")
    if key in DATASETS and folder is None:
        folder = data_folder(key)
    dataset = read_dataset(key, folder or Path(), split)
    if dataset.problems:
        dropped = sum(problem.dropped for problem in dataset.problems)
        repaired = len(dataset.problems) - dropped
        typer.echo(
            f"{key} {split}: of its file {repaired} annotation rows were repaired and {dropped} left out", err=True
        )
    for problem in dataset.problems if problems else ():
        typer.echo(str(problem), err=True)
    return key, dataset


def read_every_split(name: str, folder: Path | None) -> tuple[str, dict[str, Dataset], list[str]]:
    """The data set's key, every split that its authors publish with at least one record, and the names of the others.

    Parts of another split, such as those that a training file is divided into, are left out.

    Raises:
        InputError: for an unknown name, no folder, or files that are there and cannot be read.
    """
    from asst.data import DATASETS, read_dataset
    from asst.data.folders import data_folder

    key = name.lower().replace("-", "_")
    if key not in DATASETS:
        raise InputError(f"no data set {name!r}; there are {', '.join(DATASETS)}")
    folder = folder or data_folder(key)
    found: dict[str, Dataset] = {}
    absent = []
    for split, part in DATASETS[key].splits.items():
        if part.held_out != "all":
            continue
        there = all((folder / file).is_file() for file in part.files)
        dataset = read_dataset(key, folder, split) if there else None
        if dataset is not None and dataset.records:
            found[split] = dataset
        else:
            absent.append(split)
    return key, found, absent
