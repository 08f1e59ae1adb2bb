"""What a recipe comes to before anything is learnt: a method with fresh weights, its task, a description."""

from __future__ import annotations

from dataclasses import dataclass

import lightning

from asst.errors import InputError
from asst.models.checkpoint import Description
from asst.models.method import Fitted, Trainable
from asst.models.methods import METHODS, build_method
from asst.training.recipe import Recipe
from asst.training.sources import Sources
from asst.training.task import Task, open_task


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that a training needs.

    Attributes:
        method: with fresh weights.
        task: what it learns and is judged by.
        description: of the checkpoints, but for step and metrics.
    """

    method: Trainable | Fitted
    task: Task
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
    if METHODS[recipe.method].finds_actions != recipe.detects:
        fit = [name for name, method in METHODS.items() if method.finds_actions == recipe.detects]
        given = "labelled spans and no sentences" if recipe.detects else "sentences and no labelled spans"
        raise InputError(f"recipe {recipe.name}: {recipe.data.dataset} has {given}; set method to {' or '.join(fit)}")
    task = open_task(recipe, sources)
    taken = sorted(task.given.keys() & recipe.network.keys())
    if taken:
        raise InputError(f"recipe {recipe.name}: network.{taken[0]} is decided by data and observation; leave it out")
    lightning.seed_everything(recipe.training.seed, verbose=False)
    method = build_method(recipe.method, {**recipe.network, **task.given})
    description = Description(
        method=recipe.method,
        settings=method.settings,
        observation=recipe.observation,
        overlap=recipe.overlap,
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
