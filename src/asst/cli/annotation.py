"""What verbs that need a data set's annotation share: the reading of it, and a word on its faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from asst.errors import InputError

if TYPE_CHECKING:
    from asst.data import Dataset, Problem
    from asst.data.actions import ActionDataset
    from asst.evaluation.prior import Prior


def read_annotation(name: str | None, split: str | None, folder: Path | None, *, problems: bool) -> tuple[str, Dataset]:
    """The data set's key and one split of it; standard error gets how many rows of its file were at fault.

    Raises:
        InputError: for a missing or unknown name or split, no folder, or files that cannot be read.
    """
    from asst.data import DATASETS, data_folder, read_dataset

    key, split = _named(name, split)
    if key in DATASETS and folder is None:
        folder = data_folder(key)
    dataset = read_dataset(key, folder or Path(), split)
    _tell(key, split, dataset.problems, each=problems)
    return key, dataset


def read_action_annotation(
    name: str | None, split: str | None, folder: Path | None, *, problems: bool
) -> tuple[str, ActionDataset]:
    """As `read_annotation`, of a data set of labelled spans."""
    from asst.data import data_folder, read_actions

    key, split = _named(name, split)
    dataset = read_actions(key, folder or data_folder(key), split)
    _tell(key, split, dataset.problems, each=problems)
    return key, dataset


def detects(name: str | None) -> bool:
    """Whether a data set is one of labelled spans."""
    from asst.data import ACTION_DATASETS

    return name is not None and _key(name) in ACTION_DATASETS


def blind_prior(key: str, judged: Dataset, folder: Path | None) -> Prior | None:
    """The prior to put beside figures on a split: fitted on the data set's first part that shares no video with it.

    None where no such part is here.
    """
    from asst.data import DATASETS, data_folder, read_dataset
    from asst.evaluation.prior import fitted_prior

    folder = folder or data_folder(key)
    for split in ("train", "val"):
        part = DATASETS[key].splits.get(split)
        if part is not None and part.is_in(folder):
            learnt = read_dataset(key, folder, split)
            if learnt.records and not set(learnt.video_names) & set(judged.video_names):
                return fitted_prior(key, learnt.records)
    return None


def _named(name: str | None, split: str | None) -> tuple[str, str]:
    if not name or not split:
        raise InputError("which annotation? give --dataset NAME and --split NAME")
    return _key(name), split


def _key(name: str) -> str:
    return name.lower().replace("-", "_")


def _tell(key: str, split: str, found: Sequence[Problem], *, each: bool) -> None:
    if found:
        dropped = sum(problem.dropped for problem in found)
        told = f"{len(found) - dropped} annotation rows were repaired and {dropped} left out"
        typer.echo(f"{key} {split}: of its file {told}", err=True)
    for problem in found if each else ():
        typer.echo(str(problem), err=True)


def read_every_split(name: str, folder: Path | None) -> tuple[str, dict[str, Dataset], list[str]]:
    """The data set's key, every split that its authors publish with at least one record, and the names of the others.

    Parts of another split, such as those that a training file is divided into, are left out.

    Raises:
        InputError: for an unknown name, no folder, files that are there and cannot be read, or no record at all.
    """
    from asst.data import DATASETS, data_folder, read_dataset
    from asst.data.record import first_problem

    key = _key(name)
    if key not in DATASETS:
        raise InputError(f"no data set {name!r}; there are {', '.join(DATASETS)}")
    folder = folder or data_folder(key)
    found: dict[str, Dataset] = {}
    absent = []
    problems: list[Problem] = []
    for split, part in DATASETS[key].splits.items():
        if part.held_out != "all":
            continue
        dataset = read_dataset(key, folder, split) if part.is_in(folder) else None
        if dataset is not None and dataset.records:
            found[split] = dataset
        else:
            absent.append(split)
            problems += dataset.problems if dataset is not None else ()
    if not found:
        told = f" ({first_problem(problems)})" if problems else ""
        raise InputError(f"{key}: no annotation with a usable record{told}; name its folder with --data")
    return key, found, absent
