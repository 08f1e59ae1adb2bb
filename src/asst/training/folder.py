"""The folder of a run: its recipe, its log, its resumable state and its checkpoints, or why it could not go on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from asst.atomic import write_whole
from asst.errors import InputError
from asst.training.recipe import Recipe
from asst.training.recipe_files import changed_settings, dumped
from asst.training.space_recipe import CaptionRecipe, read_any_recipe

STEP = "step-"
RUNS = Path("runs")
"""The folder of all runs, where none is named."""


class DivergedError(InputError):
    """The end of a training of which something is not finite: after which step, and what; nothing of it is kept."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(
            f"the training diverged after step {step}: {what}, which is not finite; try smaller "
            "rates under optimizer or training.precision=float32, or smaller features"
        )


def require_finite(numbers: Mapping[str, float | Tensor], step: int) -> None:
    """Looks at losses and metrics, or through what a method has learnt; a `DivergedError` names the first at fault."""
    for name, own in numbers.items():
        if isinstance(own, Tensor) and not torch.isfinite(own).all():
            raise DivergedError(step, f"{name} holds a NaN or an infinity")
        if isinstance(own, float) and not math.isfinite(own):
            raise DivergedError(step, f"{name} is {own}")


class RunFolder:
    """The files of a run.

    ``recipe`` is as it was resolved, ``metrics`` one JSON object an interval, ``state`` what an interrupted run goes on
    from, ``best`` the checkpoint with the best headline metric on the validation split, ``diverged`` says why the
    training could not go on, ``retrieval`` how well the best space finds held-out pictures and sentences, and
    ``events`` is TensorBoard's folder.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.recipe, self.metrics = path, path / "recipe.yaml", path / "metrics.jsonl"
        self.checkpoints = path / "checkpoints"
        self.state, self.best = self.checkpoints / "last.ckpt", self.checkpoints / "best.safetensors"
        self.diverged, self.retrieval, self.events = path / "diverged.txt", path / "retrieval.json", path / "events"

    def at_step(self, step: int) -> Path:
        """The checkpoint after a step."""
        return self.checkpoints / f"{STEP}{step:07d}.safetensors"

    def latest(self) -> list[Path]:
        """The checkpoints that are kept of the last steps, oldest first."""
        return sorted(self.checkpoints.glob(f"{STEP}*.safetensors"))

    def claim(self, recipe: Recipe | CaptionRecipe) -> bool:
        """Makes the folder one of this recipe, which is about to be trained; says whether there is a run to go on with.

        A run may be gone on with for more steps, where what a step does is not planned from their number. Raises an
        `InputError` if the folder holds a run of another recipe, or cannot be written.
        """
        if not self.recipe.exists():
            write_whole(self.recipe, dumped(recipe))
            return False
        held = read_any_recipe([self.recipe])
        if held != recipe:
            longer = recipe.training.steps > held.training.steps and recipe.may_be_longer
            others = changed_settings(held, recipe, but=("training.steps",) if longer else ())
            if others:
                raise InputError(
                    f"{self.path} holds a run of other settings: {'; '.join(others)}; name another folder with --run"
                )
            write_whole(self.recipe, dumped(recipe))
        self.diverged.unlink(missing_ok=True)
        return self.state.exists()

    @contextmanager
    def telling_divergence(self) -> Iterator[None]:
        """Writes down why a training could not go on, where it could not."""
        try:
            yield
        except DivergedError as error:
            write_whole(self.diverged, f"{error}\n")
            raise

    def checkpoints_to_use(self, recipe: Recipe) -> list[Path]:
        """The best checkpoint, or the latest ones to average, as the recipe has it.

        Raises an `InputError` if the run has not come so far, or came to something that is not finite.
        """
        if self.diverged.exists():
            said = self.diverged.read_text(encoding="utf-8").strip()
            raise InputError(f"{self.path} is not judged: {said}. What it kept before can be named with --model")
        if not recipe.average:
            if not self.best.exists():
                raise InputError(f"{self.path} has no checkpoint yet; run 'asst train' with its recipe to the end")
            return [self.best]
        latest = self.latest()[-recipe.average :]
        if len(latest) < recipe.average:
            raise InputError(f"{self.path} has {len(latest)} of {recipe.average} checkpoints to average; train it on")
        return latest

    def log(self) -> list[dict[str, Any]]:
        """What `metrics` holds, by step; a line that was cut off by an interruption is left out."""
        if not self.metrics.exists():
            return []
        lines = []
        for line in self.metrics.read_bytes().splitlines():
            try:
                lines.append(json.loads(line))
            except json.JSONDecodeError:
                break
        return lines
