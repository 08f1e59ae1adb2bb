"""What a recipe learns from, opened: annotation, features and word vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asst.data import Dataset, read_dataset
from asst.data.action_sets import read_actions
from asst.data.actions import ActionDataset
from asst.data.folders import data_folder
from asst.data.simulate.tape_settings import TapeSettings
from asst.errors import InputError
from asst.features.absent import AbsentStore
from asst.features.published import Clock, open_store
from asst.features.squares import STEP_S
from asst.features.store import FeatureStore, JoinedStore, Store
from asst.models.checkpoint import FeatureKind, Origin
from asst.models.zeroshot import SimilarityModel
from asst.text import WordVectors
from asst.training.captioned_clips import embedded_clips
from asst.training.recipe import Data, Simulated, Tapes
from asst.training.reranker_questions import RerankerQuestion
from asst.training.simulation import Say, Wanted, simulate
from asst.training.tape_questions import tape_questions


@dataclass(frozen=True, slots=True, eq=False)
class TapeQuestions:
    """What is asked of tapes.

    Attributes:
        learnt: questions to learn from.
        checked: questions to choose checkpoints by.
        features: what the features of the tapes are.
    """

    learnt: Sequence[RerankerQuestion]
    checked: Sequence[RerankerQuestion]
    features: FeatureKind


@dataclass(frozen=True, slots=True)
class Sources:
    """What a recipe's ``data`` name.

    Attributes:
        data: as the recipe has it.
        root: the folder of annotation files.
        store: features of all streams, side by side.
        words: word vectors.
        origin: whether the features are of real videos.
        tapes: where tapes are learnt from, what is asked of them.
    """

    data: Data
    root: Path
    store: FeatureStore
    words: WordVectors
    origin: Origin
    tapes: TapeQuestions | None = None

    def records(self, split: str) -> Dataset:
        """One split's records.

        Raises:
            InputError: as `asst.data.read_dataset`, or for a split without a record.
        """
        dataset = read_dataset(self.data.dataset, self.root, split)
        if not dataset.records:
            raise InputError(f"{self.data.dataset} {split} has no usable record in {self.root}; check its files")
        return dataset

    def actions(self, split: str) -> ActionDataset:
        """One split's videos with labelled spans.

        Raises:
            InputError: as `asst.data.action_sets.read_actions`.
        """
        return read_actions(self.data.dataset, self.root, split)

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
    words = WordVectors.packaged() if data.words == "packaged" else WordVectors.from_file(Path(data.words))
    root = data.root or data_folder("captions" if data.tapes else data.dataset)
    if data.tapes is not None:
        return Sources(data, root, AbsentStore(), words, "simulated", _tapes(data.tapes, root, say))
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


def _tapes(tapes: Tapes, root: Path, say: Say) -> TapeQuestions:
    settings = TapeSettings.from_dict(tapes.settings, "a tape")
    model = SimilarityModel("a reranker", tapes.space)
    clips = embedded_clips(root, model.extractor, say)
    # Of every three clips one is for the tapes to choose by.
    checked = tape_questions(model, clips[::3], settings, tapes.seed, tapes.validation, say)
    others = [clip for i, clip in enumerate(clips) if i % 3]
    learnt = tape_questions(model, others, settings, tapes.seed + 1, tapes.count, say)
    extractor = model.extractor
    # Which frames are looked at may differ, as long as the network is the same.
    kind = FeatureKind(
        extractor=extractor.name, dimension=extractor.dimension, step_s=STEP_S, weights=extractor.weights
    )
    return TapeQuestions(learnt, checked, kind)


def _joined(stores: Sequence[FeatureStore]) -> FeatureStore:
    return stores[0] if len(stores) == 1 else JoinedStore(stores)


def _simulated(data: Data, simulated: Simulated, root: Path, say: Say) -> list[FeatureStore]:
    stores: list[FeatureStore] = []
    for stream in data.streams:
        wanted = Wanted(data.dataset, stream, simulated.level, simulated.seed, simulated.dimension)
        store = Store(simulated.folder / wanted.extractor)
        count = simulate(wanted, root, store, say)
        if count:
            say(f"wrote simulated features of {count} videos to {store.folder}")
        stores.append(store)
    return stores
