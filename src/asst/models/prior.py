"""The moment frequency prior (Hendricks et al. 2017): where moments lie in general, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from asst.data.batch import Batch
from asst.data.didemo import candidate_clips, span_clip
from asst.data.record import Record
from asst.errors import InputError
from asst.models.clips import clip_grid, clip_slack
from asst.models.method import Fitted
from asst.moments import FloatArray, iou
from asst.nn.losses import POSITIVE_IOU
from asst.nn.sampler import clips_within
from asst.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorSettings(Settings):
    """What is counted.

    Attributes:
        clips: ``pieces`` counts how often each of DiDeMo's clips was annotated; ``density`` is for data without fixed
            clips: a kernel density over start and end as shares of the video.
        kernel: of a density. ``hits`` is the metric's own: a span counts the moments that it overlaps by an IoU of 0.5
            or more, so that its score is the share of moments that it hits. ``gaussian`` is smooth in start and end.
        grid: the spans of a density start and end at the multiples of ``1 / grid``.
        bandwidth: standard deviation of the Gaussian kernel, in shares of the video.
        steps: of the observed window.
        feature_channels: width of the features, which are not looked at.
        word_channels: width of the word vectors, which are not looked at.
    """

    clips: Literal["pieces", "density"] = "density"
    kernel: Literal["hits", "gaussian"] = "hits"
    grid: int = 32
    bandwidth: float = 0.05
    steps: int = 128
    feature_channels: int = 1
    word_channels: int = 50

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if not self.bandwidth > 0:
            raise InputError(f"bandwidth must be positive, not {self.bandwidth}")


class PriorMethod(Fitted):
    """Gives every sentence the same ranking: the most frequent places of moments first.

    Args:
        settings: of `PriorSettings`.

    Raises:
        InputError: for settings it cannot have.
    """

    looks = False
    clips: Tensor
    frequency: Tensor

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = PriorSettings.from_dict(settings, "prior")
        steps = self._settings.steps
        if self._settings.clips == "pieces":
            clips, self._slack = clip_grid("pieces", steps), clip_slack("pieces", steps)
        else:
            clips = torch.tensor(grid_spans(self._settings.grid), dtype=torch.float32) * steps
            self._slack = 0.0
        self.register_buffer("clips", clips, persistent=False)
        self.register_buffer("frequency", torch.zeros(len(clips), dtype=torch.float64))

    @property
    def settings(self) -> dict[str, Any]:
        """What the method is built from."""
        return self._settings.to_dict()

    def fit(self, records: Sequence[Record], batches: Iterable[Batch]) -> None:
        """Count; ``batches`` are not looked at.

        Raises:
            InputError: if ``pieces`` are asked of records that are not annotated in DiDeMo's.
        """
        if self._settings.clips == "pieces":
            found = clip_frequency(records)
        else:
            shares = np.concatenate([np.array(record.moments) / record.duration_s for record in records])
            at = grid_spans(self._settings.grid)
            hits = self._settings.kernel == "hits"
            found = hit_share(shares, at) if hits else span_density(shares, at, self._settings.bandwidth)
        self.frequency.copy_(torch.from_numpy(found))

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every clip with its frequency."""
        kept = clips_within(self.clips, batch.feature_mask, self._slack)
        spans = self.clips.expand(*kept.shape, 2)
        return {"spans": spans, "scores": self.frequency.expand(kept.shape), "kept": kept}


def clip_frequency(records: Sequence[Record]) -> FloatArray:
    """The share of annotations that name each of DiDeMo's 21 clips, all annotators counted; shape ``(21,)``.

    Raises:
        InputError: for a record with an annotation that is no such clip.
    """
    order = {clip: index for index, clip in enumerate(candidate_clips())}
    counts = np.zeros(len(order))
    for record in records:
        for span in record.annotated:
            clip = span_clip(span)
            if clip not in order:
                raise InputError(f"record {record.id}: {span} s is no clip of DiDeMo's; count with clips: density")
            counts[order[clip]] += 1
    frequency: FloatArray = counts / counts.sum()
    return frequency


def grid_spans(grid: int) -> FloatArray:
    """Every span between two multiples of ``1 / grid`` of a video, shape ``(grid * (grid + 1) / 2, 2)``.

    >>> grid_spans(2).tolist()
    [[0.0, 0.5], [0.0, 1.0], [0.5, 1.0]]
    """
    spans: FloatArray = np.array([(i, j) for i in range(grid) for j in range(i + 1, grid + 1)]) / grid
    return spans


def hit_share(spans: FloatArray, at: FloatArray, least: float = POSITIVE_IOU) -> FloatArray:
    """The share of spans that each candidate hits.

    Args:
        spans: start and end as shares of their videos, shape ``(n, 2)``.
        at: candidates, shape ``(m, 2)``.
        least: IoU of a hit.

    Returns:
        Shape ``(m,)``, in [0, 1].

    >>> hit_share(np.array([[0.0, 0.5], [0.5, 1.0]]), np.array([[0.0, 0.4], [0.0, 1.0]])).tolist()
    [0.5, 1.0]
    """
    hits: FloatArray = np.zeros(len(at))
    for some in np.array_split(spans, max(1, len(spans) // 1024)):
        hits += (iou(at, some) >= least).sum(axis=1)
    hits /= len(spans)
    return hits


def span_density(spans: FloatArray, at: FloatArray, bandwidth: float) -> FloatArray:
    """A Gaussian kernel density over start and end.

    Args:
        spans: start and end as shares of their videos, shape ``(n, 2)``.
        at: where it is wanted, shape ``(m, 2)``.
        bandwidth: standard deviation of the kernel in both directions.

    Returns:
        Shape ``(m,)``, scaled to a sum of one.
    """
    density: FloatArray = np.zeros(len(at))
    for some in np.array_split(spans, max(1, len(spans) // 1024)):
        distance = ((at[:, None] - some[None]) ** 2).sum(axis=2)
        density += np.exp(-distance / (2 * bandwidth**2)).sum(axis=1)
    density /= density.sum()
    return density
