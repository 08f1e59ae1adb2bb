"""What is kept after every interval, a line of metrics, the best checkpoint and the latest ones; and what is said."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from asst.atomic import write_whole
from asst.errors import counted
from asst.training.folder import RunFolder, require_finite
from asst.training.recipe import Training
from asst.training.simulation import Say
from asst.training.space_recipe import CaptionTraining

Save = Callable[[Path, int, dict[str, float]], None]
"""Writes a checkpoint to a path, after a step and with the metrics that it has."""
EVERY_S = 60.0
"""Between two lines on how far a training is."""


class KeepRun(Callback):
    """Writes a run's log and checkpoints; its own state goes into the resumable one.

    ``save`` writes a checkpoint; the best one is chosen by ``headline``. ``say`` is told each interval's figures, but
    those with a slash in their name. ``seconds`` is the time spent training, over all the times the run was resumed.
    """

    def __init__(
        self, folder: RunFolder, training: Training | CaptionTraining, save: Save, headline: str, say: Say
    ) -> None:
        self._folder, self._training, self._save, self._headline, self._say = folder, training, save, headline, say
        self._waited = 0
        self._best: float | None = None
        self.seconds = 0.0
        self._since = time.monotonic()
        self._processor_s = {"training": 0.0, "validation": 0.0}
        self._counted_s = time.process_time()

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"best": self._best, "seconds": self.seconds, "waited": self._waited}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._best, self.seconds = state_dict["best"], state_dict["seconds"]
        self._waited = state_dict.get("waited", 0)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget what was logged after the state that a run is resumed from."""
        self._since, self._counted_s = time.monotonic(), time.process_time()
        self._end_early(trainer)
        if trainer.is_global_zero:
            kept = [line for line in self._folder.log() if line["step"] <= trainer.global_step]
            write_whole(self._folder.metrics, "".join(json.dumps(line, allow_nan=False) + "\n" for line in kept))

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count the time of the processor since the last count as training."""
        self._count("training")

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count it as validation."""
        self._count("validation")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the interval and keep its checkpoint; a figure that is not finite is a `DivergedError`."""
        now = time.monotonic()
        self.seconds, self._since = self.seconds + now - self._since, now
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        require_finite(figures, trainer.global_step)
        metrics = {name.removeprefix("validate/"): value for name, value in figures.items() if "validate/" in name}
        better = self._best is None or metrics[self._headline] > self._best
        self._best, self._waited = (metrics[self._headline], 0) if better else (self._best, self._waited + 1)
        # Every process ends, not the first alone; Lightning's own count of steps begins a finished interval anew.
        trainer.should_stop = trainer.global_step >= self._training.steps
        if trainer.is_global_zero:
            self._write(trainer.global_step, figures, metrics, better=better)
        self._end_early(trainer)

    def _write(self, step: int, figures: dict[str, float], metrics: dict[str, float], *, better: bool) -> None:
        spent = {part: round(seconds, 3) for part, seconds in self._processor_s.items()}
        line = {"step": step, "seconds": round(self.seconds, 3), "processor_s": spent, **figures}
        with self._folder.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
        if better:
            self._save(self._folder.best, step, metrics)
        if self._training.keep:
            self._save(self._folder.at_step(step), step, metrics)
            for old in self._folder.latest()[: -self._training.keep]:
                old.unlink()
        self._say(
            f"step {step} of {self._training.steps}: loss {figures['train/loss']:.4f}, "
            + ", ".join(f"{name} {value:.2f}" for name, value in metrics.items() if "/" not in name)
        )

    def _count(self, part: str) -> None:
        now = time.process_time()
        self._processor_s[part] += now - self._counted_s
        self._counted_s = now

    def _end_early(self, trainer: Trainer) -> None:
        if self._training.patience and self._waited >= self._training.patience:
            trainer.should_stop = True
            self._say(f"no better checkpoint for {counted(self._waited, 'interval')} (training.patience): ends here")


class TellProgress(Callback):
    """Says the step, the loss and the time left, in lines or on a bar on the terminal."""

    def __init__(self, steps: int, say: Say, *, bar: bool) -> None:
        self._steps, self._say = steps, say
        self._bar = _bar() if bar else None
        self._first, self._loss = 0, float("nan")
        self._began_s = self._said_s = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock; a run that is gone on with is as fast as it is now."""
        self._first, self._began_s = trainer.global_step, time.monotonic()
        self._said_s = self._began_s
        if self._bar is not None and trainer.is_global_zero:
            self._bar.add_task("starting", total=self._steps, completed=self._first)
            self._bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """One step, or a part of one."""
        self._loss = float(outputs["loss"])
        self._tell(trainer)

    def on_validation_batch_end(self, trainer: Trainer, *_: Any) -> None:
        """Validation takes minutes where there is much of it."""
        self._tell(trainer)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """The bar goes."""
        if self._bar is not None:
            self._bar.stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """The bar goes, and the cursor is there again, where the training is broken off."""
        self.teardown(trainer, pl_module, "fit")

    def _tell(self, trainer: Trainer) -> None:
        step, now_s = trainer.global_step, time.monotonic()
        if self._bar is None and now_s < self._said_s + EVERY_S:
            return
        line = f"step {step} of {self._steps}, loss {self._loss:.4f}"
        if step > self._first:
            line += f", {_about((now_s - self._began_s) / (step - self._first) * (self._steps - step))} left"
        if trainer.validating:
            line += ", validating"
        if self._bar is None:
            self._said_s = now_s
            self._say(line)
        elif trainer.is_global_zero:
            self._bar.update(self._bar.task_ids[0], completed=step, description=line)


def _bar() -> Progress:
    return Progress(BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True)


def _about(seconds: float) -> str:
    """A time for a person, in the unit that takes one to three digits.

    >>> _about(45), _about(400), _about(9000)
    ('45 s', '7 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
