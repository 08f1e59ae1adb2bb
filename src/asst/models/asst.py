"""ASST as a method that is trained: its network, its two losses and how its answers are read (sections 3 and 4)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from asst.data.batch import Batch
from asst.errors import InputError
from asst.models.answers import ATTENTION
from asst.models.method import Loss, Share, Trainable
from asst.nn.config import ASSTConfig
from asst.nn.losses import classification_loss, detection_loss, sample_anchors
from asst.nn.network import ASSTNetwork, ASSTOutput
from asst.nn.sampler import decode_offsets

NEGATIVES = 1
"""Negative clips sampled for each positive one (section 4.2)."""


class ASSTMethod(Trainable):
    """The classification model or the detection model, by the head of its configuration.

    Args:
        settings: of `ASSTConfig.from_dict`.

    Raises:
        InputError: for settings that no network can have, or a head that answers no sentence.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        config = ASSTConfig.from_dict(settings)
        if config.head == "action":
            raise InputError("head 'action' answers no sentence; use 'detection' or 'classification'")
        self.network = ASSTNetwork(config)
        self.relative = config.head == "classification"

    @property
    def settings(self) -> dict[str, Any]:
        """What the method is built from."""
        return self.network.config.to_dict()

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Softmax over clips (classification), or presence and offsets of sampled anchors (detection).

        Raises:
            InputError: if the batch's samples have no true clip to classify.
        """
        out = self._run(batch)
        clip_mask = self.network.clip_mask(batch.feature_mask)
        if self.relative:
            if batch.targets is None:
                raise InputError("these samples have no true clip among pre-defined ones; use head 'detection'")
            total = classification_loss(out.logits, clip_mask, batch.targets)
            return Loss(total, {})
        assert out.offsets is not None
        clips = self.network.clips
        keys = share.uniform(len(clips))
        sample = sample_anchors(clips, clip_mask, batch.moments, batch.moment_mask, NEGATIVES, keys)
        count = share.mean_over_processes(sample.sampled.sum().float()).clamp(min=1)
        loss = detection_loss(out.logits, out.offsets, clips, sample, batch.moments, count=count)
        return Loss(loss.total, {"presence": loss.presence, "offsets": loss.offsets})

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every clip of every window: logits to compare (classification), or presence at the moved span (detection)."""
        out = self._run(batch, attention)
        clip_mask = self.network.clip_mask(batch.feature_mask)
        clips = self.network.clips.expand(*clip_mask.shape, 2)
        spans = clips if out.offsets is None else decode_offsets(clips, out.offsets.float())
        scores = out.logits[..., 0] if self.relative else out.scores(clip_mask)[..., 0]
        weights = {f"{ATTENTION}{name}": own for name, own in (out.attention or {}).items()}
        return {"spans": spans, "scores": scores, "kept": clip_mask, **weights}

    def _run(self, batch: Batch, attention: bool = False) -> ASSTOutput:
        out: ASSTOutput = self.network(batch.features, batch.feature_mask, batch.words, batch.word_mask, attention)
        return out
