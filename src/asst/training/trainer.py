"""Lightning's trainer as every training of ours uses it, with a resumable state that is whole or not there."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy
from torch import nn

from asst.atomic import is_refusal, write_error, writing_whole
from asst.features.runtime import fastest_device, fastest_dtype
from asst.training.callbacks import KeepRun, Save, TellProgress
from asst.training.folder import RunFolder
from asst.training.module import IntervalData, TrainingModule
from asst.training.recipe import Training
from asst.training.simulation import Say
from asst.training.space_recipe import CaptionTraining


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


class _WholeState(TorchCheckpointIO):
    """Writes a state beside the old one and renames it: Lightning copies over that, and a full disk would take both."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        # What PyTorch itself says of a full disk names neither.
        state = io.BytesIO()
        torch.save(checkpoint, state)
        with writing_whole(Path(path)) as file:
            file.write(state.getbuffer())


def train_by_steps(
    module: TrainingModule,
    data: IntervalData,
    folder: RunFolder,
    save: Save,
    say: Say,
    *,
    begun: str,
    going_on: bool,
    progress: bool,
) -> Trained:
    """Trains, or goes on from the folder's state, whose epochs are intervals; `KeepRun` ends it after the steps.

    Args:
        module: what learns.
        data: what it learns from, and is judged by.
        folder: of the run.
        save: writes a checkpoint.
        say: told how far it is, where no bar is shown.
        begun: said first.
        going_on: whether the folder has a state.
        progress: show a bar on the terminal.

    Raises:
        WriteError: if the run's folder cannot be written.
        KeyboardInterrupt: if interrupted; everything up to the last interval is kept.
    """
    training, parameters = module.recipe.training, learnt_numbers(module)
    if going_on:
        if done := _finished(folder, training.steps, parameters, say):
            return done
        say(f"going on with the run in {folder.path}")
    say(begun)
    keeper = KeepRun(folder, training, save, module.validation.headline, say)
    callbacks = [keeper, _state(folder), TellProgress(training.steps, say, bar=progress)]
    with _quiet():
        trainer = _trainer(training, callbacks, TensorBoardLogger(folder.path, name="", version=folder.events.name))
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
    return Trained(folder, trainer.global_step, parameters, keeper.seconds, trainer.is_global_zero)


def learnt_numbers(module: nn.Module) -> int:
    """How many weights learn."""
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def _trainer(
    training: Training | CaptionTraining, callbacks: list[lightning.Callback], logger: TensorBoardLogger
) -> lightning.Trainer:
    half = training.precision == "bfloat16" or (training.precision == "auto" and fastest_dtype() == torch.bfloat16)
    card = fastest_device() == "cuda"
    together = training.processes * training.nodes > 1
    return lightning.Trainer(
        accelerator="gpu" if card else "cpu",
        devices=training.processes,
        num_nodes=training.nodes,
        strategy=DDPStrategy(process_group_backend="nccl" if card else "gloo") if together else "auto",
        precision="bf16-mixed" if half else "32-true",
        max_epochs=training.steps,
        accumulate_grad_batches=training.parts,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=callbacks,
        plugins=[_WholeState()],
        logger=logger,
        log_every_n_steps=1,
    )


def _state(folder: RunFolder) -> ModelCheckpoint:
    """Keeps what to go on from, after each interval."""
    return ModelCheckpoint(
        dirpath=folder.checkpoints,
        filename=folder.state.stem,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )


def _finished(folder: RunFolder, steps: int, parameters: int, say: Say) -> Trained | None:
    """What a run came to that has done all its steps already, which is said; None if it has not."""
    done: int = torch.load(folder.state, map_location="cpu", weights_only=True, mmap=True)["global_step"]
    if done < steps:
        return None
    say(f"{folder.path} is finished: all {steps} steps are done; name another folder with --run to train anew")
    return Trained(folder, done, parameters, folder.log()[-1]["seconds"], first=True)


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
        # States are of an interval's end, whatever the length of the next.
        warnings.filterwarnings(
            "ignore", message="You're resuming from a checkpoint that ended before the epoch ended.*"
        )
        # A name of PyTorch's that the library still uses.
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        # Those are what a recipe freezes.
        warnings.filterwarnings("ignore", message="Found .* in eval mode")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
