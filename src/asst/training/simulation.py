"""Simulated features of the data sets that have a generator, written where they are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asst.data import read_actions, read_dataset
from asst.data.charades import CharadesVideo, read_classes, read_videos
from asst.data.simulate.actions import ACTION_MODALITIES, ActionSettings, ActionSimulator
from asst.data.simulate.generate import Simulator, write_simulated
from asst.data.simulate.settings import LEVELS, MODALITIES, Settings
from asst.errors import InputError
from asst.features.store import Store

Say = Callable[[str], None]
"""Takes a line on what is being done."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which simulated features.

    Attributes:
        dataset: a key of `SIMULATIONS`.
        modality: one of the data set's.
        level: a key of `LEVELS`.
        seed: of all draws.
        dimension: width of a vector.

    Raises:
        InputError: for a data set, modality or level that there is not.
    """

    dataset: str
    modality: str
    level: str
    seed: int = 0
    dimension: int = 256

    def __post_init__(self) -> None:
        if self.dataset not in SIMULATIONS:
            raise InputError(
                f"features can be simulated for {' and '.join(SIMULATIONS)}, not for {self.dataset}; give real ones"
            )
        modalities = SIMULATIONS[self.dataset].modalities
        if self.modality not in modalities or self.level not in LEVELS:
            raise InputError(
                f"no simulated features {self.modality} {self.level} of {self.dataset}; choose one of "
                f"{', '.join(modalities)} and one of {', '.join(LEVELS)}"
            )

    @property
    def extractor(self) -> str:
        """Name of the features."""
        return SIMULATIONS[self.dataset].settings(self).extractor


@dataclass(frozen=True, slots=True)
class Simulation:
    """How a data set's features are simulated.

    Attributes:
        modalities: what it has.
        settings: of the generator, with the name of the features.
        write: writes to a store what it lacks, from a folder of annotation, and returns how many videos those were.
    """

    modalities: tuple[str, ...]
    settings: Callable[[Wanted], Settings | ActionSettings]
    write: Callable[[Wanted, Path, Store], int]


def simulate(wanted: Wanted, root: Path, store: Store, say: Say) -> int:
    """Features of every video of a data set, as far as the store lacks them.

    Args:
        wanted: which.
        root: folder of the data set's annotation files.
        store: where they go.
        say: told before it starts.

    Returns:
        How many videos were written.

    Raises:
        InputError: for annotation that cannot be read, or a store that cannot be written or holds other features.
    """
    say(f"simulated features {wanted.extractor}: making those that {store.folder} lacks")
    return SIMULATIONS[wanted.dataset].write(wanted, root, store)


def used_videos(root: Path, split: Literal["train", "test"]) -> tuple[str, ...]:
    """The videos of one of Charades' two parts that Charades-STA has a sentence about, sorted."""
    return read_dataset("charades_sta", root, "trainval" if split == "train" else "test").video_names


def _charades_settings(wanted: Wanted) -> Settings:
    return Settings(
        modality=MODALITIES[wanted.modality], level=LEVELS[wanted.level], seed=wanted.seed, dimension=wanted.dimension
    )


def _charades(wanted: Wanted, root: Path, store: Store) -> int:
    videos: list[CharadesVideo] = []
    splits: tuple[Literal["train", "test"], ...] = ("train", "test")
    for split in splits:
        known = read_videos(root / f"Charades_v1_{split}.csv").videos
        videos += [known[video] for video in used_videos(root, split)]
    return write_simulated(store, videos, Simulator(read_classes(root / "classes.txt"), _charades_settings(wanted)))


def _thumos14_settings(wanted: Wanted) -> ActionSettings:
    modality = ACTION_MODALITIES[wanted.modality]
    return ActionSettings(modality=modality, level=LEVELS[wanted.level], seed=wanted.seed, dimension=wanted.dimension)


def _thumos14(wanted: Wanted, root: Path, store: Store) -> int:
    parts = [read_actions("thumos14", root, split) for split in ("trainval", "test")]
    labels = sorted({label for part in parts for label in part.labels})
    simulator = ActionSimulator(labels, parts[0].includes, _thumos14_settings(wanted))
    return write_simulated(store, [video for part in parts for video in part.videos], simulator)


SIMULATIONS = {
    "charades_sta": Simulation(tuple(MODALITIES), _charades_settings, _charades),
    "thumos14": Simulation(tuple(ACTION_MODALITIES), _thumos14_settings, _thumos14),
}
"""By the keys of `asst.data.DATASETS` and `asst.data.ACTION_DATASETS`."""
