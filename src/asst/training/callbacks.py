"""What is kept after every interval: a line of metrics, the best checkpoint and the latest ones."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lightning import Callback, LightningModule, Trainer

from asst.atomic import write_whole
from asst.models.checkpoint import Description, save_checkpoint
from asst.training.divergence import require_finite_figures
from asst.training.folder import RunFolder
from asst.training.module import TrainingModule
from asst.training.recipe import Recipe


class KeepRun(Callback):
    """Writes a run's log and checkpoints; its own state goes into the resumable one.

    Args:
        folder: of the run.
        recipe: of the run.
        description: of its checkpoints, but for step and metrics.
        headline: the metric that the best checkpoint is chosen by.
        say: told each interval's figures.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        description: Description,
        headline: str,
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._recipe, self._description = folder, recipe, description
        self._headline, self._say = headline, say
        self._best: float | None = None
        self._seconds = 0.0
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent training, over all the times the run was resumed."""
        return self._seconds

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must know."""
        return {"best": self._best, "seconds": self._seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._best, self._seconds = state_dict["best"], state_dict["seconds"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget what was logged after the state that a run is resumed from."""
        self._since = time.monotonic()
        if trainer.is_global_zero:
            kept = [line for line in self._folder.log() if line["step"] <= trainer.global_step]
            write_whole(self._folder.metrics, "".join(json.dumps(line, allow_nan=False) + "\n" for line in kept))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the interval and keep its checkpoint.

        Raises:
            DivergedError: for a figure that is not finite.
        """
        now = time.monotonic()
        self._seconds, self._since = self._seconds + now - self._since, now
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        require_finite_figures(figures, trainer.global_step)
        if not trainer.is_global_zero:
            return
        metrics = {name.removeprefix("validate/"): value for name, value in figures.items() if "validate/" in name}
        step = trainer.global_step
        line = {"step": step, "seconds": round(self._seconds, 3), **figures}
        with self._folder.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")
        assert isinstance(pl_module, TrainingModule)
        self._keep(step, metrics, pl_module)
        self._say(
            f"step {step} of {self._recipe.training.steps}: loss {figures['train/loss']:.4f}, "
            + ", ".join(f"{name} {value:.2f}" for name, value in metrics.items())
        )

    def _keep(self, step: int, metrics: dict[str, float], module: TrainingModule) -> None:
        description = replace(self._description, step=step, metrics=metrics)
        weights = module.method.state_dict()
        if self._best is None or metrics[self._headline] > self._best:
            self._best = metrics[self._headline]
            save_checkpoint(self._folder.best, description, weights)
        if self._recipe.training.keep:
            save_checkpoint(self._folder.at_step(step), description, weights)
            for old in self._folder.latest()[: -self._recipe.training.keep]:
                old.unlink()
