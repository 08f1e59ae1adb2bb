"""Samples side by side, padded once, as the tensors that the network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from asst.data.sample import Sample, network_inputs, padded
from asst.data.windows import Window


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
        foreign: which samples have another video's words, shape ``(batch,)``; None where none has.
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
    foreign: Tensor | None = None

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
            foreign=None if self.foreign is None else moved(self.foreign),
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
        read = {name: torch.from_numpy(own) for name, own in network_inputs(samples, self.steps).items()}
        moments, moment_mask = padded([sample.moments.astype(np.float32) for sample in samples])
        targets = [sample.target for sample in samples if sample.target is not None]
        labels = [sample.labels[:, None].astype(np.float32) for sample in samples if sample.labels is not None]
        candidates = None
        if "clips" in read:
            overlaps = [own.candidates.overlaps for own in samples if own.candidates is not None]
            known = [own[:, None] for own in overlaps if own is not None]
            candidates = CandidateBatch(
                read["clips"],
                read["clip_mask"],
                read["facts"],
                torch.from_numpy(padded(known)[0][..., 0]) if len(known) == len(samples) else None,
            )
        return Batch(
            features=read["features"],
            feature_mask=read["feature_mask"],
            words=read["words"],
            word_mask=read["word_mask"],
            moments=torch.from_numpy(moments),
            moment_mask=torch.from_numpy(moment_mask),
            targets=torch.tensor(targets) if len(targets) == len(samples) else None,
            records=torch.tensor([sample.record for sample in samples]),
            windows=tuple(sample.window for sample in samples),
            labels=None if len(labels) < len(samples) else torch.from_numpy(padded(labels)[0][..., 0]).long(),
            candidates=candidates,
            foreign=torch.tensor([own.foreign for own in samples]) if any(own.foreign for own in samples) else None,
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
