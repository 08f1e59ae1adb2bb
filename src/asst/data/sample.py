"""What one window of a video shows with one sentence, before it becomes part of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.data.windows import Window
from asst.moments import Array, Float32Array, FloatArray, IntArray
from asst.text import Vector

NO_WORDS: Vector = np.zeros((0, 1), dtype=np.float32)
"""Of a sample for a method that reads no sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class ProposalRows:
    """Clips that a sample brings with it, for a method that chooses among given ones.

    ``clips`` are in steps of the window, ``(proposals, 2)``; ``facts`` what else is known of each, ``(proposals,
    facts)``; ``overlaps`` the IoU of each with the truth, ``(proposals,)``, None where a query is to be answered.
    """

    clips: Float32Array
    facts: Float32Array
    overlaps: Float32Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One window of a video with one sentence.

    Attributes:
        record: index of the record it was made of.
        features: shape ``(window.steps, dimension)``.
        words: one vector a word, shape ``(words, word dimension)``.
        moments: true spans in steps, shape ``(moments, 2)``; none where a query is to be answered.
        target: index of the true clip, if the task is a classification with a truth.
        labels: class of each moment, from 1, or -1 for what is neither action nor background; None without classes.
        proposals: the clips to choose among; None where the method has its own.
        foreign: whether the words are those of another video's record, so that nothing here is what they say.
    """

    record: int
    window: Window
    features: Float32Array
    words: Vector
    moments: FloatArray
    target: int | None = None
    labels: IntArray | None = None
    proposals: ProposalRows | None = None
    foreign: bool = False


def network_inputs(samples: Sequence[Sample], steps: int) -> dict[str, Array]:
    """Samples side by side, as every method reads them; padding is zero, and false in the masks.

    ``features`` of shape ``(batch, steps, dimension)``, ``words`` of ``(batch, most words, word dimension)`` and, where
    every sample brings proposals, ``clips`` of ``(batch, most proposals, 2)`` and ``facts``, with masks. Raises a
    ValueError for no sample, or one longer than the window.
    """
    features, feature_mask = padded([sample.features for sample in samples], steps)
    words, word_mask = padded([sample.words for sample in samples])
    inputs = {"features": features, "feature_mask": feature_mask, "words": words, "word_mask": word_mask}
    proposals = [sample.proposals for sample in samples if sample.proposals is not None]
    if len(proposals) == len(samples):
        inputs["clips"], inputs["clip_mask"] = padded([own.clips for own in proposals])
        inputs["facts"], _ = padded([own.facts for own in proposals])
    return inputs


def padded(rows: Sequence[Float32Array], length: int | None = None) -> tuple[Float32Array, npt.NDArray[np.bool_]]:
    """Arrays ``(own length, width)`` in one, ``(batch, length, width)``, and which of its rows are real.

    ``length`` is the greatest own length if None. Raises a ValueError for no array, or one longer than that.
    """
    if not rows:
        raise ValueError("nothing to pad")
    lengths = np.array([len(row) for row in rows])
    most = int(lengths.max())
    if length is not None and most > length:
        raise ValueError(f"{most} rows do not fit into {length}")
    together = np.zeros((len(rows), most if length is None else length, rows[0].shape[1]), dtype=np.float32)
    for place, row in zip(together, rows, strict=True):
        place[: len(row)] = row
    return together, np.arange(together.shape[1]) < lengths[:, None]
