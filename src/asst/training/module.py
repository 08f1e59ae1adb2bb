"""A method in Lightning's terms: what a step does, what validation measures, how weights move."""

from __future__ import annotations

import copy
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch.utils.data import DataLoader

from asst.data.action_samples import ActionWindows
from asst.data.batch import Batch, Collate, CollateWindows
from asst.data.samples import Queries
from asst.models.methods.base import Trainable
from asst.training.divergence import require_finite_figures, require_finite_weights
from asst.training.optimizer import average_into, optimizer_of, schedule_of
from asst.training.recipe import Recipe
from asst.training.reranker.samples import RerankerQueries
from asst.training.schedule import DROPOUT, IntervalBatches, interval_steps, share_of, torch_seed
from asst.training.task import Task
from asst.training.validation import Validation

QUESTIONS_AT_ONCE = 32


class TrainingModule(lightning.LightningModule):
    """Trains one method; Lightning's epochs are the recipe's intervals.

    Args:
        method: a module with an objective.
        recipe: how to train it.
        validation: asks it and judges the answers.

    Attributes:
        method: as above; its weights are those that steps move.
        kept: what is validated and kept: the method, or a copy with the mean of its weights.
    """

    def __init__(self, method: Trainable, recipe: Recipe, validation: Validation) -> None:
        super().__init__()
        self.method = self.kept = method
        if recipe.optimizer.averaging:
            self.kept = copy.deepcopy(method).requires_grad_(False)
        self._recipe, self._validation = recipe, validation
        self._answers: list[Any] = []

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """The loss of a part of a batch.

        Raises:
            DivergedError: if it is not finite.
        """
        training = self._recipe.training
        part = self.trainer.global_step * training.parts + batch_idx % training.parts
        # Dropout draws from torch's own source: set for each part, a resumed run draws what it would have.
        torch.manual_seed(torch_seed(DROPOUT, training.seed, part, self.global_rank))
        share = share_of(part, len(batch), seed=training.seed, rank=self.global_rank, processes=self.trainer.world_size)
        loss = self.method.loss(batch, share)
        # That of all processes, so that they stop together.
        together = float(share.mean_over_processes(loss.total.detach()))
        require_finite_figures({"the loss": together}, self.trainer.global_step)
        logged = {"loss": loss.total, **{f"loss/{name}": value for name, value in loss.parts.items()}}
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in logged.items()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(batch),
        )
        return loss.total

    def configure_gradient_clipping(self, *args: Any, **kwargs: Any) -> None:
        """Shortens the gradient; the trainer's own way refuses optimisers that do everything in one pass."""
        if self._recipe.optimizer.clip:
            torch.nn.utils.clip_grad_norm_(self.method.parameters(), self._recipe.optimizer.clip)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Averages the weights after each step."""
        averaging, training = self._recipe.optimizer.averaging, self._recipe.training
        if averaging and (batch_idx + 1) % training.parts == 0:
            step = self.current_epoch * training.interval + batch_idx // training.parts
            average_into(self.kept, self.method, averaging, step)

    def on_validation_start(self) -> None:
        """Nothing is asked, and so nothing kept, of weights that the last step has spoilt.

        Raises:
            DivergedError: for such weights.
        """
        require_finite_weights(self.kept.state_dict(), self.trainer.global_step)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """The answers to some questions."""
        self._answers.extend(self._validation.answers(self.kept, batch))

    def on_validation_epoch_end(self) -> None:
        """Metrics of all of them, in per cent."""
        metrics = self._validation.metrics(self.kept, self._answers)
        self._answers = []
        self.log_dict({f"validate/{key}": value for key, value in metrics.items()}, sync_dist=True)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """As the recipe has them (section 4.2)."""
        settings = self._recipe.optimizer
        optimizer = optimizer_of(settings, self.method)
        schedule = schedule_of(settings, optimizer, self._recipe.training.steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class TrainingData(lightning.LightningDataModule):
    """Batches of the interval that the trainer is in, and the questions of the validation split.

    Args:
        task: has both.
        recipe: how many at once.
    """

    def __init__(self, task: Task, recipe: Recipe) -> None:
        super().__init__()
        self._samples, self._questions, self._recipe = task.samples, task.questions, recipe

    def train_dataloader(self) -> DataLoader[Any]:
        """Called at the start of every interval."""
        assert self.trainer is not None
        training, done = self._recipe.training, self.trainer.global_step
        batches = IntervalBatches(
            len(self._samples),
            seed=training.seed,
            first=done,
            steps=interval_steps(done, interval=training.interval, steps=training.steps),
            batch=training.batch,
            parts=training.parts,
            rank=self.trainer.global_rank,
            processes=self.trainer.world_size,
        )
        return DataLoader(self._samples, batch_sampler=batches, collate_fn=Collate(self._samples.observation.steps))

    def val_dataloader(self) -> DataLoader[Any]:
        """Every question with its windows."""
        return questions_loader(self._questions)


def questions_loader(questions: Queries | ActionWindows | RerankerQueries) -> DataLoader[Any]:
    """Batches of questions, all windows of some at once, in their order."""
    return DataLoader(questions, batch_size=QUESTIONS_AT_ONCE, collate_fn=CollateWindows(questions.observation.steps))
