"""ASST as a method that is trained: its network, its two losses and how its answers are read (sections 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ASSTSettings(ASSTConfig):
    """The network, and what it is trained to; the defaults are the paper's.

    Attributes:
        length_matched: share of the negative clips that have the lengths of positive ones, in [0, 1]
            (`asst.nn.losses.sample_anchors`); detection alone.
        targets: whether a clip is present or not (``hard``), or by as much as its IoU (``iou``); detection alone.
    """

    length_matched: float = 0.0
    targets: Literal["hard", "iou"] = "hard"

    def __post_init__(self) -> None:
        ASSTConfig.__post_init__(self)
        if not 0 <= self.length_matched <= 1:
            raise InputError(f"length_matched must be from 0 to 1, not {self.length_matched}")
        if self.head == "classification" and (self.length_matched or self.targets != "hard"):
            raise InputError("length_matched and targets are for head 'detection'; leave them out")


class ASSTMethod(Trainable):
    """The classification model or the detection model, by the head of its configuration.

    Args:
        settings: of `ASSTSettings.from_dict`.

    Raises:
        InputError: for settings that no network can have, or a head that answers no sentence.
    """

    together = "batch normalisation takes its statistics from them"

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        config = ASSTSettings.from_dict(settings)
        if config.head == "action":
            raise InputError("head 'action' answers no sentence; use 'detection' or 'classification'")
        self.network = ASSTNetwork(config)
        self._objective = config
        self.relative = config.head == "classification"

    @property
    def settings(self) -> dict[str, Any]:
        """What the method is built from."""
        return self.network.config.to_dict()

    def begin(self, features: Iterable[npt.NDArray[np.float32]]) -> None:
        """Standardises the input by these features, where the settings say so."""
        self.network.video.fit_features(features)

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Softmax over clips (classification), or presence and offsets of sampled anchors (detection).

        The log gets the entropy of attention too, over its maximum.

        Raises:
            InputError: if the batch's samples have no true clip to classify.
        """
        clip_mask = self.network.clip_mask(batch.feature_mask)
        if self.relative:
            if batch.targets is None:
                raise InputError("these samples have no true clip among pre-defined ones; use head 'detection'")
            out = self._run(batch, attention=True)
            return Loss(classification_loss(out.logits, clip_mask, batch.targets), self._entropy(out, batch))
        clips, own = self.network.clips, self._objective
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
