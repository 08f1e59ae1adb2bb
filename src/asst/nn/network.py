"""The whole network: a window of features and a sentence to what is said of each clip (Figure 2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from asst.errors import InputError
from asst.moments import anchor_grid
from asst.nn.config import ASSTConfig
from asst.nn.language import LanguageSubnet
from asst.nn.sampler import ClipSampler, clips_within, hold_last, piece_grid
from asst.nn.video import VideoSubnet


@dataclass(frozen=True, slots=True)
class ASSTOutput:
    """What the network says of each clip.

    Attributes:
        logits: shape ``(batch, clips, k)``: absence and presence (detection, ``k = 2``), one score (classification,
            ``k = 1``), or background and each class (action, ``k = classes + 1``).
        offsets: ``d_c`` and ``d_l`` of equation 1, shape ``(batch, clips, 2)``; None for classification.
        attention: the weights of each fed layer by its name, shape ``(batch, words, steps of the layer)``; None unless
            asked for.
    """

    logits: Tensor
    offsets: Tensor | None
    attention: dict[str, Tensor] | None

    def scores(self, clip_mask: Tensor) -> Tensor:
        """Softmax scores of the clips to consider, at least one a sample; zero for the others, in 32 bits.

        Clips are told by a mask, ``(batch, clips)``. Shape ``(batch, clips, k')``: a distribution over the clips
        (classification, ``k' = 1``), the probability of presence (detection, ``k' = 1``) or of each class (action, ``k'
        = classes``).
        """
        logits = self.logits.float()
        if logits.shape[2] == 1:
            return logits.masked_fill(~clip_mask[..., None], float("-inf")).softmax(dim=1)
        return logits.softmax(dim=2)[..., 1:].masked_fill(~clip_mask[..., None], 0)


class ASSTNetwork(nn.Module):
    """ASST, or with ``feeding="none"`` its video subnet alone.

    Its clips are the anchor grid of :func:`asst.moments.anchor_grid` over the window, or for classification every run
    of its equal pieces. At the paper's sizes with 4,096-dimensional features and 300-dimensional words it has
    43,890,692 parameters (41.2 million in the video subnet, 1.9 in the language subnet, 0.8 in the sampler).

    Args:
        config: sizes and choices.

    Attributes:
        clips: start and end of each clip in steps, shape ``(clips, 2)``.
    """

    clips: Tensor

    def __init__(self, config: ASSTConfig) -> None:
        super().__init__()
        self.config = config
        self.language = LanguageSubnet(config) if config.fed_layers else None
        self.video = VideoSubnet(config)
        logits = {"classification": 1, "detection": 2, "action": config.classes + 1}[config.head]
        self.logits = logits
        outputs = logits if config.head == "classification" else logits + 2
        self.sampler = ClipSampler(self.video.out_channels, config.channels, outputs, config.dropout)
        if config.head == "classification":
            clips = piece_grid(config.steps, config.pieces)
        else:
            clips = torch.tensor(anchor_grid(config.steps, config.levels, config.per_length), dtype=torch.float32)
        self.register_buffer("clips", clips, persistent=False)

    def forward(
        self,
        features: Tensor,
        feature_mask: Tensor,
        words: Tensor | None = None,
        word_mask: Tensor | None = None,
        return_attention: bool = False,
        clips: Tensor | None = None,
    ) -> ASSTOutput:
        """Score every clip of a batch of windows against their sentences.

        Args:
            features: shape ``(batch, steps, feature_channels)``.
            feature_mask: true for a real step; those come first, shape ``(batch, steps)``.
            words: word vectors, shape ``(batch, words, word_channels)``; None where no layer is fed.
            word_mask: true for a real word; those come first, shape ``(batch, words)``.
            return_attention: whether the output holds the attention weights.
            clips: of each sample, in place of the network's own, in steps, shape ``(batch, clips, 2)``.

        Raises:
            InputError: for a window of another length, a sentence without a word, or no sentence where one is read.
        """
        if features.shape[1] != self.config.steps:
            raise InputError(f"the network observes {self.config.steps} steps, not {features.shape[1]}; pad or slide")
        if self.language is not None and words is not None and word_mask is not None:
            words = self.language(words, word_mask)
        representation, attention = self.video(features, feature_mask, words, word_mask)
        answers = self.sampler(hold_last(representation, feature_mask), self.clips if clips is None else clips)
        return ASSTOutput(
            logits=answers[..., : self.logits],
            offsets=None if self.config.head == "classification" else answers[..., self.logits :],
            attention=attention if return_attention else None,
        )

    def clip_mask(self, feature_mask: Tensor) -> Tensor:
        """Which clips a window of few real steps, ``(batch, steps)``, can answer with, shape ``(batch, clips)``.

        An anchor must lie within the real steps. A run of pieces must have the middle of its last piece there, so that
        a last piece which the video fills by more than half counts.
        """
        piece = self.config.steps / self.config.pieces
        return clips_within(self.clips, feature_mask, piece / 2 if self.config.head == "classification" else 0.0)
