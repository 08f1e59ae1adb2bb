"""The video subnet alone as a detector of actions (the paper's appendix): ASST without language, a class a clip.

`Classes` and `ActionMethod` are what every method that finds actions has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.methods.base import Loss, Share, Trainable
from asst.nn.config import ASSTConfig
from asst.nn.losses import POSITIVE_IOU, detection_loss, sample_anchors, span_iou
from asst.nn.network import ASSTNetwork
from asst.nn.sampler import decode_offsets
from asst.settings import Settings

NEGATIVES = 5
"""Negative clips sampled for each positive one."""

MOST_IGNORED = 0.5
"""A clip of which a larger share is neither action nor background is no negative."""


Label = Annotated[str, Field(min_length=1)]


class Classes(Settings):
    """The classes of a method."""

    labels: Annotated[tuple[Label, ...], Field(strict=False, min_length=1)]
    """Their names, in their order."""
    includes: dict[str, list[str]] = Field(default_factory=dict)
    """By a class, those that are part of it. What is learnt is one class a span, the most particular one; the score of
    a class has those of its parts in it."""

    @model_validator(mode="after")
    def _are_known(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must name each class once, not {list(self.labels)}")
        named = {*self.includes, *(part for parts in self.includes.values() for part in parts)}
        if unknown := sorted(named - set(self.labels)):
            raise ValueError(f"includes names {unknown[0]!r}, which is no class")
        return self

    def inclusion(self) -> Tensor:
        """The matrix that adds the scores of parts to those of the whole, shape ``(classes, classes)``.

        >>> Classes(labels=("cliff dive", "dive"), includes={"dive": ["cliff dive"]}).inclusion().tolist()
        [[1.0, 1.0], [0.0, 1.0]]
        """
        matrix = torch.eye(len(self.labels))
        for whole, parts in self.includes.items():
            for part in parts:
                matrix[self.labels.index(part), self.labels.index(whole)] = 1
        return matrix


class ActionMethod(Trainable):
    """Finds actions of some classes."""

    finds_actions = True
    inclusion: Tensor

    def take_classes(self, classes: Classes) -> None:
        """Makes these what is found."""
        self.labels = classes.labels
        self.register_buffer("inclusion", classes.inclusion(), persistent=False)


class DetectorSettings(Classes, ASSTConfig):
    """The network; its head, its feeding and the number of its classes follow from what it is for."""

    head: Literal["action"] = "action"
    feeding: Literal["none"] = "none"

    @model_validator(mode="before")
    @classmethod
    def _counts_classes(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {"classes": len(values.get("labels", ())), **values}


class DetectorMethod(ActionMethod):
    """Gives each anchor a class or background, and moves its ends whatever the class.

    Trained by a softmax over the classes and background and by smooth L1 of equation 1's offsets, on anchors sampled
    one positive to five negatives. An anchor that lies mostly in an ambiguous stretch is no negative.
    """

    together = "batch normalisation takes its statistics from them"
    _settings: DetectorSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = DetectorSettings.from_dict(settings, "detector")
        self.network = ASSTNetwork(self._settings)
        self.take_classes(self._settings)

    def begin(self, features: Iterable[npt.NDArray[np.float32]]) -> None:
        """Standardises the input by these features, where the settings say so."""
        self.network.video.fit_features(features)

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Class and offsets of sampled anchors; an `InputError` if the batch's moments have no classes."""
        if batch.labels is None:
            raise InputError("a detector learns from labelled spans; these samples have none")
        # A batch may have no moment at all: one that is not real stands in.
        moments = functional.pad(batch.moments, (0, 0, 0, 1))
        labels = functional.pad(batch.labels, (0, 1))
        clips = self.network.clips
        real = labels > 0
        learnable = self.network.clip_mask(batch.feature_mask) & ~_open_question(clips, moments, labels)
        keys = share.uniform(len(clips))
        sample, clips = sample_anchors(clips, learnable, moments, real, NEGATIVES, keys).alone(clips)
        out = self.network(batch.features, batch.feature_mask, clips=clips)
        count = share.mean_over_processes(sample.sampled.sum().float()).clamp(min=1)
        assert out.offsets is not None
        loss = detection_loss(out.logits, out.offsets, clips, sample, moments, labels.clamp(min=0), count)
        return Loss(loss.total, {"class": loss.presence, "offsets": loss.offsets})

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every class of every anchor at its moved span: ``clips`` are the anchors in turn, each with all classes."""
        out = self.network(batch.features, batch.feature_mask)
        clip_mask = self.network.clip_mask(batch.feature_mask)
        clips = self.network.clips.expand(*clip_mask.shape, 2)
        assert out.offsets is not None
        spans = decode_offsets(clips, out.offsets.float())
        scores = out.scores(clip_mask) @ self.inclusion
        classes = len(self.labels)
        labels = torch.arange(classes, device=scores.device).expand(scores.shape)
        return {
            "spans": spans.repeat_interleave(classes, dim=1),
            "scores": scores.flatten(1),
            "kept": clip_mask.repeat_interleave(classes, dim=1),
            "labels": labels.flatten(1),
        }


def _open_question(clips: Tensor, moments: Tensor, labels: Tensor) -> Tensor:
    """Anchors that are mostly covered by a stretch of no class and hold no action; shape ``(batch, clips)``."""
    starts = torch.maximum(clips[:, None, 0], moments[:, None, :, 0])
    ends = torch.minimum(clips[:, None, 1], moments[:, None, :, 1])
    covered = (ends - starts).clamp(min=0) * (labels < 0)[:, None]
    share = covered.amax(dim=2) / (clips[:, 1] - clips[:, 0])
    action = (span_iou(clips, moments) * (labels > 0)[:, None]).amax(dim=2) >= POSITIVE_IOU
    return (share > MOST_IGNORED) & ~action
