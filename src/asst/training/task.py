"""What a recipe comes to before anything is learnt: its method, samples, questions, and how the answers are judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import numpy.typing as npt
from torch.utils.data import DataLoader

from asst.data import ACTION_DATASETS
from asst.data.action_samples import ActionSamples, ActionWindows
from asst.data.actions import ActionVideo
from asst.data.batch import Collate
from asst.data.lengths import compare_lengths
from asst.data.observations import CropObservation
from asst.data.query_tokens import QueryTokens
from asst.data.record import Record
from asst.data.samples import Queries, TrainingSamples
from asst.errors import InputError
from asst.evaluation.detection import detection_protocol
from asst.evaluation.protocol import protocol_of
from asst.features.stores.native import CachedStore, FeatureStore, require
from asst.models.checkpoint import Description, FeatureKind, read_description
from asst.models.methods.base import Method, Trainable
from asst.models.methods.table import METHODS, build_method, restored_method
from asst.models.trained.loading import PACKAGED, build_observation
from asst.models.zeroshot.model import zeroshot_of
from asst.training.recipe import Recipe
from asst.training.reranker.questions import (
    RerankerQueries,
    RerankerSamples,
    RerankerValidation,
    questions_about,
)
from asst.training.reranker.tape_pool import tape_questions
from asst.training.simulation import Say
from asst.training.sources import Sources
from asst.training.validation import ActionValidation, SentenceValidation, Validation

QUESTIONS_AT_ONCE = 32
VIDEOS_MOST = 1000
"""About so many videos say what is usual in the features."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Everything of a data set that a training needs: samples by epoch and index, questions of validation.

    ``given`` are settings of the method that the data decide, ``words`` the source of the word vectors, empty where no
    word is read, and ``learnt`` vectors of videos that are learnt from, read as they are asked for.
    """

    samples: TrainingSamples | ActionSamples | RerankerSamples
    questions: Queries | ActionWindows | RerankerQueries
    validation: Validation
    given: dict[str, Any]
    words: str
    features: FeatureKind
    learnt: Iterable[npt.NDArray[np.float32]] = ()

    def loader(self) -> DataLoader[Any]:
        """Batches of questions, all windows of some at once, in their order."""
        questions = self.questions
        return DataLoader(questions, QUESTIONS_AT_ONCE, collate_fn=Collate(questions.observation.steps).windows)


def open_task(recipe: Recipe, sources: Sources, say: Say) -> Task:
    """Reads the annotation of a recipe's data set, of whichever kind, and checks the features.

    ``say`` is told where these are not as long as annotated. Raises an `InputError` for anything missing or unfit.
    """
    if recipe.method == "reranker":
        return _reranked(recipe, sources, say)
    return (_actions if recipe.detects else _sentences)(recipe, sources, say)


def _reranked(recipe: Recipe, sources: Sources, say: Say) -> Task:
    data, words = recipe.data, sources.words
    if isinstance(words, QueryTokens):
        raise InputError("a reranker reads words, not tokens; leave data.words out, or name a file of word vectors")
    if data.tapes is not None:
        learnt, checked, kind = tape_questions(data.tapes, sources.root, say)
    else:
        splits = [sources.records(split).records for split in (data.train, data.validation)]
        kind, store = _features(recipe, sources, [*splits[0], *splits[1]], say)
        model = zeroshot_of(kind.extractor, f"recipe {recipe.name}")
        learnt, checked = (list(questions_about(model, records, store)) for records in splits)
    if not (learnt and checked):
        split = data.validation if learnt else data.train
        raise InputError(
            f"recipe {recipe.name}: no proposal holds anything of the annotated moments of {split}; check the times"
        )
    return Task(
        samples=RerankerSamples(learnt, words),
        questions=RerankerQueries(checked, words),
        validation=RerankerValidation(checked),
        given={"feature_channels": learnt[0].inputs.shape[1], "word_channels": words.dimension},
        words=words.source,
        features=kind,
    )


def _sentences(recipe: Recipe, sources: Sources, say: Say) -> Task:
    observation = build_observation(recipe.observation)
    learnt = sources.records(recipe.data.train).records
    checked = sources.records(recipe.data.validation).records
    kind, store = _features(recipe, sources, [*learnt, *checked], say)
    return Task(
        samples=TrainingSamples(
            learnt, store, sources.words, observation, recipe.training.seed, recipe.data.wrong_sentences
        ),
        questions=Queries(checked, store, sources.words, observation),
        validation=SentenceValidation(checked, protocol_of(recipe.data.dataset, recipe.protocol), recipe.overlap),
        given={
            "feature_channels": kind.dimension,
            "word_channels": sources.words.dimension,
            "steps": observation.steps,
        },
        words=sources.words.source,
        features=kind,
        learnt=_vectors(learnt, store),
    )


def _actions(recipe: Recipe, sources: Sources, say: Say) -> Task:
    observation = build_observation(recipe.observation)
    if not isinstance(observation, CropObservation):
        raise InputError(f"recipe {recipe.name}: actions are learnt from crops; set observation.kind to crops")
    learnt = sources.actions(recipe.data.train)
    checked = sources.actions(recipe.data.validation).videos
    if not learnt.labels:
        raise InputError(f"{recipe.data.dataset} {recipe.data.train} has no action to learn; check its files")
    if not any(video.annotated for video in checked):
        raise InputError(
            f"{recipe.data.dataset} {recipe.data.validation} has no action to choose checkpoints by; check its files"
        )
    kind, store = _features(recipe, sources, [*learnt.videos, *checked], say)
    seed, protocol = recipe.training.seed, detection_protocol(ACTION_DATASETS[recipe.data.dataset].protocol)
    return Task(
        samples=ActionSamples(learnt.videos, store, learnt.labels, learnt.includes, observation, seed),
        questions=ActionWindows(checked, store, observation),
        validation=ActionValidation(checked, protocol, recipe.overlap),
        given={
            "feature_channels": kind.dimension,
            "steps": observation.steps,
            "labels": list(learnt.labels),
            "includes": {label: list(parts) for label, parts in learnt.includes.items()},
        },
        words="",
        features=kind,
        learnt=_vectors(learnt.videos, store),
    )


def _vectors(videos: Sequence[Record | ActionVideo], store: FeatureStore) -> Iterator[npt.NDArray[np.float32]]:
    """Of some of the videos, spread evenly."""
    names = list(dict.fromkeys(one.video for one in videos))
    for name in names[:: max(1, len(names) // VIDEOS_MOST)]:
        yield store.read(name).vectors.astype(np.float32)


def _features(
    recipe: Recipe, sources: Sources, videos: Sequence[Record | ActionVideo], say: Say
) -> tuple[FeatureKind, FeatureStore]:
    needed = list(dict.fromkeys(one.video for one in videos))
    require(sources.store, needed)
    held = CachedStore(sources.store, needed, int(recipe.data.memory_gb * 2**30))
    compare_lengths(held, videos, say, recipe.data.length_factor)
    return sources.feature_kind(needed[0]), held


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that a training needs: the description is of the checkpoints, but for step and metrics."""

    method: Method
    task: Task
    description: Description

    @property
    def parameters(self) -> int:
        """Numbers that are learnt: weights, or what a closed form finds."""
        weights = [own for own in self.method.parameters() if own.requires_grad]
        return sum(own.numel() for own in weights or self.method.state_dict().values())

    @property
    def megabytes(self) -> float:
        """Size of a checkpoint; the state to go on from has one or two moments of each weight beside it."""
        return float(sum(own.nbytes for own in self.method.state_dict().values()) / 1e6)


