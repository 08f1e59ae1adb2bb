"""Where moments lie in general: how often, whatever is asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asst.data.readers.didemo import span_clip
from asst.data.record import Record
from asst.errors import InputError
from asst.moments import FloatArray, iou, piece_clips

HIT_IOU = 0.5


def clip_frequency(records: Sequence[Record]) -> FloatArray:
    """The share of annotations that name each of DiDeMo's 21 clips, all annotators counted; shape ``(21,)``.

    Raises an `InputError` for a record with an annotation that is no such clip.
    """
    order = {clip: index for index, clip in enumerate(piece_clips())}
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
    return np.array([(i, j) for i in range(grid) for j in range(i + 1, grid + 1)]) / grid


def hit_share(spans: FloatArray, at: FloatArray) -> FloatArray:
    """The share of spans, ``(n, 2)`` as shares of their videos, that each of ``at``, ``(m, 2)``, hits; ``(m,)``.

    >>> hit_share(np.array([[0.0, 0.5], [0.5, 1.0]]), np.array([[0.0, 0.4], [0.0, 1.0]])).tolist()
    [0.5, 1.0]
    """
    parts = np.array_split(spans, max(1, len(spans) // 1024))
    hits: FloatArray = np.sum([(iou(at, some) >= HIT_IOU).sum(axis=1) for some in parts], axis=0) / len(spans)
    return hits


def span_density(spans: FloatArray, at: FloatArray, bandwidth: float) -> FloatArray:
    """A Gaussian kernel density over start and end; arguments as `hit_share`, scaled to a sum of one."""
    density: FloatArray = np.zeros(len(at))
    for some in np.array_split(spans, max(1, len(spans) // 1024)):
        distance = ((at[:, None] - some[None]) ** 2).sum(axis=2)
        density += np.exp(-distance / (2 * bandwidth**2)).sum(axis=1)
    density /= density.sum()
    return density
