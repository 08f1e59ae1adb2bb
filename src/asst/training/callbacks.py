"""What is kept after every interval: a line of metrics, the best checkpoint and the latest ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning import Callback, LightningModule, Trainer

from asst.atomic import write_whole
from asst.training.divergence import require_finite_figures
from asst.training.folder import RunFolder

Save = Callable[[Path, int, dict[str, float]], None]
"""Writes a checkpoint to a path, after a step and with the metrics that it has."""


class KeepRun(Callback):
    """Writes a run's log and checkpoints; its own state goes into the resumable one.

    ``save`` writes a checkpoint; the best one is chosen by ``headline``, and ``keep`` latest ones stay beside it. After
    ``patience`` intervals without a better one training ends; 0 for never. ``say`` is told each interval's figures, but
    those with a slash in their name. ``seconds`` is the time spent training, over all the times the run was resumed.
    """

    def __init__(
        self,
        folder: RunFolder,
        steps: int,
        save: Save,
        headline: str,
        say: Callable[[str], None],
        *,
        keep: int = 0,
        patience: int = 0,
    ) -> None:
        self._folder, self._steps, self._save = folder, steps, save
        self._headline, self._say = headline, say
        self._kept, self._patience, self._waited = keep, patience, 0
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
        require_finite_figures(figures, trainer.global_step)
        # Every process ends, not the first alone; Lightning's own count of steps begins a finished interval anew.
        trainer.should_stop = trainer.global_step >= self._steps
        if not trainer.is_global_zero:
            return
        metrics = {name.removeprefix("validate/"): value for name, value in figures.items() if "validate/" in name}
        step = trainer.global_step
        spent = {part: round(seconds, 3) for part, seconds in self._processor_s.items()}
        line = {"step": step, "seconds": round(self.seconds, 3), "processor_s": spent, **figures}
        with self._folder.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
        self._keep(step, metrics)
        self._say(
            f"step {step} of {self._steps}: loss {figures['train/loss']:.4f}, "
            + ", ".join(f"{name} {value:.2f}" for name, value in metrics.items() if "/" not in name)
        )
        self._end_early(trainer)

    def _keep(self, step: int, metrics: dict[str, float]) -> None:
        self._waited += 1
        if self._best is None or metrics[self._headline] > self._best:
            self._best, self._waited = metrics[self._headline], 0
            self._save(self._folder.best, step, metrics)
        if self._kept:
            self._save(self._folder.at_step(step), step, metrics)
            for old in self._folder.latest()[: -self._kept]:
                old.unlink()

    def _count(self, part: str) -> None:
        now = time.process_time()
        self._processor_s[part] += now - self._counted_s
        self._counted_s = now

    def _end_early(self, trainer: Trainer) -> None:
        if self._patience and self._waited >= self._patience:
            trainer.should_stop = True
