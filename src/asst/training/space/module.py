"""The training of a space in Lightning's terms."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from asst.errors import InputError
from asst.models.methods.base import Loss, Share
from asst.training.module import Lesson, TrainingModule
from asst.training.space.samples import CaptionBatch
from asst.training.space.towers import LearningTowers, Towers
from asst.training.space_recipe import CaptionRecipe

_SCALE_MOST = 100.0
# Softens both distributions over classes, so that the less likely ones count too (Hinton et al. 2015).
_CLASS_TEMPERATURE = 2.0


class CaptionModule(TrainingModule):
    """Trains both towers and ``log_scale``, the log of what products are multiplied by; keeps averaged weights."""

    recipe: CaptionRecipe
    method: LearningTowers
    kept: LearningTowers

    def __init__(self, recipe: CaptionRecipe, lesson: Lesson) -> None:
        torch.manual_seed(recipe.training.seed)
        towers = LearningTowers(Towers(recipe.network.sentence_dropout), recipe.network)
        super().__init__(towers, recipe, lesson, recipe.training.average)
        self._published = copy.deepcopy(towers).requires_grad_(False)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(recipe.training.temperature)))
        self.strict_loading = False

    @property
    def scale(self) -> Tensor:
        """What products are multiplied by."""
        return self.log_scale.exp().clamp(max=_SCALE_MOST)

    def loss(self, batch: CaptionBatch, share: Share) -> Loss:
        """Telling pictures and sentences apart, and classes as the published classifier does."""
        pooled = self.method.maps(batch.maps).float().mean((2, 3))
        pictures = self.method.embedded(pooled)
        parts = torch.split(self.method.vectors(batch.sentences), len(pictures))
        losses = [
            contrastive_loss(pictures, part, self.scale, batch.groups, texts)
            for part, texts in zip(parts, batch.texts, strict=True)
        ]
        contrast = torch.stack(losses).mean()
        classes = class_loss(self.method.towers.pictures.logits(pooled), self._published_logits(batch.maps))
        total = contrast + self.recipe.training.classes * classes
        return Loss(total, {"contrast": contrast, "classes": classes, "scale": self.scale})

    @torch.no_grad()
    def _published_logits(self, maps: Tensor) -> Tensor:
        """What the published classifier says of pictures, ``(batch, classes)``."""
        published = self._published.eval()
        return published.towers.pictures.logits(published.maps(maps).float().mean((2, 3)))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What is frozen is as published, and not kept."""
        own = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name: own[name] for name in own if name in self._learnt}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses, by an `InputError`, a state without all that learns: the rest of it would begin anew."""
        if missing := self._learnt - checkpoint["state_dict"].keys():
            raise InputError(f"the run's state is of another version (no {min(missing)}); start it in another folder")

    @property
    def _learnt(self) -> set[str]:
        """Names of what is kept in a state."""
        learnt = [name for name, weight in self.method.named_parameters() if weight.requires_grad]
        return {"log_scale", *(f"{towers}.{name}" for towers in ("method", "kept") for name in learnt)}

    def optimizer_and_schedule(self) -> tuple[torch.optim.Optimizer, LRScheduler]:
        """AdamW with a rate for each part, in one cycle."""
        settings, steps = self.recipe.optimizer, self.recipe.training.steps
        rates = [settings.picture_rate, settings.sentence_rate, settings.placing_rate, settings.placing_rate]
        parts: list[dict[str, Any]] = [{"params": part} for part in self.method.learnt()]
        parts.append({"params": [self.log_scale], "weight_decay": 0})
        optimizer = torch.optim.AdamW(parts, weight_decay=settings.weight_decay, fused=True)
        return optimizer, OneCycleLR(optimizer, rates, total_steps=steps, pct_start=settings.rise)


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
