"""What a recipe learns from, opened: annotation, features and word vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from asst.data import Dataset, read_dataset
from asst.data.charades import CharadesVideo, read_classes, read_videos
from asst.data.folders import data_folder
from asst.data.simulate.generate import Simulator, write_simulated
from asst.data.simulate.settings import LEVELS, MODALITIES, Settings
from asst.errors import InputError
from asst.features.absent import AbsentStore
from asst.features.published import Clock, open_store
from asst.features.store import FeatureStore, JoinedStore, Store
from asst.models.checkpoint import FeatureKind, Origin
from asst.text import WordVectors
from asst.training.recipe import Data, Simulated

Say = Callable[[str], None]
"""Takes a line on what is being done."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a recipe's ``data`` name.

    Attributes:
        data: as the recipe has it.
        root: the folder of annotation files.
        store: features of all streams, side by side.
        words: word vectors.
        origin: whether the features are of real videos.
    """

    data: Data
    root: Path
    store: FeatureStore
    words: WordVectors
    origin: Origin

    def records(self, split: str) -> Dataset:
        """One split's records.

        Raises:
            InputError: as `asst.data.read_dataset`, or for a split without a record.
        """
        dataset = read_dataset(self.data.dataset, self.root, split)
        if not dataset.records:
            raise InputError(f"{self.data.dataset} {split} has no usable record in {self.root}; check its files")
        return dataset

    def feature_kind(self, video: str) -> FeatureKind:
        """What the features are, judged by one video's.

        Raises:
            InputError: if the store lacks it.
        """
        features = self.store.read(video)
        made = self.store.provenance(video)
        return FeatureKind(
            extractor=features.extractor,
            dimension=features.dimension,
            step_s=features.step_s,
            preprocessing=made.preprocessing,
            weights=made.weights,
        )


def open_sources(data: Data, recipe: str, say: Say) -> Sources:
    """Opens everything, and makes simulated features that are missing.

    Args:
        data: of a recipe.
        recipe: its name, for messages.
        say: told before anything that takes long.

    Raises:
        InputError: for a missing folder, store or file of vectors, or simulated features where there are none.
    """
    root = data.root or data_folder(data.dataset)
    words = WordVectors.packaged() if data.words == "packaged" else WordVectors.from_file(Path(data.words))
    if not data.streams:
        return Sources(data, root, AbsentStore(), words, "real")
    if data.simulated is not None:
        stores = _simulated(data, data.simulated, root, say)
        return Sources(data, root, _joined(stores), words, "simulated")
    missing = [stream for stream in data.streams if stream not in data.features]
    if missing:
        raise InputError(
            f"recipe {recipe} needs features of {' and '.join(missing)}: give "
            + " ".join(f"data.features.{stream}=STORE" for stream in missing)
        )
    found = [
        open_store(data.features[stream], Clock(stream, data.step_s) if data.step_s else None)
        for stream in data.streams
    ]
    return Sources(data, root, _joined(found), words, "real")


def _joined(stores: Sequence[FeatureStore]) -> FeatureStore:
    return stores[0] if len(stores) == 1 else JoinedStore(stores)


def _simulated(data: Data, simulated: Simulated, root: Path, say: Say) -> list[FeatureStore]:
    if data.dataset != "charades_sta":
        raise InputError(f"features can be simulated for charades_sta alone, not for {data.dataset}; give real ones")
    stores: list[FeatureStore] = []
    for stream in data.streams:
        settings = Settings(
            modality=MODALITIES[stream],
            level=LEVELS[simulated.level],
            seed=simulated.seed,
            dimension=simulated.dimension,
        )
        store = Store(simulated.folder / settings.extractor)
        count = simulate_charades(root, settings, store, say)
        if count:
            say(f"wrote simulated features of {count} videos to {store.folder}")
        stores.append(store)
    return stores


def simulate_charades(root: Path, settings: Settings, store: Store, say: Say) -> int:
    """Features of every video of Charades that Charades-STA has a sentence about, as far as the store lacks them.

    Args:
        root: folder of the annotation files of Charades-STA.
        settings: of the simulation.
        store: where they go.
        say: told before it starts.

    Returns:
        How many videos were written.

    Raises:
        InputError: for annotation that cannot be read, or a store that cannot be written or holds other features.
    """
    videos: list[CharadesVideo] = []
    splits: tuple[Literal["train", "test"], ...] = ("train", "test")
    for split in splits:
        known = read_videos(root / f"Charades_v1_{split}.csv").videos
        videos += [known[video] for video in used_videos(root, split)]
    say(f"simulated features {settings.extractor}: making those that {store.folder} lacks")
    return write_simulated(store, videos, Simulator(read_classes(root / "classes.txt"), settings))


def used_videos(root: Path, split: Literal["train", "test"]) -> tuple[str, ...]:
    """The videos of one of Charades' two parts that Charades-STA has a sentence about, sorted."""
    return read_dataset("charades_sta", root, "trainval" if split == "train" else "test").videos
