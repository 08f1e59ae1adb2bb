"""Simulated features of the data sets that have a generator, written where they are missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from asst.data import read_actions, read_dataset
from asst.data.actions import ActionVideo
from asst.data.readers.charades import CharadesVideo, read_classes, read_videos
from asst.data.record import Record
from asst.errors import InputError
from asst.features.stores.native import Store
from asst.simulate.features import actions, sentences
from asst.simulate.features.actions import ACTION_MODALITIES, ActionSimulator
from asst.simulate.features.generate import Simulator, write_simulated
from asst.simulate.features.painting import Shown
from asst.simulate.features.sentences import DescribedVideo, SentenceSimulator, described_videos
from asst.simulate.features.settings import LEVELS, MODALITIES, Settings

Say = Callable[[str], None]
"""Takes a line on what is being done."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """How a data set's features are simulated.

    ``open`` gives from a folder of annotation what makes them, and every video; ``meant`` the names, among those of
    what a video's features show, of what a sentence is about.
    """

    modalities: Mapping[str, Any]
    family: str
    open: Callable[[Settings, Path], tuple[Any, Sequence[Any]]]
    meant: Callable[[Any, Record], set[str]] | None = None


def settings_of(dataset: str, modality: str, level: str, seed: int = 0, dimension: int = 256) -> Settings:
    """Of a data set's generator, by the names of its modality and level.

    Raises an `InputError` for a data set, modality or level that there is not.
    """
    if dataset not in SIMULATIONS:
        raise InputError(f"features can be simulated for {', '.join(SIMULATIONS)}, not for {dataset}; give real ones")
    own = SIMULATIONS[dataset]
    if modality not in own.modalities or level not in LEVELS:
        raise InputError(
            f"no simulated features {modality} {level} of {dataset}; choose one of {', '.join(own.modalities)} and one "
            f"of {', '.join(LEVELS)}"
        )
    return Settings(
        modality=own.modalities[modality], level=LEVELS[level], seed=seed, dimension=dimension, family=own.family
    )


def simulate(dataset: str, settings: Settings, root: Path, store: Store, say: Say) -> int:
    """Features of every video of a data set, as far as the store lacks them; gives how many videos were written.

    ``say`` is told before anything is written what is, where and how large. Raises an `InputError` for annotation that
    cannot be read, or a store that cannot be written or holds other features.
    """
    simulator, videos = SIMULATIONS[dataset].open(settings, root)
    return write_simulated(store, videos, simulator, say)


def shown_to(
    dataset: str, settings: Settings, root: Path, records: Sequence[Record]
) -> list[tuple[list[Shown], set[str]]]:
    """What the features of each record's video show, and the names of what its sentence is about."""
    simulation = SIMULATIONS[dataset]
    assert simulation.meant is not None
    simulator, videos = simulation.open(settings, root)
    subjects = {subject.video: subject for subject in videos}
    shown = {video: simulator.shown(subjects[video]) for video in {record.video for record in records}}
    return [(shown[record.video], simulation.meant(subjects[record.video], record)) for record in records]


def used_videos(root: Path, split: Literal["train", "test"]) -> tuple[str, ...]:
    """The videos of one of Charades' two parts that Charades-STA has a sentence about, sorted."""
    return read_dataset("charades_sta", root, "trainval" if split == "train" else "test").video_names


def _charades(settings: Settings, root: Path) -> tuple[Simulator, list[CharadesVideo]]:
    splits: tuple[Literal["train", "test"], ...] = ("train", "test")
    known = {split: read_videos(root / f"Charades_v1_{split}.csv").videos for split in splits}
    videos = [known[split][video] for split in splits for video in used_videos(root, split)]
    return Simulator(read_classes(root / "classes.txt"), settings, videos), videos


def _didemo(settings: Settings, root: Path) -> tuple[SentenceSimulator, list[DescribedVideo]]:
    videos = described_videos(
        record for split in ("val", "test") for record in read_dataset("didemo", root, split).records
    )
    return SentenceSimulator(videos, settings), videos


def _thumos14(settings: Settings, root: Path) -> tuple[ActionSimulator, list[ActionVideo]]:
    parts = [read_actions("thumos14", root, split) for split in ("trainval", "test")]
    labels = sorted({label for part in parts for label in part.labels})
    return ActionSimulator(labels, parts[0].includes, settings), [video for part in parts for video in part.videos]


SIMULATIONS = {
    "charades_sta": Simulation(
        MODALITIES,
        "",
        _charades,
        lambda video, record: {own.label for own in video.actions if (own.start_s, own.end_s) in record.moments},
    ),
    "didemo": Simulation(MODALITIES, sentences.FAMILY, _didemo, lambda video, record: {record.id}),
    "thumos14": Simulation(ACTION_MODALITIES, actions.FAMILY, _thumos14),
}
"""By the keys of `asst.data.DATASETS` and `asst.data.ACTION_DATASETS`."""
