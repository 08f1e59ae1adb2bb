"""One training from a recipe, begun or gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities import rank_zero_only

from asst.features.runtime import fastest_device
from asst.models.checkpoint import save_checkpoint
from asst.models.methods.base import Trainable
from asst.training.callbacks import KeepRun
from asst.training.fit import fit
from asst.training.folder import RunFolder
from asst.training.module import TrainingData, TrainingModule
from asst.training.prepare import Prepared, prepare
from asst.training.recipe import Recipe
from asst.training.simulation import Say
from asst.training.sources import open_sources
from asst.training.trainer import Trained, build_trainer, finished, quiet, run_trainer


def train(recipe: Recipe, path: Path, say: Say, *, progress: bool = False) -> Trained:
    """Trains by a recipe, or goes on with what an interrupted run of it left in the folder.

    Args:
        recipe: what to do.
        path: the run's folder.
        say: takes lines on how it goes.
        progress: show a bar on the terminal.

    Raises:
        InputError: for anything missing or unfit, before the first step.
        DivergedError: if something is not finite any more; what was kept before stays.
        KeyboardInterrupt: if interrupted; everything up to the last interval is kept.
    """
    # The other processes of a machine come here too, started by the first; one of them speaks.
    say = rank_zero_only(say)
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
        say(f"{recipe.name}: {prepared.parameters:,} numbers in closed form from {len(prepared.task.samples)} samples")
        return Trained(folder, 1, prepared.parameters, fit(prepared, recipe, folder, say), first=True)
    steps, batch = recipe.training.steps, recipe.training.batch
    if going_on:
        if done := finished(folder, steps, prepared.parameters, say):
            return done
        say(f"going on with the run in {folder.path}")
    checkpoint_mb, others = prepared.megabytes, recipe.training.keep
    say(
        f"{recipe.name}: {prepared.parameters:,} parameters, {steps} steps of {batch} samples; {folder.path} gets "
        f"{1 + others} checkpoint{'s' if others else ''} of {checkpoint_mb:.1f} MB and a state of up to "
        f"{3 * checkpoint_mb:.1f} MB to go on from"
    )
    if recipe.training.parts > 1 and prepared.method.together:
        own = batch // recipe.training.parts
        say(f"parts of {own} samples do not learn what {batch} at once do: {prepared.method.together}")
    return _train_by_steps(prepared, recipe, folder, say, going_on=going_on, progress=progress)


def _train_by_steps(
    prepared: Prepared, recipe: Recipe, folder: RunFolder, say: Say, *, going_on: bool, progress: bool
) -> Trained:
    method, training = prepared.method, recipe.training
    assert isinstance(method, Trainable)

    module = TrainingModule(method, recipe, prepared.task.validation)

    def save(checkpoint: Path, step: int, metrics: dict[str, float]) -> None:
        description = replace(prepared.description, step=step, metrics=metrics)
        save_checkpoint(checkpoint, description, module.kept.state_dict())

    headline, patience = prepared.task.validation.headline, training.patience
    keeper = KeepRun(folder, training.steps, save, headline, say, keep=training.keep, patience=patience)
    together = training.processes * training.nodes > 1
    backend = "nccl" if fastest_device() == "cuda" else "gloo"
    with quiet():
        trainer = build_trainer(
            folder,
            [keeper],
            steps=training.steps,
            precision=training.precision,
            say=say,
            progress=progress,
            devices=training.processes,
            num_nodes=training.nodes,
            strategy=DDPStrategy(process_group_backend=backend) if together else "auto",
            accumulate_grad_batches=training.parts,
        )
        run_trainer(trainer, module, TrainingData(prepared.task, recipe), folder, say, going_on=going_on)
    return Trained(folder, trainer.global_step, prepared.parameters, keeper.seconds, trainer.is_global_zero)
