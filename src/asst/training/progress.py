"""How far a training is: a bar on a terminal, else a line a minute."""

from __future__ import annotations

import time
from typing import Any

from lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from asst.training.simulation import Say

EVERY_S = 60.0
"""Between two lines."""


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
