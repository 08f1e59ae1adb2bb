"""Annotation: one reader a data set, all giving records or videos with labelled spans, and the tables of the data sets.

A split is always named. Charades-STA publishes no validation part, so its training file is divided by
`validation_videos`: ``train`` and ``val`` share no video, ``trainval`` is the file as published. DiDeMo's
validation file can be divided likewise, into ``val_train`` and ``val_held``, where there is nothing else to learn from.
THUMOS14 is trained on what its authors call validation and tested on their test part; of the training videos a part is
held out likewise.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from asst.data.actions import ActionDataset
from asst.data.readers import charades, didemo, jsonlines, qvhighlights, thumos14, video_captions
from asst.data.record import Dataset, first_problem
from asst.errors import InputError

DATA = "ASST_DATA"
"""Environment variable that names the folder with a folder a data set."""

_HELD_OUT = 0.1

D = TypeVar("D", Dataset, ActionDataset)
HeldOut = Literal["all", "only", "without"]


@dataclass(frozen=True, slots=True)
class Part:
    """Where a split comes from: names in the data set's folder, as its reader takes them.

    Attributes:
        held_out: whether the split is the whole file, or the file with or without its `validation_videos`.
        queries: names of a file of the same queries in the form of QVHighlights, taken where the others are not there.
    """

    files: tuple[str, ...]
    held_out: HeldOut = "all"
    queries: tuple[str, ...] = ()

    def queries_in(self, folder: Path) -> Path | None:
        """The file of `queries` that a folder has in place of the data set's own."""
        if (folder / self.files[0]).exists():
            return None
        return next((folder / name for name in self.queries if (folder / name).exists()), None)

    def is_in(self, folder: Path) -> bool:
        """Whether a folder has all that it takes."""
        return self.queries_in(folder) is not None or all((folder / file).is_file() for file in self.files)

    def of(self, dataset: D, split: str) -> D:
        """The part of what was read of its files, under the name of the split."""
        if self.held_out == "all":
            return dataset
        names = dataset.video_names
        held_out = validation_videos(names)
        return dataset.about(held_out if self.held_out == "only" else frozenset(names) - held_out, split)


@dataclass(frozen=True, slots=True)
class DatasetEntry(Generic[D]):
    """One data set.

    Attributes:
        reader: called with the paths of a part's files and ``split=``.
        protocol: a key of `asst.evaluation.protocol.PROTOCOLS`, or for labelled spans of
            `asst.evaluation.detection.DETECTION_PROTOCOLS`.
    """

    title: str
    reader: Callable[..., D]
    splits: Mapping[str, Part]
    protocol: str = "moments"

    def read(self, folder: Path, split: str) -> D:
        """One split, from the data set's folder; an `InputError` for files that cannot be read."""
        part = self.splits[split]
        dataset = self.reader(*(folder / file for file in part.files), split=split)
        return part.of(dataset, split)


_SPLITS = ("train", "val", "test")
_SHIFTED = ("train", "val", "test_iid", "test_ood")
"""Of the data sets under changing distributions (Yuan et al. 2021)."""


def _each(file: str, splits: tuple[str, ...] = _SPLITS, queries: str = "") -> dict[str, Part]:
    """A file for each split, called as it."""
    return {own: Part((file.format(own),), queries=(queries.format(own),) if queries else ()) for own in splits}


def _charades(split: str, held_out: HeldOut = "all") -> Part:
    queries = ("charades_{}_release.jsonl", "charades_sta_{}_tvr_format.jsonl", "charades_{}.jsonl")
    files = (f"charades_sta_{split}.txt", f"Charades_v1_{split}.csv")
    return Part(files, held_out, tuple(name.format(split) for name in queries))


def _thumos14(part: str, held_out: HeldOut = "all") -> Part:
    return Part((f"annotations_{part}", "video_info.json"), held_out)


