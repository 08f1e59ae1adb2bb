"""One training from a recipe, begun or gone on with."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities import rank_zero_only

from asst.atomic import is_refusal, write_error, write_whole
from asst.features.precision import fastest_device, fastest_dtype
from asst.models.method import Trainable
from asst.training.callbacks import KeepRun
from asst.training.divergence import DivergedError
from asst.training.fit import fit
from asst.training.folder import RunFolder
from asst.training.module import TrainingData, TrainingModule
from asst.training.prepare import Prepared, prepare
from asst.training.recipe import Recipe
from asst.training.simulation import Say
from asst.training.sources import open_sources
from asst.training.state import WholeState


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run came to.

    Attributes:
        folder: where everything is.
        steps: optimiser steps done in all; one for a closed form.
        parameters: numbers that were learnt.
        seconds: time spent in training and validation, in all.
        first: whether this is the first of the processes that trained together.
    """

    folder: RunFolder
    steps: int
    parameters: int
    seconds: float
    first: bool


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
    try:
        return _trained(prepared, recipe, folder, say, going_on=going_on, progress=progress)
    except DivergedError as error:
        write_whole(folder.diverged, f"{error}\n")
        raise


def _trained(
    prepared: Prepared, recipe: Recipe, folder: RunFolder, say: Say, *, going_on: bool, progress: bool
) -> Trained:
    if recipe.closed_form:
        if folder.best.exists():
            say(f"{folder.path} is fitted already")
            return Trained(folder, 1, prepared.parameters, folder.log()[-1]["seconds"], first=True)
        say(f"{recipe.name}: {prepared.parameters:,} numbers in closed form from {len(prepared.task.samples)} samples")
        return Trained(folder, 1, prepared.parameters, fit(prepared, recipe, folder, say), first=True)
    if going_on:
        say(f"going on with the run in {folder.path}")
    steps, batch = recipe.training.steps, recipe.training.batch
    say(f"{recipe.name}: {prepared.parameters:,} parameters, {steps} steps of {batch} samples")
    return _train_by_steps(prepared, recipe, folder, say, going_on=going_on, progress=progress)


def _train_by_steps(
    prepared: Prepared, recipe: Recipe, folder: RunFolder, say: Say, *, going_on: bool, progress: bool
) -> Trained:
    assert isinstance(prepared.method, Trainable)
    keeper = KeepRun(folder, recipe, prepared.description, prepared.task.validation.headline, say)
    module = TrainingModule(prepared.method, recipe, prepared.task.validation)
    data = TrainingData(prepared.task, recipe)
    with _quiet():
        trainer = _trainer(recipe, folder, keeper, progress)
        try:
            trainer.fit(module, data, ckpt_path=str(folder.state) if going_on else None, weights_only=True)
        except OSError as error:
            if not is_refusal(error):
                raise
            raise write_error(folder.path, error) from error
        except SystemExit as ended:
            # What the library makes of Ctrl-C.
            if not trainer.interrupted:
                raise
            kept = [line["step"] for line in folder.log()]
            say(f"stopped; give the same command again to go on from step {kept[-1] if kept else 0}")
            raise KeyboardInterrupt from ended
    return Trained(folder, trainer.global_step, prepared.parameters, keeper.seconds, trainer.is_global_zero)


def _trainer(recipe: Recipe, folder: RunFolder, keeper: KeepRun, progress: bool) -> lightning.Trainer:
    training = recipe.training
    together = training.processes * training.nodes > 1
    on_gpu = fastest_device() == "cuda"
    half = training.precision == "bfloat16" or (training.precision == "auto" and fastest_dtype() == torch.bfloat16)
    state = ModelCheckpoint(
        dirpath=folder.checkpoints,
        filename=folder.state.stem,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    callbacks: list[lightning.Callback] = [keeper, state]
    if progress:
        callbacks.append(RichProgressBar())
    return lightning.Trainer(
        accelerator="gpu" if on_gpu else "cpu",
        devices=training.processes,
        num_nodes=training.nodes,
        strategy=DDPStrategy(process_group_backend="nccl" if on_gpu else "gloo") if together else "auto",
        precision="bf16-mixed" if half else "32-true",
        max_epochs=training.steps // training.interval,
        accumulate_grad_batches=training.parts,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        enable_progress_bar=progress,
        enable_model_summary=False,
        callbacks=callbacks,
        plugins=[WholeState()],
        logger=TensorBoardLogger(folder.path, name="", version=folder.events.name),
        log_every_n_steps=1,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's hints on workers and hardware: there are few samples a batch and they are in memory."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
        # A name of PyTorch's that the library still uses.
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        # Those are what a recipe freezes.
        warnings.filterwarnings("ignore", message="Found .* in eval mode")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
