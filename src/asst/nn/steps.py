"""Which steps of a padded batch are real, at one temporal resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor


@dataclass(frozen=True, slots=True)
class ValidSteps:
    """The real steps of a batch.

    Attributes:
        mask: true for a real step, shape ``(batch, steps)``.
        rows: positions of the real steps among all ``batch * steps``, ascending, shape ``(real steps,)``.
    """

    mask: Tensor
    rows: Tensor

    @classmethod
    def of(cls, mask: Tensor) -> Self:
        """From a mask of shape ``(batch, steps)``."""
        return cls(mask, mask.flatten().nonzero().squeeze(1))

    @property
    def all_real(self) -> bool:
        """Whether nothing is padding."""
        return self.rows.numel() == self.mask.numel()

    def halved(self) -> ValidSteps:
        """At half the resolution: a pair of steps is real if either is."""
        return ValidSteps.of(self.mask[:, 0::2] | self.mask[:, 1::2])

    def silence(self, x: Tensor) -> Tensor:
        """``x``, shape ``(batch, steps, channels)``, with zeros at padding."""
        return x if self.all_real else x.masked_fill(~self.mask[..., None], 0)

    def gather(self, x: Tensor) -> Tensor:
        """The real steps alone: ``(batch, steps, channels)`` to ``(real steps, channels)``."""
        flat = x.flatten(0, 1)
        return flat if self.all_real else flat.index_select(0, self.rows)

    def scatter(self, rows: Tensor) -> Tensor:
        """The inverse of :meth:`gather`, with zeros at padding."""
        if not self.all_real:
            rows = rows.new_zeros(self.mask.numel(), rows.shape[1]).index_copy(0, self.rows, rows)
        return rows.view(*self.mask.shape, -1)
