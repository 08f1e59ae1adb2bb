"""What a recipe learns from, opened: annotation, features and word vectors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asst.data import Dataset, data_folder, read_actions, read_dataset
from asst.data.actions import ActionDataset, ActionVideo
from asst.data.query_tokens import FILE, QueryTokens
from asst.data.record import Record, first_problem
from asst.errors import InputError
from asst.features.networks.none import PlaceholderStore
from asst.features.stores.arrays import HDF5
from asst.features.stores.external import Timing, WindowStore, open_store
from asst.features.stores.native import ConcatenatedStore, FeatureStore, Store, UnitStore
from asst.features.zeroshot.crops import STEP_S
from asst.models.checkpoint import FeatureKind, Origin
from asst.models.trained.model import GLOVE
from asst.models.zeroshot.model import zeroshot_of
from asst.simulate.tapes.settings import TapeSettings
from asst.text import WordVectors
from asst.training.data_settings import (
    EVEN,
    GLOVE_300,
    PACKAGED,
    Data,
    FeatureFiles,
    Simulated,
    StepLength,
    Tapes,
    Words,
)
from asst.training.reranker.captioned_clips import CaptionedClips, Part
from asst.training.reranker.questions import RerankerQuestion
from asst.training.reranker.tape_pool import TapePool
from asst.training.simulation import Say, Wanted, simulate


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
        words: word vectors, or the tokens of queries.
        origin: whether the features are of real videos.
        tapes: where tapes are learnt from, what is asked of them.
        durations_s: lengths of the videos whose annotation has been read, in seconds.
    """

    data: Data
    root: Path
    store: FeatureStore
    words: WordVectors | QueryTokens
    origin: Origin
    tapes: TapeQuestions | None = None
    durations_s: dict[str, float] = field(default_factory=dict)

    def records(self, split: str) -> Dataset:
        """One split's records.

        Raises:
            InputError: as `asst.data.read_dataset`, or for a split without a record.
        """
        dataset = read_dataset(self.data.dataset, self.root, split)
        if not dataset.records:
            fault = first_problem(dataset.problems)
            raise InputError(f"{self.data.dataset} {split} has no usable record in {self.root}: {fault}")
        self._know(dataset.records)
        return dataset

    def actions(self, split: str) -> ActionDataset:
        """One split's videos with labelled spans.

        Raises:
            InputError: as `asst.data.read_actions`.
        """
        dataset = read_actions(self.data.dataset, self.root, split)
        self._know(dataset.videos)
        return dataset

    def _know(self, videos: Sequence[Record | ActionVideo]) -> None:
        self.durations_s.update({one.video: one.duration_s for one in videos})

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
    words = _words(data.words, say)
    if data.tapes is not None:
        root = data.root or data_folder("captions")
        return Sources(data, root, PlaceholderStore(), words, "simulated", _tapes(data.tapes, root, say))
    root = data.root or data_folder(data.dataset)
    if not data.streams:
        return Sources(data, root, PlaceholderStore(), words, "real")
    if data.simulated is not None:
        stores = _simulated(data, data.simulated, root, say)
        return Sources(data, root, _joined(stores), words, "simulated")
    given = {stream: files.path for stream, files in data.features.items() if files.path is not None}
    missing = [stream for stream in data.streams if stream not in given]
    if missing:
        raise InputError(
            f"recipe {recipe} needs features of {' and '.join(missing)}: give "
            + " ".join(f"data.features.{stream}=STORE" for stream in missing)
        )
    durations_s: dict[str, float] = {}
    found = [_store(stream, given[stream], data, durations_s) for stream in data.streams]
    return Sources(data, root, _joined(found), words, "real", durations_s=durations_s)


def _words(settings: Words, say: Say) -> WordVectors | QueryTokens:
    path = settings.path
    if path == Path(GLOVE_300):
        path = Path(os.environ.get(GLOVE) or PACKAGED)
        if path == Path(PACKAGED):
            say(f"the recipe asks for GloVe of 300 numbers, and {GLOVE} names no file; the packaged 50 stand in for it")
    if path == Path(PACKAGED):
        return WordVectors.packaged()
    if not (path.is_dir() or path.suffix in HDF5 or FILE in str(path)):
        return WordVectors.from_file(path)
    return QueryTokens(
        path,
        settings.key,
        by=settings.by,
        first=settings.first,
        normalize=settings.normalize,
        most=settings.most,
    )


def _store(stream: str, path: Path, data: Data, durations_s: Mapping[str, float]) -> FeatureStore:
    """One stream's store; ``durations_s`` is filled before anything is read that needs it."""
    files = data.features[stream]
    store = _opened(stream, path, files, data.step_s, durations_s)
    return UnitStore(store) if files.normalize else store


def _opened(
    stream: str, path: Path, files: FeatureFiles, step_s: StepLength | None, durations_s: Mapping[str, float]
) -> FeatureStore:
    if files.windows is not None:
        return WindowStore(path, stream, files.windows.fps, files.windows.length)
    step_s = files.step_s or step_s
    clock = None
    if step_s == EVEN:
        clock = Timing(stream, durations_s=durations_s, start_s=files.start_s)
    elif step_s is not None:
        clock = Timing(stream, float(step_s), start_s=files.start_s)
    return open_store(path, clock, files.key)


def _tapes(tapes: Tapes, root: Path, say: Say) -> TapeQuestions:
    settings = TapeSettings.from_dict(tapes.settings, "a tape")
    model = zeroshot_of(tapes.extractor, "a reranker")
    clips, extractor = CaptionedClips(root, tapes.folder, tapes.holdout), model.extractor
    clips.make(extractor, say)

    def questions(part: Part, count: int) -> list[RerankerQuestion]:
        return TapePool.of(model, clips, part, tapes.seed, settings).questions(count, say)

    # Which pictures are looked at may differ, as long as the network is the same.
    kind = FeatureKind(
        extractor=extractor.name, dimension=extractor.dimension, step_s=STEP_S, weights=extractor.weights
    )
    return TapeQuestions(questions("learnt", tapes.count), questions("held out", tapes.validation), kind)


def _joined(stores: Sequence[FeatureStore]) -> FeatureStore:
    return stores[0] if len(stores) == 1 else ConcatenatedStore(stores)


def _simulated(data: Data, simulated: Simulated, root: Path, say: Say) -> list[FeatureStore]:
    stores: list[FeatureStore] = []
    for stream in data.streams:
        wanted = Wanted(data.dataset, stream, simulated.level, simulated.seed, simulated.dimension)
        store = Store(simulated.folder / wanted.settings.extractor)
        simulate(wanted, root, store, say)
        stores.append(store)
    return stores
