"""The training of a space in Lightning's terms."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
import torch.nn.functional as F
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn

from asst.training.divergence import require_finite_figures
from asst.training.module import IntervalModule, by_step
from asst.training.schedule import DROPOUT, torch_seed
from asst.training.space.samples import CaptionBatch
from asst.training.space.towers import LearningTowers, Towers
from asst.training.space.validation import CaptionValidation
from asst.training.space_recipe import CaptionRecipe

_SCALE_MOST = 100.0
# Softens both distributions over classes, so that the less likely ones count too (Hinton et al. 2015).
_CLASS_TEMPERATURE = 2.0


class CaptionModule(IntervalModule):
    """Trains both towers and ``log_scale``, the log of what products are multiplied by; keeps averaged weights."""

    moved, judged = "learning", "averaged"

    def __init__(self, recipe: CaptionRecipe, validation: CaptionValidation) -> None:
        super().__init__()
        torch.manual_seed(recipe.training.seed)
        network = recipe.network
        self.learning = LearningTowers(Towers(network.sentence_dropout), network)
        self.averaged = copy.deepcopy(self.learning).requires_grad_(False)
        self._published = copy.deepcopy(self.learning).requires_grad_(False)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(recipe.training.temperature)))
        self.clip, self._recipe, self._validation = recipe.optimizer.clip, recipe, validation
        self.strict_loading = False
        self._seen: dict[int, Tensor] = {}

    @property
    def scale(self) -> Tensor:
        """What products are multiplied by."""
        return self.log_scale.exp().clamp(max=_SCALE_MOST)

    def training_step(self, batch: CaptionBatch, batch_idx: int) -> Tensor:
        """The loss of a batch; a `DivergedError` if it is not finite."""
        training = self._recipe.training
        step = self.trainer.global_step
        # Dropout draws from torch's own source: set for each step, a resumed run draws what it would have.
        torch.manual_seed(torch_seed(DROPOUT, training.seed, step))
        pooled = self.learning.maps(batch.maps).float().mean((2, 3))
        pictures = self.learning.embedded(pooled)
        parts = torch.split(self.learning.vectors(batch.sentences), len(pictures))
        losses = [
            contrastive_loss(pictures, part, self.scale, batch.groups, texts)
            for part, texts in zip(parts, batch.texts, strict=True)
        ]
        contrast = torch.stack(losses).mean()
        classes = class_loss(self.learning.towers.pictures.logits(pooled), self._published_logits(batch.maps))
        loss = contrast + training.classes * classes
        require_finite_figures({"the loss": float(loss.detach())}, self.trainer.global_step)
        figures = {"train/loss": contrast.detach(), "train/classes": classes.detach()}
        figures["train/scale"] = self.scale.detach()
        self.log_dict(figures, on_step=False, on_epoch=True, batch_size=len(batch.groups))
        return loss

    @torch.no_grad()
    def _published_logits(self, maps: Tensor) -> Tensor:
        """What the published classifier says of pictures, ``(batch, classes)``."""
        published = self._published.eval()
        return published.towers.pictures.logits(published.maps(maps).float().mean((2, 3)))

    @torch.no_grad()
    def on_train_batch_end(self, outputs: Any, batch: CaptionBatch, batch_idx: int) -> None:
        """Averages the weights, more slowly as the training goes on."""
        step = self.trainer.global_step - 1
        stays = min(self._recipe.training.average, (1 + step) / (10 + step))
        for mean, weight in zip(self.averaged.parameters(), self.learning.parameters(), strict=True):
            if weight.requires_grad:
                mean.lerp_(weight, 1 - stays)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What is frozen is as published, and not kept."""
        learnt = [name for name, weight in self.learning.named_parameters() if weight.requires_grad]
        kept = {"log_scale", *(f"{towers}.{name}" for towers in ("learning", "averaged") for name in learnt)}
        own = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name: value for name, value in own.items() if name in kept}

    def validation_step(self, batch: list[int], batch_idx: int) -> None:
        """Some held-out pictures in the space."""
        self._seen |= self._validation.see(self.averaged, batch)

    def on_validation_epoch_end(self) -> None:
        """Retrieval among them."""
        metrics = self._validation.metrics(self.averaged, self._seen)
        self._seen = {}
        self.log_dict({f"validate/{key}": value for key, value in metrics.items()})

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW with a rate for each part, in one cycle."""
        settings = self._recipe.optimizer
        rates = [settings.picture_rate, settings.sentence_rate, settings.placing_rate, settings.placing_rate]
        parts: list[dict[str, Any]] = [{"params": part} for part in self.learning.learnt()]
        parts.append({"params": [self.log_scale], "weight_decay": 0})
        optimizer = torch.optim.AdamW(parts, weight_decay=settings.weight_decay, fused=True)
        steps = self._recipe.training.steps
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=settings.rise)
        return by_step(optimizer, schedule)


def class_loss(logits: Tensor, published: Tensor) -> Tensor:
    """How far classes are told otherwise than by the published classifier: the divergence of softened distributions."""
    with torch.autocast(logits.device.type, enabled=False):
        own, right = (F.log_softmax(part.float() / _CLASS_TEMPERATURE, dim=1) for part in (logits, published))
        divergence = F.kl_div(own, right, log_target=True, reduction="batchmean")
    return divergence * _CLASS_TEMPERATURE**2


def contrastive_loss(pictures: Tensor, sentences: Tensor, scale: Tensor, groups: Tensor, texts: Tensor) -> Tensor:
    """How badly pictures tell their sentences from the batch's others, and sentences their pictures (InfoNCE).

    Both are unit vectors, ``(batch, dimension)``, in turn. Pairs of one group, or with equal sentences, by their
    numbers, are no wrong ones: they are left out of each other's sums. Products are multiplied by ``scale``.
    """
    # In full precision whatever the towers are in: half of it has steps of 0.5 at the largest scale.
    with torch.autocast(pictures.device.type, enabled=False):
        products = scale * pictures.float() @ sentences.float().T
        right = torch.arange(len(products), device=products.device)
        alike = (groups[:, None] == groups) | (texts[:, None] == texts)
        products = products.masked_fill(alike.fill_diagonal_(False), -torch.inf)
        return (F.cross_entropy(products, right) + F.cross_entropy(products.T, right)) / 2
