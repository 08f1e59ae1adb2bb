"""How well sentences find their pictures, and pictures their sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from asst.evaluation.bootstrap import Interval, bootstrap_interval, bootstrap_median
from asst.moments import FloatArray

CUTS = (1, 5, 10)
Found = Literal["pictures", "sentences"]


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """Where in its list what belongs to each question comes, from one, or between the places of equals.

    ``pictures`` gives the picture that each question is, or is about; both of shape ``(questions,)``.
    """

    ranks: FloatArray
    pictures: npt.NDArray[np.int64]

    def metrics(self) -> dict[str, float]:
        """``r@K``, the share of questions whose own is among the K best, in per cent, and the ``median`` rank."""
        shares = {f"r@{cut}": 100 * float((self.ranks <= cut).mean()) for cut in CUTS}
        return {**shares, "median": float(np.median(self.ranks))}

    def intervals(self) -> dict[str, Interval]:
        """`metrics` with their bootstrap intervals over pictures; the ``mean`` of a median's is the median."""
        shares = {f"r@{cut}": bootstrap_interval(100.0 * (self.ranks <= cut), self.pictures) for cut in CUTS}
        return {**shares, "median": bootstrap_median(self.ranks, self.pictures)}


def retrieval_ranks(similarity: npt.ArrayLike, own: npt.ArrayLike) -> Mapping[Found, Ranks]:
    """Ranks both ways, from the similarity of each sentence to each picture, and the picture of each sentence.

    A picture's rank is that of the best of its sentences among all that are not its own. Equals share the mean of their
    places, so that what cannot tell anything apart is as good as chance. Sentences find what is under ``pictures``, and
    pictures what is under ``sentences``. Raises a ValueError for shapes that do not agree, a number that is not finite,
    or a picture without sentence.

    >>> ranks = retrieval_ranks([[0.9, 0.1], [0.3, 0.2]], [0, 1])
    >>> ranks["pictures"].ranks.tolist(), ranks["sentences"].ranks.tolist()
    ([1.0, 2.0], [1.0, 1.0])
    """
    values, owners = np.asarray(similarity, dtype=np.float32), np.asarray(own, dtype=np.int64)
    if values.ndim != 2 or owners.shape != values.shape[:1] or not np.isfinite(values).all():
        raise ValueError(f"finite similarities (sentences, pictures) and owners, not {values.shape}, {owners.shape}")
    pictures = np.arange(values.shape[1])
    if not np.array_equal(np.unique(owners), pictures):
        raise ValueError("every picture needs a sentence, and every sentence a picture")
    mine = owners[:, None] == pictures
    found = _ranks(values, values[mine][:, None], ~mine, axis=1)
    best = np.where(mine, values, -np.inf).max(axis=0)
    return {"pictures": Ranks(found, owners), "sentences": Ranks(_ranks(values, best, ~mine, axis=0), pictures)}


def _ranks(
    values: npt.NDArray[np.float32], own: npt.NDArray[np.float32], others: npt.NDArray[np.bool_], axis: int
) -> FloatArray:
    better = ((values > own) & others).sum(axis=axis)
    equal = ((values == own) & others).sum(axis=axis)
    ranks: FloatArray = 1.0 + better + equal / 2
    return ranks
