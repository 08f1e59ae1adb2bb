"""Samples side by side, padded once, as the tensors that the network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from asst.data.windows import Window
from asst.moments import FloatArray
from asst.text import Vector


@dataclass(frozen=True, slots=True, eq=False)
class CandidateRows:
    """Clips that a sample brings with it, for a method that chooses among given ones.

    Attributes:
        clips: start and end in steps of the window, shape ``(candidates, 2)``.
        facts: what else is known of each, shape ``(candidates, facts)``.
        overlaps: IoU of each with the truth, shape ``(candidates,)``; None where a query is to be answered.
    """

    clips: npt.NDArray[np.float32]
    facts: npt.NDArray[np.float32]
    overlaps: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One window of a video with one sentence.

    Attributes:
        record: index of the record it was made of.
        window: the steps observed.
        features: shape ``(window.steps, dimension)``.
        words: one vector a word, shape ``(words, word dimension)``.
        moments: true spans in steps, shape ``(moments, 2)``; none where a query is to be answered.
        target: index of the true clip, if the task is a classification with a truth.
        labels: class of each of the moments, from 1, or -1 for a stretch that is neither action nor background, shape
            ``(moments,)``; None where moments have no class.
        candidates: the clips to choose among; None where the method has its own.
    """

    record: int
    window: Window
    features: npt.NDArray[np.float32]
    words: Vector
    moments: FloatArray
    target: int | None = None
    labels: npt.NDArray[np.int64] | None = None
    candidates: CandidateRows | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CandidateBatch:
    """The candidates of a batch; padding is zero, and false in the mask.

    Attributes:
        clips: shape ``(batch, most candidates, 2)``.
        mask: real candidates, shape ``(batch, most candidates)``.
        facts: shape ``(batch, most candidates, facts)``.
        overlaps: shape ``(batch, most candidates)``; None unless every sample has them.
    """

    clips: Tensor
    mask: Tensor
    facts: Tensor
    overlaps: Tensor | None = None

    @classmethod
    def of(cls, rows: Sequence[CandidateRows]) -> CandidateBatch:
        """Side by side."""
        clips, mask = padded([own.clips for own in rows])
        overlaps = [own.overlaps[:, None] for own in rows if own.overlaps is not None]
        return cls(
            clips,
            mask,
            padded([own.facts for own in rows])[0],
            padded(overlaps)[0][..., 0] if len(overlaps) == len(rows) else None,
        )

    def to(self, device: torch.device | str, non_blocking: bool = False) -> CandidateBatch:
        """The same on a device."""
        clips, mask, facts = (t.to(device, non_blocking=non_blocking) for t in (self.clips, self.mask, self.facts))
        overlaps = None if self.overlaps is None else self.overlaps.to(device, non_blocking=non_blocking)
        return CandidateBatch(clips, mask, facts, overlaps)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What the network and its losses take; padding is zero, and false in the masks.

    Attributes:
        features: shape ``(batch, steps, dimension)``.
        feature_mask: real steps, which come first, shape ``(batch, steps)``.
        words: shape ``(batch, most words, word dimension)``.
        word_mask: shape ``(batch, most words)``.
        moments: true spans in steps, shape ``(batch, most moments, 2)``.
        moment_mask: shape ``(batch, most moments)``.
        targets: index of the true clip, shape ``(batch,)``; None unless every sample has one.
        records: index of each sample's record, shape ``(batch,)``.
        windows: what each sample observes.
        labels: class of each moment as in `Sample`, 0 for padding, shape ``(batch, most moments)``; None unless every
            sample has them.
        candidates: clips to choose among; None unless every sample brings some.
    """

    features: Tensor
    feature_mask: Tensor
    words: Tensor
    word_mask: Tensor
    moments: Tensor
    moment_mask: Tensor
    targets: Tensor | None
    records: Tensor
    windows: tuple[Window, ...]
    labels: Tensor | None = None
    candidates: CandidateBatch | None = None

    def __len__(self) -> int:
        return len(self.windows)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        """The same batch on a device."""

        def moved(tensor: Tensor) -> Tensor:
            return tensor.to(device, non_blocking=non_blocking)

        return Batch(
            features=moved(self.features),
            feature_mask=moved(self.feature_mask),
            words=moved(self.words),
            word_mask=moved(self.word_mask),
            moments=moved(self.moments),
            moment_mask=moved(self.moment_mask),
            targets=None if self.targets is None else moved(self.targets),
            records=moved(self.records),
            windows=self.windows,
            labels=None if self.labels is None else moved(self.labels),
            candidates=None if self.candidates is None else self.candidates.to(device, non_blocking),
        )


@dataclass(frozen=True, slots=True)
class Collate:
    """Makes a batch of samples; fits a DataLoader's ``collate_fn`` and its workers.

    Attributes:
        steps: length of the network's window.
    """

    steps: int

    def __call__(self, samples: Sequence[Sample]) -> Batch:
        """One batch.

        Raises:
            ValueError: for no sample, or one longer than the window.
        """
        features, feature_mask = padded([sample.features for sample in samples], self.steps)
        words, word_mask = padded([sample.words for sample in samples])
        moments, moment_mask = padded([sample.moments.astype(np.float32) for sample in samples])
        targets = [sample.target for sample in samples if sample.target is not None]
        labels = [sample.labels[:, None].astype(np.float32) for sample in samples if sample.labels is not None]
        candidates = [sample.candidates for sample in samples if sample.candidates is not None]
        return Batch(
            features=features,
            feature_mask=feature_mask,
            words=words,
            word_mask=word_mask,
            moments=moments,
            moment_mask=moment_mask,
            targets=torch.tensor(targets) if len(targets) == len(samples) else None,
            records=torch.tensor([sample.record for sample in samples]),
            windows=tuple(sample.window for sample in samples),
            labels=padded(labels)[0][..., 0].long() if len(labels) == len(samples) else None,
            candidates=CandidateBatch.of(candidates) if len(candidates) == len(samples) else None,
        )


@dataclass(frozen=True, slots=True)
class CollateWindows:
    """Makes a batch of all windows of several queries, in order; ``records`` tells them apart.

    Attributes:
        steps: length of the network's window.
    """

    steps: int

    def __call__(self, queries: Sequence[Sequence[Sample]]) -> Batch:
        """One batch of as many samples as there are windows."""
        return Collate(self.steps)(list(chain.from_iterable(queries)))


def padded(rows: Sequence[npt.NDArray[np.float32]], length: int | None = None) -> tuple[Tensor, Tensor]:
    """Arrays of different lengths in one tensor, and which of its rows are real.

    Args:
        rows: each of shape ``(own length, width)``.
        length: to pad to; the greatest own length if None.

    Returns:
        Shapes ``(batch, length, width)`` and ``(batch, length)``.

    Raises:
        ValueError: for no array, or one longer than ``length``.
    """
    if not rows:
        raise ValueError("nothing to pad")
    lengths = torch.tensor([len(row) for row in rows])
    most = int(lengths.max())
    if length is not None and most > length:
        raise ValueError(f"{most} rows do not fit into {length}")
    together = torch.zeros(len(rows), most if length is None else length, rows[0].shape[1])
    for place, row in zip(together, rows, strict=True):
        place[: len(row)] = torch.from_numpy(row)
    return together, torch.arange(together.shape[1]) < lengths[:, None]
