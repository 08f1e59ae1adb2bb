"""What a recipe learns from, opened, annotation, features and word vectors; and a run opened again by its folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asst.data import data_folder, read_actions, read_dataset
from asst.data.actions import ActionDataset, ActionVideo
from asst.data.query_tokens import FILE, QueryTokens
from asst.data.record import Dataset, Problem, Record, faulty_rows, first_problem
from asst.errors import InputError
from asst.features.networks.none import PlaceholderStore
from asst.features.stores.arrays import HDF5
from asst.features.stores.external import Timing, WindowStore, open_store
from asst.features.stores.native import ConcatenatedStore, FeatureStore, Store, UnitStore
from asst.models.checkpoint import FeatureKind, Origin
from asst.models.trained.model import GLOVE
from asst.text import WordVectors
from asst.training.folder import RUNS, RunFolder
from asst.training.recipe import EVEN, GLOVE_300, PACKAGED, Data, Recipe, Simulated, Words
from asst.training.simulation import Say, settings_of, simulate
from asst.training.space_recipe import CaptionRecipe, read_any_recipe

MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Sources:
    """What a recipe's ``data`` name: the folder of annotation, features of all streams, what stands for words.

    ``say`` is told how many rows of annotation were at fault; ``durations_s`` are the lengths of the videos whose
    annotation has been read.
    """

    data: Data
    root: Path
    store: FeatureStore
    words: WordVectors | QueryTokens
    origin: Origin
    say: Say
    durations_s: dict[str, float] = field(default_factory=dict)

    def records(self, split: str) -> Dataset:
        """One split's records; raises as `asst.data.read_dataset`, or for a split without a record."""
        dataset = read_dataset(self.data.dataset, self.root, split)
        if not dataset.records:
            fault = first_problem(dataset.problems)
            raise InputError(f"{self.data.dataset} {split} has no usable record in {self.root}: {fault}")
        self._know(split, dataset.records, dataset.problems)
        return dataset

    def actions(self, split: str) -> ActionDataset:
        """One split's videos with labelled spans; raises as `asst.data.read_actions`."""
        dataset = read_actions(self.data.dataset, self.root, split)
        self._know(split, dataset.videos, dataset.problems)
        return dataset

    def _know(self, split: str, videos: Sequence[Record | ActionVideo], problems: Sequence[Problem]) -> None:
        if problems:
            self.say(f"{self.data.dataset} {split}: of its file {faulty_rows(problems)}")
        self.durations_s.update({one.video: one.duration_s for one in videos})

    def feature_kind(self, video: str) -> FeatureKind:
        """What the features are, judged by one video's."""
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

    ``recipe`` is its name, for messages; ``say`` is told before anything that takes long. Raises an `InputError` for a
    missing folder, store or file of vectors, or simulated features where there are none.
    """
    words = _words(data.words, say)
    root = data.root or data_folder("captions" if data.tapes else data.dataset)
    if not data.streams:
        return Sources(data, root, PlaceholderStore(), words, "simulated" if data.tapes else "real", say)
    if data.simulated is not None:
        stores = _simulated(data, data.simulated, root, say)
        return Sources(data, root, _joined(stores), words, "simulated", say)
    given = data.stores(recipe)
    durations_s: dict[str, float] = {}
    found = [_store(stream, given[stream], data, durations_s) for stream in data.streams]
    return Sources(data, root, _joined(found), words, "real", say, durations_s)


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
    return QueryTokens(path, **settings.model_dump(exclude={"path"}))


def _store(stream: str, path: Path, data: Data, durations_s: Mapping[str, float]) -> FeatureStore:
    """One stream's store; ``durations_s`` is filled before anything is read that needs it."""
    files = data.features[stream]
    step_s = files.step_s or data.step_s
    how: dict[str, Any] = {"durations_s": durations_s} if step_s == EVEN else {"step_s": step_s}
    clock = None if step_s is None else Timing(stream, start_s=files.start_s, **how)
    store: FeatureStore
    if files.windows is not None:
        store = WindowStore(path, stream, files.windows.fps, files.windows.length)
    else:
        store = open_store(path, clock, files.key)
    return UnitStore([store]) if files.normalize else store


def _joined(stores: Sequence[FeatureStore]) -> FeatureStore:
    return stores[0] if len(stores) == 1 else ConcatenatedStore(stores)


def _simulated(data: Data, simulated: Simulated, root: Path, say: Say) -> list[FeatureStore]:
    stores: list[FeatureStore] = []
    for stream in data.streams:
        settings = settings_of(data.dataset, stream, simulated.level, simulated.seed, simulated.dimension)
        store = Store(simulated.folder / settings.extractor)
        simulate(data.dataset, settings, root, store, say)
        stores.append(store)
    return stores


def open_run(path: Path, changes: Sequence[str], say: Say) -> tuple[list[Path], Recipe, Sources]:
    """The checkpoints of a run that make its model, and what it was trained on.

    ``changes`` are of its recipe's settings, such as ``data.features.rgb=STORE`` where that has moved. Raises an
    `InputError` if the folder holds no run, or one that has not come to a checkpoint.
    """
    folder = RunFolder(path)
    if not folder.recipe.exists():
        raise InputError(f"{path} is no folder of a run ({folder.recipe.name} is missing); {_runs_here(path)}")
    recipe = read_any_recipe([folder.recipe], changes)
    if isinstance(recipe, CaptionRecipe):
        raise InputError(f"{path} holds a space of pictures and sentences; {folder.retrieval} says how good it is")
    paths = folder.checkpoints_to_use(recipe)
    return paths, recipe, open_sources(recipe.data, recipe.name, say)


def _runs_here(path: Path) -> str:
    """What to name in place of a folder that holds no run: those below it, else those of the usual folder."""
    for place in (path, RUNS):
        runs = sorted(found.parent for found in place.rglob(RunFolder(place).recipe.name))
        if runs:
            more = f" and {len(runs) - MOST_NAMED} more" if len(runs) > MOST_NAMED else ""
            return f"there are {', '.join(map(str, runs[:MOST_NAMED]))}{more}"
    return "'asst train' makes them"
