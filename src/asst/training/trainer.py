"""Lightning's trainer as every training of ours uses it, with a resumable state that is whole or not there."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger

from asst.atomic import is_refusal, write_error, writing_whole
from asst.features.runtime import fastest_device, fastest_dtype
from asst.training.folder import RunFolder
from asst.training.progress import TellProgress
from asst.training.recipe import Precision
from asst.training.simulation import Say


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


def build_trainer(
    folder: RunFolder,
    callbacks: Sequence[lightning.Callback],
    *,
    steps: int,
    precision: Precision,
    say: Say,
    progress: bool,
    **settings: Any,
) -> lightning.Trainer:
    """A trainer whose epochs are intervals, with a resumable state after each; `KeepRun` ends it after the steps.

    Args:
        folder: of the run.
        callbacks: beside that of the state.
        steps: in all.
        precision: of the sums.
        say: told how far it is, where no bar is shown.
        progress: show a bar on the terminal.
        settings: others of the trainer.
    """
    half = precision == "bfloat16" or (precision == "auto" and fastest_dtype() == torch.bfloat16)
    state = ModelCheckpoint(
        dirpath=folder.checkpoints,
        filename=folder.state.stem,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    return lightning.Trainer(
        accelerator="gpu" if fastest_device() == "cuda" else "cpu",
        precision="bf16-mixed" if half else "32-true",
        max_epochs=steps,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[*callbacks, state, TellProgress(steps, say, bar=progress)],
        plugins=[_WholeState()],
        logger=TensorBoardLogger(folder.path, name="", version=folder.events.name),
        log_every_n_steps=1,
        **settings,
    )


def finished(folder: RunFolder, steps: int, parameters: int, say: Say) -> Trained | None:
    """What a run came to that has done all its steps already, which is said; None if it has not."""
    done: int = torch.load(folder.state, map_location="cpu", weights_only=True, mmap=True)["global_step"]
    if done < steps:
        return None
    say(f"{folder.path} is finished: all {steps} steps are done; name another folder with --run to train anew")
    return Trained(folder, done, parameters, folder.log()[-1]["seconds"], first=True)


def run_trainer(
    trainer: lightning.Trainer,
    module: lightning.LightningModule,
    data: lightning.LightningDataModule,
    folder: RunFolder,
    say: Say,
    *,
    going_on: bool,
) -> None:
    """Trains, or goes on from the folder's state.

    Raises:
        WriteError: if the run's folder cannot be written.
        KeyboardInterrupt: if interrupted; everything up to the last interval is kept.
    """
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


@contextmanager
def quiet() -> Iterator[None]:
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