DATASETS: dict[str, DatasetEntry[Dataset]] = {
    "didemo": DatasetEntry(
        "DiDeMo",
        didemo.read,
        _each("{}_data.json")
        | {"val_train": Part(("val_data.json",), "without"), "val_held": Part(("val_data.json",), "only")},
        protocol="clips",
    ),
    "charades_sta": DatasetEntry(
        "Charades-STA",
        charades.read_sta,
        {
            "train": _charades("train", "without"),
            "val": _charades("train", "only"),
            "trainval": _charades("train"),
            "test": _charades("test"),
        },
        protocol="annotated moments",
    ),
    "activitynet_captions": DatasetEntry(
        "ActivityNet Captions",
        video_captions.read_activitynet,
        _each("{}.json", queries="activitynet_{}_release.jsonl"),
    ),
    "charades_cd": DatasetEntry("Charades-CD", video_captions.read_activitynet, _each("charades_{}.json", _SHIFTED)),
    "activitynet_cd": DatasetEntry("ActivityNet-CD", video_captions.read_activitynet, _each("anet_{}.json", _SHIFTED)),
    "tacos": DatasetEntry("TACoS", video_captions.read_tacos, _each("{}.json", queries="tacos_{}_release.jsonl")),
    "qvhighlights": DatasetEntry(
        "QVHighlights", qvhighlights.read, _each("highlight_{}_release.jsonl", ("train", "val")), protocol="highlights"
    ),
    "jsonlines": DatasetEntry(
        "own annotation",
        jsonlines.read,
        _each("{}.jsonl") | {"all": Part(("annotations.jsonl",)), "corrections": Part(("corrections.jsonl",))},
    ),
}

ACTION_DATASETS: dict[str, DatasetEntry[ActionDataset]] = {
    "thumos14": DatasetEntry(
        "THUMOS14",
        thumos14.read,
        {
            "train": _thumos14("val", "without"),
            "val": _thumos14("val", "only"),
            "trainval": _thumos14("val"),
            "test": _thumos14("test"),
        },
        protocol="thumos14",
    ),
    "actions": DatasetEntry(
        "own annotation of actions", jsonlines.read_actions, _each("{}.jsonl"), protocol="thumos14"
    ),
}


def require_split(dataset: str, split: str) -> None:
    """Refuses, by an `InputError`, a split that a known data set does not have."""
    entry = DATASETS.get(dataset) or ACTION_DATASETS.get(dataset)
    if entry is not None and split not in entry.splits:
        raise InputError(f"{entry.title} has no split {split!r}; it has {', '.join(entry.splits)}")


def share_videos(dataset: str, first: str, second: str) -> bool:
    """Whether two splits of a data set are of the same file, and not its two parts that share no video.

    >>> share_videos("charades_sta", "train", "trainval"), share_videos("thumos14", "train", "val")
    (True, False)
    >>> share_videos("charades_sta", "trainval", "val"), share_videos("thumos14", "trainval", "val")
    (True, True)
    """
    entry = DATASETS.get(dataset) or ACTION_DATASETS.get(dataset)
    splits = {} if entry is None else entry.splits
    if first not in splits or second not in splits:
        return first == second
    parts = splits[first], splits[second]
    return parts[0].files == parts[1].files and {part.held_out for part in parts} != {"only", "without"}


def read_dataset(name: str, folder: Path, split: str) -> Dataset:
    """One split of one of `DATASETS`, from the folder with its files; raises InputError if it cannot be read."""
    if name not in DATASETS:
        raise InputError(f"no data set {name!r}; there are {', '.join(DATASETS)}")
    require_split(name, split)
    entry, folder = DATASETS[name], Path(folder)
    part = entry.splits[split]
    queries = part.queries_in(folder)
    return part.of(qvhighlights.read(queries, split), split) if queries else entry.read(folder, split)


def read_actions(name: str, folder: Path, split: str) -> ActionDataset:
    """One split of a data set of labelled spans; raises as `read_dataset`, or for a split without a usable video."""
    if name not in ACTION_DATASETS:
        raise InputError(f"no data set of actions {name!r}; there are {', '.join(ACTION_DATASETS)}")
    require_split(name, split)
    entry = ACTION_DATASETS[name]
    dataset = entry.read(Path(folder), split)
    if not dataset.videos:
        raise InputError(f"{entry.title} {split} has no usable video in {folder}: {first_problem(dataset.problems)}")
    return dataset


def data_folder(name: str) -> Path:
    """The folder of a data set's annotation files, if nobody says; an `InputError` if it is not there."""
    above = os.environ.get(DATA)
    if not above:
        raise InputError(f"where is the annotation of {name}? name its folder, or set {DATA} to the folder above it")
    folder = Path(above) / name
    if not folder.is_dir():
        raise InputError(f"no annotation of {name} at {folder}; name its folder, or set {DATA} to the folder above it")
    return folder


def validation_videos(videos: Iterable[str]) -> frozenset[str]:
    """The training videos that are held out for validation, a tenth of these names, rounded up.

    Videos are ordered by the SHA-256 of their names after ``0:``, and the first taken; nothing else plays a part.
    Sentences of one video never stand on both sides.

    >>> len(validation_videos("abcdefghijk")), validation_videos("ab") == validation_videos("bab")
    (2, True)
    """
    ordered = sorted(set(videos), key=lambda video: hashlib.sha256(f"0:{video}".encode()).digest())
    return frozenset(ordered[: math.ceil(_HELD_OUT * len(ordered))])
