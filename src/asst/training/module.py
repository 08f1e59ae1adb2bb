"""A method in Lightning's terms: what a step does, what validation measures, how weights move."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Any, cast

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from torch.utils.data import DataLoader, Dataset

from asst.errors import InputError
from asst.models.methods.base import Loss, Share
from asst.training.folder import require_finite
from asst.training.recipe import Optimizer, Recipe
from asst.training.schedule import DROPOUT, IntervalBatches, interval_steps, share_of, torch_seed
from asst.training.space_recipe import CaptionRecipe
from asst.training.validation import Validation


@dataclass(frozen=True, slots=True)
class Lesson:
    """Samples by epoch and index, what makes batches of them, and the questions that what is learnt is judged by."""

    samples: Dataset[Any]
    collate: Callable[[list[Any]], Any]
    questions: DataLoader[Any]
    validation: Validation


class TrainingModule(lightning.LightningModule):
    """Trains a method; validated and kept is itself, or a copy with the mean of its weights.

    Lightning's epochs are the recipe's intervals.
    """

    def __init__(self, method: nn.Module, recipe: Recipe | CaptionRecipe, lesson: Lesson, mean: float) -> None:
        super().__init__()
        self.method = self.kept = method
        if mean:
            self.kept = copy.deepcopy(method).requires_grad_(False)
        self.recipe, self.lesson, self._mean = recipe, lesson, mean
        self._answers: list[Any] = []

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of the interval that begins."""
        training, done = self.recipe.training, self.trainer.global_step
        batches = IntervalBatches(
            len(cast("Sized", self.lesson.samples)),
            seed=training.seed,
            first=done,
            steps=interval_steps(done, interval=training.interval, steps=training.steps),
            batch=training.batch,
            parts=training.parts,
            rank=self.trainer.global_rank,
            processes=self.trainer.world_size,
        )
        return DataLoader(self.lesson.samples, batch_sampler=batches, collate_fn=self.lesson.collate)

    def val_dataloader(self) -> DataLoader[Any]:
        """All questions."""
        return self.lesson.questions

    def loss(self, batch: Any, share: Share) -> Loss:
        """The objective of a part of a batch."""
        found: Loss = self.method.loss(batch, share)  # type: ignore[operator]
        return found

    def training_step(self, batch: Sized, batch_idx: int) -> torch.Tensor:
        """The loss of a part of a batch; a `DivergedError` if it is not finite."""
        training = self.recipe.training
        part = self.trainer.global_step * training.parts + batch_idx % training.parts
        # Dropout draws from torch's own source: set for each part, a resumed run draws what it would have.
        torch.manual_seed(torch_seed(DROPOUT, training.seed, part, self.global_rank))
        share = share_of(part, len(batch), seed=training.seed, rank=self.global_rank, processes=self.trainer.world_size)
        loss = self.loss(batch, share)
        # That of all processes, so that they stop together.
        together = float(share.mean_over_processes(loss.total.detach()))
        require_finite({"the loss": together}, self.trainer.global_step)
        logged = {"loss": loss.total, **{f"loss/{name}": value for name, value in loss.parts.items()}}
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in logged.items()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(batch),
        )
        return loss.total

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Averages the weights after each step."""
        if self._mean and (batch_idx + 1) % self.recipe.training.parts == 0:
            average_into(self.kept, self.method, self._mean, self.trainer.global_step - 1)

    def on_validation_start(self) -> None:
        """Nothing is asked, and so nothing kept, of weights that the last step has spoilt: a `DivergedError`."""
        require_finite(self.kept.state_dict(), self.trainer.global_step)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """The answers to some questions."""
        self._answers.extend(self.lesson.validation.answers(self.kept, batch))

    def on_validation_epoch_end(self) -> None:
        """Metrics of all of them, in per cent."""
        metrics = self.lesson.validation.metrics(self.kept, self._answers)
        self._answers = []
        self.log_dict({f"validate/{key}": value for key, value in metrics.items()}, sync_dist=True)

    def configure_gradient_clipping(self, *args: Any, **kwargs: Any) -> None:
        """Shortens the gradient; the trainer's own way refuses optimisers that do everything in one pass."""
        if self.recipe.optimizer.clip:
            torch.nn.utils.clip_grad_norm_(self.method.parameters(), self.recipe.optimizer.clip)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Rates move after each step."""
        optimizer, schedule = self.optimizer_and_schedule()
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def optimizer_and_schedule(self) -> tuple[torch.optim.Optimizer, LRScheduler]:
        """As the recipe has them (section 4.2)."""
        assert isinstance(self.recipe, Recipe)
        optimizer = optimizer_of(self.recipe.optimizer, self.method)
        return optimizer, schedule_of(self.recipe.optimizer, optimizer, self.recipe.training.steps)


def optimizer_of(settings: Optimizer, module: nn.Module) -> torch.optim.Optimizer:
    """Adam or SGD over what a module learns, each parameter at its own rate.

    Raises an `InputError` for a part in ``rates`` that no parameter belongs to.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    unused = set(settings.rates)
    for name, weight in module.named_parameters():
        if weight.requires_grad:
            parts = settings.rates.keys() & set(name.split("."))
            unused -= parts
            groups.setdefault(math.prod(settings.rates[part] for part in parts), []).append(weight)
    if unused:
        raise InputError(f"optimizer.rates names {min(unused)}, and no parameter that learns is part of one")
    each = [{"params": weights, "lr": factor * settings.learning_rate} for factor, weights in groups.items()]
    if settings.name == "adam":
        return torch.optim.Adam(each, settings.learning_rate, fused=True)
    return torch.optim.SGD(each, settings.learning_rate, settings.momentum, fused=True)


def schedule_of(settings: Optimizer, optimizer: torch.optim.Optimizer, steps: int) -> LambdaLR:
    """The rates of an optimiser over a training of so many steps."""
    return LambdaLR(optimizer, lambda step: rate_factor(settings, step, steps))


def rate_factor(settings: Optimizer, step: int, steps: int) -> float:
    """What the learning rate is multiplied by at a step, from zero.

    >>> [round(rate_factor(Optimizer(schedule="cosine", warmup=2), step, 4), 3) for step in range(4)]
    [0.5, 0.854, 0.5, 0.146]
    """
    risen = min(1.0, (step + 1) / max(settings.warmup, 1))
    if settings.schedule == "cosine":
        return risen * (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2
    return float(risen * settings.decay ** (step // settings.decay_steps))


@torch.no_grad()
def average_into(mean: nn.Module, now: nn.Module, decay: float, step: int) -> None:
    """Moves the mean of the weights towards those of now, faster in the first steps, of which ``step`` are done.

    ``mean`` is a copy of ``now`` from before the first; what is counted in ``now`` is copied. In the end it keeps
    ``decay`` of itself.
    """
    stays = min(decay, (1 + step) / (10 + step))
    for own, new in zip(mean.state_dict().values(), now.state_dict().values(), strict=True):
        if own.is_floating_point():
            own.lerp_(new, 1 - stays)
        else:
            own.copy_(new)
