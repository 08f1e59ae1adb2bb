"""ASST as a method that is trained: its network, its two losses and how its answers are read (sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from torch import Tensor

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.answers import ATTENTION
from asst.models.methods.base import Loss, Share, Trainable
from asst.nn.attention import relative_entropy
from asst.nn.config import ASSTConfig
from asst.nn.losses import classification_loss, detection_loss, sample_anchors
from asst.nn.network import ASSTNetwork, ASSTOutput
from asst.nn.sampler import decode_offsets

NEGATIVES = 1
"""Negative clips sampled for each positive one (section 4.2)."""


class ASSTSettings(ASSTConfig):
    """The network, and what it is trained to; the defaults are the paper's."""

    length_matched: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the negative clips that have the lengths of positive ones, in [0, 1] (`asst.nn.losses.sample_anchors`);
    detection alone."""
    head: Literal["detection", "classification"] = "detection"
    targets: Literal["hard", "iou"] = "hard"
    """Whether a clip is present or not (``hard``), or by as much as its IoU (``iou``); detection alone."""

    @model_validator(mode="after")
    def _detects(self) -> Self:
        if self.head == "classification" and (self.length_matched or self.targets != "hard"):
            raise ValueError("length_matched and targets are for head 'detection'; leave them out")
        return self


class ASSTMethod(Trainable):
    """The classification model or the detection model, by the head of its `ASSTSettings`."""

    together = "batch normalisation takes its statistics from them"
    _settings: ASSTSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = ASSTSettings.from_dict(settings, "asst")
        self.network = ASSTNetwork(self._settings)
        self.relative = self._settings.head == "classification"

    def begin(self, features: Iterable[npt.NDArray[np.float32]]) -> None:
        """Standardises the input by these features, where the settings say so."""
        self.network.video.fit_features(features)

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Softmax over clips (classification), or presence and offsets of sampled anchors (detection).

        The log gets the entropy of attention too, over its maximum. Samples without a true clip to classify are an
        `InputError`.
        """
        clip_mask = self.network.clip_mask(batch.feature_mask)
        if self.relative:
            if batch.targets is None:
                raise InputError("these samples have no true clip among pre-defined ones; use head 'detection'")
            out = self._run(batch, attention=True)
            return Loss(classification_loss(out.logits, clip_mask, batch.targets), self._entropy(out, batch))
        clips, own = self.network.clips, self._settings
        keys = share.uniform(len(clips))
        found = sample_anchors(
            clips, clip_mask, batch.moments, batch.moment_mask, NEGATIVES, keys, length_matched=own.length_matched
        )
        if batch.foreign is not None:
            found = found.foreign(batch.foreign)
        sample, clips = found.alone(clips)
        out = self._run(batch, attention=True, clips=clips)
        count = share.mean_over_processes(sample.sampled.sum().float()).clamp(min=1)
        assert out.offsets is not None
        loss = detection_loss(
            out.logits, out.offsets, clips, sample, batch.moments, count=count, scaled=own.targets == "iou"
        )
        return Loss(loss.total, {"presence": loss.presence, "offsets": loss.offsets, **self._entropy(out, batch)})

    def _entropy(self, out: ASSTOutput, batch: Batch) -> dict[str, Tensor]:
        if not out.attention:
            return {}
        return {"attention_entropy": relative_entropy(out.attention, batch.word_mask, batch.feature_mask)}

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every clip of every window: logits to compare (classification), or presence at the moved span (detection)."""
        out = self._run(batch, attention)
        clip_mask = self.network.clip_mask(batch.feature_mask)
        clips = self.network.clips.expand(*clip_mask.shape, 2)
        spans = clips if out.offsets is None else decode_offsets(clips, out.offsets.float())
        scores = out.logits[..., 0] if self.relative else out.scores(clip_mask)[..., 0]
        weights = {f"{ATTENTION}{name}": own for name, own in (out.attention or {}).items()}
        return {"spans": spans, "scores": scores, "kept": clip_mask, **weights}

    def _run(self, batch: Batch, attention: bool = False, clips: Tensor | None = None) -> ASSTOutput:
        seen, said = (batch.features, batch.feature_mask), (batch.words, batch.word_mask)
        out: ASSTOutput = self.network(*seen, *said, attention, clips)
        return out
