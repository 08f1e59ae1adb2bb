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
from lightning.pytorch.strategies import DDPStrategy
from torch import nn

from asst.atomic import is_refusal, write_error, writing_whole
from asst.features.runtime import fastest_device, fastest_dtype
from asst.training.callbacks import KeepRun, Save, TellProgress
from asst.training.folder import RunFolder
from asst.training.module import TrainingModule
from asst.training.recipe import Training
from asst.training.simulation import Say
from asst.training.space_recipe import CaptionTraining

_HINTS = (
    ".*does not have many workers.*",
    ".*exists and is not empty.*",
    # States are of an interval's end, whatever the length of the next.
    "You're resuming from a checkpoint that ended before the epoch ended.*",
    # A name of PyTorch's that the library still uses.
    ".*LeafSpec.*",
    # Those are what a recipe freezes.
    "Found .* in eval mode",
)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run came to.

    ``steps`` of the optimiser were done in all, one for a closed form, ``parameters`` learnt, and ``seconds`` spent in
    training and validation; ``first`` is whether this is the first of the processes that trained together.
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
    folder: RunFolder,
    save: Save,
    say: Say,
    *,
    begun: Sequence[str],
    going_on: bool,
    progress: bool,
) -> Trained:
    """Trains, or goes on from the folder's state; the trainer's epochs are intervals, and `KeepRun` ends them.

    ``say`` is told what has ``begun``, line by line, and how far it is where no bar shows its ``progress``. Raises a
    `WriteError` if the folder cannot be written, and what Ctrl-C raises; everything up to the last interval is kept.
    """
    training, parameters = module.recipe.training, learnt_numbers(module)
    if going_on:
        if done := _finished(folder, training.steps, parameters, say):
            return done
        say(f"going on with the run in {folder.path}")
    for line in begun:
        say(line)
    keeper = KeepRun(folder, training, save, module.lesson.validation.headline, say)
    with _quiet():
        trainer = _trainer(training, folder, [keeper, TellProgress(training.steps, say, bar=progress)])
        try:
            trainer.fit(module, ckpt_path=str(folder.state) if going_on else None, weights_only=True)
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
    training: Training | CaptionTraining, folder: RunFolder, callbacks: list[lightning.Callback]
) -> lightning.Trainer:
    half = training.precision == "bfloat16" or (training.precision == "auto" and fastest_dtype() == torch.bfloat16)
    card = fastest_device() == "cuda"
    together = training.processes * training.nodes > 1
    # What to go on from, after each interval.
    state = ModelCheckpoint(
        dirpath=folder.checkpoints,
        filename=folder.state.stem,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
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
        callbacks=[*callbacks, state],
        plugins=[_WholeState()],
        logger=TensorBoardLogger(folder.path, name="", version=folder.events.name),
        log_every_n_steps=1,
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
        for message in _HINTS:
            warnings.filterwarnings("ignore", message=message)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
