"""One training from a recipe, begun or gone on with."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

from lightning.pytorch.utilities import rank_zero_only
from torch.utils.data import DataLoader

from asst.atomic import write_whole
from asst.data.batch import Collate
from asst.data.samples import EpochOrder, TrainingSamples
from asst.errors import counted
from asst.memory import hold
from asst.models.checkpoint import save_checkpoint
from asst.models.methods.base import Fitted
from asst.training.folder import RunFolder, require_finite
from asst.training.module import Lesson, TrainingModule
from asst.training.recipe import Recipe
from asst.training.simulation import Say
from asst.training.sources import open_sources
from asst.training.task import Prepared, prepare
from asst.training.trainer import Trained, train_by_steps


def train(recipe: Recipe, path: Path, say: Say, *, progress: bool = False) -> Trained:
    """Trains by a recipe, or goes on with what an interrupted run of it left in the folder.

    ``say`` takes lines on how it goes; ``progress`` shows a bar on the terminal. Raises an `InputError` for anything
    missing or unfit, before the first step, and a `DivergedError` if something is not finite any more; what was kept
    before stays. Interrupted, everything up to the last interval is kept.
    """
    # The other processes of a machine come here too, started by the first; one of them speaks.
    say = rank_zero_only(say)
    hold()
    folder = RunFolder(path)
    sources = open_sources(recipe.data, recipe.name, say)
    prepared = prepare(recipe, sources, say)
    going_on = folder.claim(recipe)
    with folder.telling_divergence():
        return _trained(prepared, recipe, folder, say, going_on=going_on, progress=progress)


def _trained(
    prepared: Prepared, recipe: Recipe, folder: RunFolder, say: Say, *, going_on: bool, progress: bool
) -> Trained:
    if recipe.closed_form:
        if folder.best.exists():
            say(f"{folder.path} is fitted already")
            return Trained(folder, 1, prepared.parameters, folder.log()[-1]["seconds"], first=True)
        say(
            f"{recipe.name}: {prepared.parameters:,} numbers in closed form "
            f"from {counted(len(prepared.task.samples), 'sample')}"
        )
        return Trained(folder, 1, prepared.parameters, fit(prepared, recipe, folder, say), first=True)
    method, training = prepared.method, recipe.training
    task, others = prepared.task, training.keep
    lesson = Lesson(task.samples, Collate(task.samples.observation.steps), task.loader(), task.validation)
    module = TrainingModule(method, recipe, lesson, recipe.optimizer.averaging)
    begun = [
        f"{recipe.name}: {prepared.parameters:,} parameters, {counted(training.steps, 'step')} of "
        f"{counted(training.batch, 'sample')}; {folder.path} gets {counted(1 + others, 'checkpoint')} of "
        f"{prepared.megabytes:.1f} MB and a state of up to {3 * prepared.megabytes:.1f} MB to go on from"
    ]
    if training.parts > 1 and method.together:
        own = training.batch // training.parts
        begun.append(
            f"parts of {counted(own, 'sample does', 'samples do')} not learn what {training.batch} at once "
            f"do: {method.together}"
        )

    def save(checkpoint: Path, step: int, metrics: dict[str, float]) -> None:
        description = replace(prepared.description, step=step, metrics=metrics)
        save_checkpoint(checkpoint, description, module.kept.state_dict())

    return train_by_steps(module, folder, save, say, begun=begun, going_on=going_on, progress=progress)


def fit(prepared: Prepared, recipe: Recipe, folder: RunFolder, say: Say) -> float:
    """Fits, validates and keeps the method; gives the seconds that the fitting took, without the validation.

    Raises an `InputError` for data that the method cannot be fitted to, or with which it comes to nothing finite.
    """
    method = prepared.method
    assert isinstance(method, Fitted)
    started_s = time.monotonic()
    samples = prepared.task.samples
    assert isinstance(samples, TrainingSamples)
    batches = DataLoader(
        samples,
        batch_size=recipe.training.batch,
        sampler=EpochOrder(len(samples), recipe.training.seed),
        collate_fn=Collate(samples.observation.steps),
    )
    method.fit(samples.records, batches)
    require_finite(method.state_dict(), step=1)
    seconds = time.monotonic() - started_s
    validation = prepared.task.validation
    asked = prepared.task.loader()
    metrics = validation.metrics(method, (answer for batch in asked for answer in validation.answers(method, batch)))
    require_finite(metrics, step=1)
    save_checkpoint(folder.best, replace(prepared.description, step=1, metrics=metrics), method.state_dict())
    line = {"step": 1, "seconds": round(seconds, 3), **{f"validate/{key}": value for key, value in metrics.items()}}
    write_whole(folder.metrics, json.dumps(line, allow_nan=False) + "\n")
    say("fitted: " + ", ".join(f"{key} {value:.2f}" for key, value in metrics.items()))
    return seconds
