"""What a recipe comes to before anything is learnt: a method with its first weights, its task, a description."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightning

from asst.errors import InputError
from asst.models.checkpoint import Description, read_description
from asst.models.methods.base import Method, Trainable
from asst.models.methods.table import METHODS, build_method, restored_method
from asst.models.reranked import PACKAGED
from asst.training.recipe import Recipe
from asst.training.simulation import Say
from asst.training.sources import Sources
from asst.training.task import Task, open_task


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
        learnt = weights or list(self.method.state_dict().values())
        return sum(tensor.numel() for tensor in learnt)

    @property
    def megabytes(self) -> float:
        """Size of a checkpoint; the state to go on from has one or two moments of each weight beside it."""
        size: int = sum(own.nbytes for own in self.method.state_dict().values())
        return size / 1e6


def prepare(recipe: Recipe, sources: Sources, say: Say) -> Prepared:
    """Opens and checks everything, with an `InputError` for anything missing or unfit.

    ``say`` is told where features are not as long as annotated.
    """
    if METHODS[recipe.method].finds_actions != recipe.detects:
        fit = [name for name, method in METHODS.items() if method.finds_actions == recipe.detects]
        given = "labelled spans and no sentences" if recipe.detects else "sentences and no labelled spans"
        raise InputError(f"recipe {recipe.name}: {recipe.data.dataset} has {given}; set method to {' or '.join(fit)}")
    task = open_task(recipe, sources, say)
    taken = sorted(task.given.keys() & recipe.network.keys())
    if taken:
        raise InputError(f"recipe {recipe.name}: network.{taken[0]} is decided by data and observation; leave it out")
    lightning.seed_everything(recipe.training.seed, verbose=False)
    method = _started(recipe, recipe.start, task) if recipe.start else _fresh(recipe, task)
    for part in recipe.frozen:
        _freeze(recipe, method, part)
    description = Description(
        learnt=read_description(_packaged(recipe.start)).learnt if recipe.start else (),
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


def _fresh(recipe: Recipe, task: Task) -> Method:
    method = build_method(recipe.method, {**recipe.network, **task.given})
    if isinstance(method, Trainable):
        method.begin(task.learnt)
    return method


def _started(recipe: Recipe, start: Path, task: Task) -> Method:
    start = _packaged(start)
    method, begun = restored_method(start)
    if begun.method != recipe.method:
        raise InputError(f"recipe {recipe.name}: {start} holds {begun.method}, and the method is {recipe.method}")
    ours = {"words": task.words, "features.extractor": task.features.extractor, **task.given}
    theirs = {"words": begun.words, "features.extractor": begun.features.extractor, **begun.settings}
    other = sorted(name for name, value in ours.items() if theirs.get(name) != value)
    if ours["features.extractor"] != theirs["features.extractor"]:
        raise InputError(
            f"recipe {recipe.name}: {start} reads features of {begun.features.extractor}, and the data are of "
            f"{task.features.extractor}; name a start that was trained on those (docs/models.md)"
        )
    if other:
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
