"""What verbs that need a data set's annotation share: the reading of it, and a word on its faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asst.cli.options import Annotation, key_of
from asst.cli.verb import tell
from asst.data import DATASETS, Dataset, Problem, data_folder, read_actions, read_dataset
from asst.data.actions import ActionDataset
from asst.data.record import first_problem
from asst.errors import InputError
from asst.evaluation.prior import Prior, fitted_prior


def read_annotation(asked: Annotation) -> tuple[str, Dataset]:
    """The data set's key and one split of it; standard error gets how many rows of its file were at fault.

    Raises an `InputError` for a missing or unknown name or split, no folder, or files that cannot be read.
    """
    key, split = asked.named
    folder = asked.data or (data_folder(key) if key in DATASETS else Path())
    dataset = read_dataset(key, folder, split)
    _tell(key, split, dataset.problems, each=asked.problems)
    return key, dataset


def read_action_annotation(asked: Annotation) -> tuple[str, ActionDataset]:
    """As `read_annotation`, of a data set of labelled spans."""
    key, split = asked.named
    dataset = read_actions(key, asked.data or data_folder(key), split)
    _tell(key, split, dataset.problems, each=asked.problems)
    return key, dataset


def blind_prior(key: str, judged: Dataset, folder: Path | None) -> Prior | None:
    """The prior to put beside figures on a split: fitted on the data set's first part that shares no video with it.

    None where no such part is here.
    """
    folder = folder or data_folder(key)
    for split in ("train", "val"):
        part = DATASETS[key].splits.get(split)
        if part is not None and part.is_in(folder):
            learnt = read_dataset(key, folder, split)
            if learnt.records and not set(learnt.video_names) & set(judged.video_names):
                return fitted_prior(key, learnt.records)
    return None


def _tell(key: str, split: str, found: Sequence[Problem], *, each: bool) -> None:
    if found:
        dropped = sum(problem.dropped for problem in found)
        told = f"{len(found) - dropped} annotation rows were repaired and {dropped} left out"
        tell(f"{key} {split}: of its file {told}")
    for problem in found if each else ():
        tell(str(problem))


def read_every_split(name: str, folder: Path | None) -> tuple[str, dict[str, Dataset], list[str]]:
    """The data set's key, every split that its authors publish with at least one record, and the names of the others.

    Parts of another split, such as those that a training file is divided into, are left out. Raises an `InputError` for
    an unknown name, no folder, files that are there and cannot be read, or no record at all.
    """
    key = key_of(name)
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
        raise InputError(f"{key}: no annotation with a usable record in {folder}{told}; name its folder with --data")
    return key, found, absent
