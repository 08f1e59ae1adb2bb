"""A validation part for data sets that publish none: a fixed, seeded part of the training videos."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable


def validation_videos(videos: Iterable[str], share: float = 0.1, seed: int = 0) -> frozenset[str]:
    """The training videos that are held out for validation.

    Videos are ordered by the SHA-256 of seed and name, and the first ``share`` of them taken (rounded up). The choice
    depends on nothing else: not on order, repeats, platform or library version. Holding out videos rather than
    sentences keeps two sentences of one video from standing on both sides.

    Args:
        videos: names of all training videos.
        share: part to hold out, in (0, 1).
        seed: another seed, another part.

    Raises:
        ValueError: if ``share`` is not in (0, 1).

    >>> sorted(validation_videos(["a", "b", "c", "d"], share=0.5)) == sorted(validation_videos("ddcba", share=0.5))
    True
    """
    if not 0 < share < 1:
        raise ValueError(f"the share to hold out is in (0, 1), not {share}")
    ordered = sorted(set(videos), key=lambda video: hashlib.sha256(f"{seed}:{video}".encode()).digest())
    return frozenset(ordered[: math.ceil(share * len(ordered))])
