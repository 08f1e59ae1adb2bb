"""Canonical correlation between clips and sentences, the linear rival of the paper's Table 1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor
from torch.nn import functional

from asst.data.batch import Batch
from asst.data.record import Record
from asst.errors import InputError
from asst.models.methods.base import Fitted, Widths
from asst.models.methods.clips import (
    check_windows,
    clip_grid,
    clip_slack,
    clips_or_first,
    in_context,
    sentence_mean,
    sliding_clips,
)
from asst.settings import Natural, Numbers, Positive, Rate


class CCASettings(Widths):
    """What is correlated."""

    clips: Literal["pieces", "windows"] = "windows"
    """The candidates, ``pieces`` (DiDeMo) or sliding ``windows``. A correlation hardly tells a moment from a part of
    it, so windows are as long as moments usually are."""
    lengths: Numbers = (21.333, 42.667)
    """Of the windows, in steps; the default is 128 and 256 frames at 24 a second, in steps of 0.25 s."""
    overlap: float = 0.8
    """Share of its length that a window has in common with the next."""
    components: Positive = 32
    """Canonical pairs that are kept, at most as many as either side is wide."""
    regularization: Rate = 0.1
    """Added to the variance, one, of every standardised number of either side."""
    power: Natural = 1
    """Of the canonical correlation that a pair counts by; zero counts all alike."""
    steps: Positive = 128
    """Of the observed window."""

    @model_validator(mode="after")
    def _slides(self) -> Self:
        check_windows(self.lengths, self.overlap)
        return self


@dataclass(frozen=True, slots=True)
class Canonical:
    """Canonical directions of two sides, ``(width, components)``, and correlations, falling, ``(components,)``."""

    left: Tensor
    right: Tensor
    correlations: Tensor


def canonical_correlation(left: Tensor, right: Tensor, between: Tensor, regularization: float) -> Canonical:
    """Regularised canonical correlation analysis from covariances ``L`` (n, n), ``R`` (m, m) and ``C`` (n, m) between.

    The directions ``a`` and ``b`` have the greatest ``a' C b`` under ``a' (L + r I) a = b' (R + r I) b = 1``, each pair
    uncorrelated with those before it: the singular vectors of ``C`` whitened by the Cholesky factors of both sides.
    """
    of_left, of_right = (
        torch.linalg.cholesky(own + regularization * torch.eye(len(own), dtype=own.dtype)) for own in (left, right)
    )
    half = torch.linalg.solve_triangular(of_left, between, upper=False)
    white = torch.linalg.solve_triangular(of_right, half.mT, upper=False).mT
    u, correlations, v = torch.linalg.svd(white, full_matrices=False)
    return Canonical(
        left=torch.linalg.solve_triangular(of_left.mT, u, upper=True),
        right=torch.linalg.solve_triangular(of_right.mT, v.mT, upper=True),
        correlations=correlations,
    )


class CCAMethod(Fitted):
    """Ranks clips by the correlation of their canonical variates with those of the sentence.

    A clip is what `in_context` sees of it, a sentence the mean of its word vectors. Both are standardised and projected
    on the canonical directions, each weighted by its correlation; the score is the cosine of the two projections,
    brought from [-1, 1] to [0, 1].
    """

    clips: Tensor
    seen_mean: Tensor
    seen_map: Tensor
    said_mean: Tensor
    said_map: Tensor
    correlations: Tensor
    _settings: CCASettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = own = CCASettings.from_dict(settings, "cca")
        wide, narrow = 2 * own.feature_channels + 2, own.word_channels
        kept = min(own.components, wide, narrow)
        pieces = own.clips == "pieces"
        clips = clip_grid("pieces", own.steps) if pieces else sliding_clips(own.steps, own.lengths, own.overlap)
        self._slack = clip_slack("pieces", own.steps) if pieces else 0.0
        self.register_buffer("clips", clips, persistent=False)
        self.register_buffer("seen_mean", torch.zeros(wide))
        self.register_buffer("seen_map", torch.zeros(wide, kept))
        self.register_buffer("said_mean", torch.zeros(narrow))
        self.register_buffer("said_map", torch.zeros(narrow, kept))
        self.register_buffer("correlations", torch.zeros(kept))

    def fit(self, records: Sequence[Record], batches: Iterable[Batch]) -> None:
        """Correlate each sentence with the first moment of its sample; an `InputError` for fewer than two records."""
        clip, sentence = _Side(self.seen_mean.numel()), _Side(self.said_mean.numel())
        between = torch.zeros(clip.width, sentence.width, dtype=torch.float64)
        for batch in batches:
            x = in_context(batch.features, batch.feature_mask, batch.moments[:, :1]).squeeze(1).double().cpu()
            y = sentence_mean(batch.words, batch.word_mask).double().cpu()
            clip.add(x)
            sentence.add(y)
            between += x.mT @ y
        if clip.count < 2:
            raise InputError(f"correlations need at least two records, not {clip.count}; is the split the right one?")
        between = between / clip.count - torch.outer(clip.mean, sentence.mean)
        x_scale, y_scale = clip.scale, sentence.scale
        found = canonical_correlation(
            clip.covariance / torch.outer(x_scale, x_scale),
            sentence.covariance / torch.outer(y_scale, y_scale),
            between / torch.outer(x_scale, y_scale),
            self._settings.regularization,
        )
        kept = len(self.correlations)
        weight = found.correlations[:kept] ** self._settings.power
        self.seen_mean.copy_(clip.mean)
        self.seen_map.copy_(found.left[:, :kept] / x_scale[:, None] * weight)
        self.said_mean.copy_(sentence.mean)
        self.said_map.copy_(found.right[:, :kept] / y_scale[:, None] * weight)
        self.correlations.copy_(found.correlations[:kept])

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every clip with the correlation of its variates and the sentence's."""
        kept = clips_or_first(self.clips, batch.feature_mask, self._slack)
        seen = in_context(batch.features, batch.feature_mask, self.clips)
        said = sentence_mean(batch.words, batch.word_mask)
        x = (seen - self.seen_mean) @ self.seen_map
        y = (said - self.said_mean) @ self.said_map
        scores = (1 + functional.cosine_similarity(x, y[:, None], dim=2)) / 2
        spans = self.clips.expand(*kept.shape, 2)
        return {"spans": spans, "scores": scores, "kept": kept}


class _Side:
    """Mean and covariance of rows that come in parts."""

    def __init__(self, width: int) -> None:
        self.width, self.count = width, 0
        self._sum = torch.zeros(width, dtype=torch.float64)
        self._square = torch.zeros(width, width, dtype=torch.float64)

    def add(self, rows: Tensor) -> None:
        """Some more rows, shape ``(n, width)``."""
        self.count += len(rows)
        self._sum += rows.sum(dim=0)
        self._square += rows.mT @ rows

    @property
    def mean(self) -> Tensor:
        return self._sum / self.count

    @property
    def covariance(self) -> Tensor:
        return self._square / self.count - torch.outer(self.mean, self.mean)

    @property
    def scale(self) -> Tensor:
        """Standard deviation of each number; one where it does not vary."""
        variance = self.covariance.diagonal()
        return torch.where(variance > 1e-12, variance, 1.0).sqrt()
