"""Samples side by side, padded once, as the tensors that the network takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Self

import numpy as np
import torch
from torch import Tensor

from asst.data.sample import Sample, Window, network_inputs, padded
from asst.moments import Array


class _Movable:
    __slots__ = ()

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """The same on a device."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        moved = {name: own for name, own in given.items() if isinstance(own, Tensor | _Movable)}
        return replace(self, **{name: own.to(device, non_blocking=non_blocking) for name, own in moved.items()})  # type: ignore[type-var]


@dataclass(frozen=True, slots=True, eq=False)
class ProposalBatch(_Movable):
    """The proposals of a batch; padding is zero, and false in the mask.

    ``clips`` have shape ``(batch, most proposals, 2)``, ``facts`` ``(batch, most proposals, facts)``, ``mask`` and
    ``overlaps``, None unless every sample has them, ``(batch, most proposals)``.
    """

    clips: Tensor
    mask: Tensor
    facts: Tensor
    overlaps: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Batch(_Movable):
    """What the network and its losses take; padding is zero and comes last, and is false in the masks.

    Attributes:
        features: shape ``(batch, steps, dimension)``; ``feature_mask`` is ``(batch, steps)``.
        words: shape ``(batch, most words, word dimension)``; ``word_mask`` is ``(batch, most words)``.
        moments: true spans in steps, shape ``(batch, most moments, 2)``; ``moment_mask`` is ``(batch, most moments)``.
        targets: index of the true clip, shape ``(batch,)``; None unless every sample has one.
        records: index of each sample's record, shape ``(batch,)``.
        labels: class of each moment as in `Sample`, shape ``(batch, most moments)``; None unless every sample has them.
        proposals: None unless every sample brings some.
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
    proposals: ProposalBatch | None = None
    foreign: Tensor | None = None

    def __len__(self) -> int:
        return len(self.windows)


@dataclass(frozen=True, slots=True)
class Collate:
    """Makes a batch of samples; fits a DataLoader's ``collate_fn`` and its workers."""

    steps: int

    def windows(self, queries: Sequence[Sequence[Sample]]) -> Batch:
        """All windows of several queries, in order; ``records`` tells them apart."""
        return self(list(chain.from_iterable(queries)))

    def __call__(self, samples: Sequence[Sample]) -> Batch:
        """One batch; a ValueError for no sample, or one longer than the window."""
        read = {name: torch.from_numpy(own) for name, own in network_inputs(samples, self.steps).items()}
        moments, moment_mask = padded([sample.moments.astype(np.float32) for sample in samples])
        targets = [sample.target for sample in samples if sample.target is not None]
        labels = _columns([sample.labels for sample in samples])
        proposals = None
        if "clips" in read:
            overlaps = _columns([None if own.proposals is None else own.proposals.overlaps for own in samples])
            proposals = ProposalBatch(read["clips"], read["clip_mask"], read["facts"], overlaps)
        return Batch(
            **{name: read[name] for name in ("features", "feature_mask", "words", "word_mask")},
            moments=torch.from_numpy(moments),
            moment_mask=torch.from_numpy(moment_mask),
            targets=torch.tensor(targets) if len(targets) == len(samples) else None,
            records=torch.tensor([sample.record for sample in samples]),
            windows=tuple(sample.window for sample in samples),
            labels=None if labels is None else labels.long(),
            proposals=proposals,
            foreign=torch.tensor([own.foreign for own in samples]) if any(own.foreign for own in samples) else None,
        )


def _columns(each: Sequence[Array | None]) -> Tensor | None:
    """One number a row of each, padded, shape ``(batch, most rows)``; None unless every one is there."""
    known = [own[:, None].astype(np.float32) for own in each if own is not None]
    return torch.from_numpy(padded(known)[0][..., 0]) if len(known) == len(each) else None
