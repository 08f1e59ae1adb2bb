"""Annotation: one reader a data set, all giving records, and the table of the data sets.

A split is always named. Charades-STA publishes no validation part, so its training file is divided by
`validation_videos`: ``train`` and ``val`` share no video, ``trainval`` is the file as published. DiDeMo's
validation file can be divided likewise, into ``val_train`` and ``val_held``, where there is nothing else to learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asst.data import activitynet_captions, charades_sta, didemo, jsonlines, qvhighlights, tacos
from asst.data.record import Dataset, Problem, Record, Span
from asst.data.splits import validation_videos
from asst.errors import InputError

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetEntry",
    "Part",
    "Problem",
    "Record",
    "Span",
    "read_dataset",
    "share_videos",
    "validation_videos",
]


@dataclass(frozen=True, slots=True)
class Part:
    """Where a split comes from.

    Attributes:
        files: names in the data set's folder, as its reader takes them.
        held_out: whether the split is the whole file, or the file with or without its `validation_videos`.
        queries: names of a file of the same queries in the form of QVHighlights, taken where the others are not there.
    """

    files: tuple[str, ...]
    held_out: Literal["all", "only", "without"] = "all"
    queries: tuple[str, ...] = ()

    def queries_in(self, folder: Path) -> Path | None:
        """The file of `queries` that a folder has in place of the data set's own."""
        if (folder / self.files[0]).exists():
            return None
        return next((folder / name for name in self.queries if (folder / name).exists()), None)

    def is_in(self, folder: Path) -> bool:
        """Whether a folder has all that it takes."""
        return self.queries_in(folder) is not None or all((folder / file).is_file() for file in self.files)


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One data set.

    Attributes:
        title: its name in tables.
        reader: called with the paths of a part's files and ``split=``.
        splits: where each split comes from.
    """

    title: str
    reader: Callable[..., Dataset]
    splits: Mapping[str, Part]


_CHARADES_TRAIN = ("charades_sta_train.txt", "Charades_v1_train.csv")
_CHARADES_TEST = ("charades_sta_test.txt", "Charades_v1_test.csv")
_CHARADES_QUERIES = ("charades_{}_release.jsonl", "charades_sta_{}_tvr_format.jsonl", "charades_{}.jsonl")
_TRAIN_QUERIES, _TEST_QUERIES = (tuple(name.format(split) for name in _CHARADES_QUERIES) for split in ("train", "test"))


def _by_split(queries: str) -> dict[str, Part]:
    return {
        split: Part((f"{split}.json",), queries=(f"{queries}_{split}_release.jsonl",))
        for split in ("train", "val", "test")
    }


DATASETS: dict[str, DatasetEntry] = {
    "didemo": DatasetEntry(
        "DiDeMo",
        didemo.read,
        {split: Part((f"{split}_data.json",)) for split in ("train", "val", "test")}
        | {"val_train": Part(("val_data.json",), "without"), "val_held": Part(("val_data.json",), "only")},
    ),
    "charades_sta": DatasetEntry(
        "Charades-STA",
        charades_sta.read,
        {
            "train": Part(_CHARADES_TRAIN, "without", _TRAIN_QUERIES),
            "val": Part(_CHARADES_TRAIN, "only", _TRAIN_QUERIES),
            "trainval": Part(_CHARADES_TRAIN, queries=_TRAIN_QUERIES),
            "test": Part(_CHARADES_TEST, queries=_TEST_QUERIES),
        },
    ),
    "activitynet_captions": DatasetEntry(
        "ActivityNet Captions",
        activitynet_captions.read,
        _by_split("activitynet"),
    ),
    "tacos": DatasetEntry("TACoS", tacos.read, _by_split("tacos")),
    "qvhighlights": DatasetEntry(
        "QVHighlights",
        qvhighlights.read,
        {split: Part((f"highlight_{split}_release.jsonl",)) for split in ("train", "val")},
    ),
    "jsonlines": DatasetEntry(
        "own annotation",
        jsonlines.read,
        {
            "train": Part(("train.jsonl",)),
            "val": Part(("val.jsonl",)),
            "test": Part(("test.jsonl",)),
            "all": Part(("annotations.jsonl",)),
            "corrections": Part(("corrections.jsonl",)),
        },
    ),
}


def share_videos(dataset: str, first: str, second: str) -> bool:
    """Whether two splits of a data set are of the same file, and not its two parts that share no video.

    >>> share_videos("charades_sta", "train", "trainval"), share_videos("charades_sta", "train", "val")
    (True, False)
    """
    splits = DATASETS[dataset].splits if dataset in DATASETS else {}
    if first not in splits or second not in splits:
        return first == second
    parts = splits[first], splits[second]
    return parts[0].files == parts[1].files and {part.held_out for part in parts} != {"only", "without"}


def read_dataset(name: str, folder: Path, split: str, strict: bool = False) -> Dataset:
    """One split of a data set.

    Args:
        name: a key of `DATASETS`.
        folder: the folder with the data set's files, named as their authors name them.
        split: one of the data set's splits.
        strict: refuse a file with any problem.

    Raises:
        InputError: for an unknown name or split, a missing or unreadable file, or, if ``strict``, the first problem.
    """
    if name not in DATASETS:
        raise InputError(f"no data set {name!r}; there are {', '.join(DATASETS)}")
    entry = DATASETS[name]
    if split not in entry.splits:
        raise InputError(f"{entry.title} has no split {split!r}; it has {', '.join(entry.splits)}")
    part, folder = entry.splits[split], Path(folder)
    queries = part.queries_in(folder)
    if queries is not None:
        dataset = qvhighlights.read(queries, split)
    else:
        dataset = entry.reader(*(folder / file for file in part.files), split=split)
    if part.held_out != "all":
        held_out = validation_videos(dataset.videos)
        dataset = dataset.about(
            held_out if part.held_out == "only" else frozenset(dataset.videos) - held_out, split=split
        )
    return dataset.strict() if strict else dataset