def prepare(recipe: Recipe, sources: Sources, say: Say) -> Prepared:
    """Opens and checks everything, with an `InputError` for anything unfit; ``say`` is told where lengths differ."""
    if METHODS[recipe.method].finds_actions != recipe.detects:
        fit = [name for name, method in METHODS.items() if method.finds_actions == recipe.detects]
        given = "labelled spans and no sentences" if recipe.detects else "sentences and no labelled spans"
        raise InputError(f"recipe {recipe.name}: {recipe.data.dataset} has {given}; set method to {' or '.join(fit)}")
    task = open_task(recipe, sources, say)
    lightning.seed_everything(recipe.training.seed, verbose=False)
    if recipe.start:
        method = _started(recipe, recipe.start, task)
    else:
        method = build_method(recipe.method, {**recipe.network, **task.given})
        if isinstance(method, Trainable):
            method.begin(task.learnt)
    for part in recipe.frozen:
        _freeze(recipe, method, part)
    description = Description(
        learnt=read_description(_packaged(recipe.start)).learnt if recipe.start else (),
        method=recipe.method,
        settings=method.settings,
        observation=recipe.observation,
        overlap=recipe.overlap,
        protocol=recipe.protocol,
        words=task.words,
        features=task.features,
        origin=sources.origin,
        recipe=recipe.name,
        dataset=recipe.data.dataset,
        split=recipe.data.train,
        step=0,
        seed=recipe.training.seed,
    )
    return Prepared(method, task, description)


def _started(recipe: Recipe, start: Path, task: Task) -> Method:
    start = _packaged(start)
    method, begun = restored_method(start)
    if begun.method != recipe.method:
        raise InputError(f"recipe {recipe.name}: {start} holds {begun.method}, and the method is {recipe.method}")
    if begun.features.extractor != task.features.extractor:
        raise InputError(
            f"recipe {recipe.name}: {start} reads features of {begun.features.extractor}, and the data are of "
            f"{task.features.extractor}; name a start that was trained on those (docs/models.md)"
        )
    ours, theirs = {"words": task.words, **task.given}, {"words": begun.words, **begun.settings}
    if other := sorted(name for name, value in ours.items() if theirs.get(name) != value):
        name = other[0]
        raise InputError(f"recipe {recipe.name}: {start} has {name} {theirs.get(name)}, the data {ours[name]}")
    return method.train()


def _packaged(start: Path) -> Path:
    return PACKAGED if start == Path("default") else start


def _freeze(recipe: Recipe, method: Method, name: str) -> None:
    parts = dict(method.named_children())
    if name not in parts:
        known = ", ".join(parts)
        raise InputError(f"recipe {recipe.name}: {recipe.method} has no part {name!r} to freeze; it has {known}")
    # The trainer leaves the mode of each part as it is.
    parts[name].requires_grad_(False).eval()
