"""What a recipe comes to before anything is learnt: a method with fresh weights, samples, queries, a description."""

from __future__ import annotations

from dataclasses import dataclass

import lightning

from asst.data.held import HeldStore
from asst.data.record import Record
from asst.data.samples import Queries, TrainingSamples
from asst.errors import InputError
from asst.evaluation.protocol import Protocol, protocol_of
from asst.features.store import require
from asst.models.checkpoint import Description
from asst.models.method import Fitted, Trainable
from asst.models.methods import build_method
from asst.models.trained import build_observation
from asst.training.recipe import Recipe
from asst.training.sources import Sources


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that a training needs.

    Attributes:
        method: with fresh weights.
        samples: to learn from.
        queries: of the validation split.
        checked: the records of the validation split.
        protocol: of its metrics.
        description: of the checkpoints, but for step and metrics.
    """

    method: Trainable | Fitted
    samples: TrainingSamples
    queries: Queries
    checked: tuple[Record, ...]
    protocol: Protocol
    description: Description

    @property
    def parameters(self) -> int:
        """Numbers that are learnt: weights, or what a closed form finds."""
        learnt = list(self.method.parameters()) or list(self.method.state_dict().values())
        return sum(tensor.numel() for tensor in learnt)


def prepare(recipe: Recipe, sources: Sources) -> Prepared:
    """Opens and checks everything.

    Raises:
        InputError: for anything missing or unfit.
    """
    observation = build_observation(recipe.observation)
    learnt = sources.records(recipe.data.train).records
    checked = sources.records(recipe.data.validation).records
    videos = dict.fromkeys(record.video for record in (*learnt, *checked))
    require(sources.store, videos)
    kind = sources.feature_kind(learnt[0].video)
    given = {"feature_channels": kind.dimension, "word_channels": sources.words.dimension, "steps": observation.steps}
    taken = sorted(given.keys() & recipe.network.keys())
    if taken:
        raise InputError(f"recipe {recipe.name}: network.{taken[0]} is decided by data and observation; leave it out")
    lightning.seed_everything(recipe.training.seed, verbose=False)
    method = build_method(recipe.method, {**recipe.network, **given})
    store = HeldStore(sources.store, videos, int(recipe.data.memory_gb * 2**30))
    description = Description(
        method=recipe.method,
        settings=method.settings,
        observation=recipe.observation,
        overlap=recipe.overlap,
        words=sources.words.source,
        features=kind,
        origin=sources.origin,
        recipe=recipe.name,
        dataset=recipe.data.dataset,
        split=recipe.data.train,
        step=0,
        seed=recipe.training.seed,
    )
    return Prepared(
        method=method,
        samples=TrainingSamples(learnt, store, sources.words, observation, recipe.training.seed),
        queries=Queries(checked, store, sources.words, observation),
        checked=checked,
        protocol=protocol_of(recipe.data.dataset),
        description=description,
    )
