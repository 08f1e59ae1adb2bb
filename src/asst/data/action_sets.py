"""The table of the data sets of labelled spans.

THUMOS14 is trained on what its authors call validation and tested on their test part. Of the training videos a tenth,
`validation_videos`, is held out to choose checkpoints by: ``train`` and ``val`` share no video, ``trainval`` is the
part as published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from asst.data import Part, action_lines, thumos14, validation_videos
from asst.data.actions import ActionDataset
from asst.data.record import first_problem
from asst.errors import InputError


@dataclass(frozen=True, slots=True)
class ActionDatasetEntry:
    """One data set.

    Attributes:
        title: its name in tables.
        reader: called with the paths of a part's files and ``split=``.
        splits: where each split comes from.
    """

    title: str
    reader: Callable[..., ActionDataset]
    splits: Mapping[str, Part]


_THUMOS14_TRAIN = ("annotations_val", "video_info.json")

ACTION_DATASETS: dict[str, ActionDatasetEntry] = {
    "thumos14": ActionDatasetEntry(
        "THUMOS14",
        thumos14.read,
        {
            "train": Part(_THUMOS14_TRAIN, held_out="without"),
            "val": Part(_THUMOS14_TRAIN, held_out="only"),
            "trainval": Part(_THUMOS14_TRAIN),
            "test": Part(("annotations_test", "video_info.json")),
        },
    ),
    "actions": ActionDatasetEntry(
        "own annotation of actions",
        action_lines.read,
        {split: Part((f"{split}.jsonl",)) for split in ("train", "val", "test")},
    ),
}


def read_actions(name: str, folder: Path, split: str) -> ActionDataset:
    """One split of a data set of labelled spans.

    Args:
        name: a key of `ACTION_DATASETS`.
        folder: the folder with the data set's files, named as their authors name them.
        split: one of the data set's splits.

    Raises:
        InputError: for an unknown name or split, a missing or unreadable file, or a split without a usable video.
    """
    if name not in ACTION_DATASETS:
        raise InputError(f"no data set of actions {name!r}; there are {', '.join(ACTION_DATASETS)}")
    entry = ACTION_DATASETS[name]
    if split not in entry.splits:
        raise InputError(f"{entry.title} has no split {split!r}; it has {', '.join(entry.splits)}")
    part = entry.splits[split]
    dataset = entry.reader(*(Path(folder) / file for file in part.files), split=split)
    if part.held_out != "all":
        names = [video.video for video in dataset.videos]
        held_out = validation_videos(names)
        dataset = dataset.about(held_out if part.held_out == "only" else frozenset(names) - held_out, split)
    if not dataset.videos:
        raise InputError(f"{entry.title} {split} has no usable video in {folder}: {first_problem(dataset.problems)}")
    return dataset
