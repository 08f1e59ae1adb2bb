"""How well the frames of a video fit sentences, step by step: products of unit vectors, against negative sentences.

What does not depend on the sentence is measured once a video and kept, so that a second question costs one product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from asst.features.space import PAN, WINDOWS, SentenceReader, Space
from asst.features.spill import Rows, pieces
from asst.features.values import Features
from asst.models.last_video import LastVideo

FloatArray = npt.NDArray[np.float32]
HalfArray = npt.NDArray[np.float16]

_LEAST_VARIANCE = 1e-8
_STEPS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the frames fit some sentences, step by step.

    Attributes:
        matches: similarity above the mean of negative sentences, the best of the crops, shape ``(steps, sentences)``.
        negatives: the same of the negative sentences, shape ``(steps, negatives)``.
        mean: of these at each step, shape ``(steps,)``.
        spread: their standard deviation at each step, likewise.
        pans: how the camera turns, as `asst.features.space.PAN`, shape ``(steps, 2)``; zero where it is not measured.
        between: how far what is seen lies from the step before, as one minus the cosine, shape ``(steps - 1,)``.
    """

    matches: FloatArray
    negatives: HalfArray
    mean: FloatArray
    spread: FloatArray
    pans: FloatArray
    between: FloatArray


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen in a video, whatever is asked. One frame often stands for several steps.

    Attributes:
        first: the first step of each frame, shape ``(frames,)``.
        frame: of each step, shape ``(steps,)``.
        usual: mean similarity with negative sentences, shape ``(frames, WINDOWS)``.
        pans: as in `Evidence`, shape ``(frames, 2)``.
        negatives: as in `Evidence`.
        mean: of these for each frame, shape ``(frames,)``.
        spread: their standard deviation for each frame, likewise.
        between: as in `Evidence`.
    """

    first: npt.NDArray[np.int64]
    frame: npt.NDArray[np.int64]
    usual: FloatArray
    pans: FloatArray
    negatives: HalfArray
    mean: FloatArray
    spread: FloatArray
    between: FloatArray


class EvidenceReader:
    """Measures how well frames fit sentences.

    Attributes:
        sentences: embeds sentences.
        sight: what is seen in a video; kept for the next question about the same features.

    Args:
        space: that features lie in.
        sentences: as above.
    """

    def __init__(self, space: Space, sentences: SentenceReader) -> None:
        self.sentences = sentences
        self._space = space
        self.sight = LastVideo(self._look)

    def __call__(self, features: Features, queries: Sequence[str]) -> Evidence:
        """All measurements, for every sentence at every step; a part of the video at a time."""
        wanted = self.sentences.read(queries).T
        sight = self.sight(features)
        matches = np.empty((len(sight.first), wanted.shape[1]), dtype=np.float32)
        at = 0
        for rows in _frames(features, sight.first, self._space.seen):
            part = slice(at, at + len(rows))
            matches[part] = (_product(rows, wanted) - sight.usual[part, :, None]).max(axis=1)
            at += len(rows)
        frame = sight.frame
        return Evidence(
            matches[frame], sight.negatives, sight.mean[frame], sight.spread[frame], sight.pans[frame], sight.between
        )

    def _look(self, features: Features) -> Sight:
        first = _first_steps(features)
        frame = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(features))))
        aside = self.sentences.negatives.T
        negatives = np.empty((len(first), aside.shape[1]), dtype=np.float16)
        usual = np.empty((len(first), WINDOWS), dtype=np.float32)
        middles = []
        last = np.zeros((0, self._space.channels), dtype=np.float32)
        at = 0
        for rows in _frames(features, first, self._space.seen):
            part = slice(at, at + len(rows))
            products = _product(rows, aside)
            usual[part] = products.mean(axis=2)
            negatives[part] = (products - usual[part, :, None]).max(axis=1)
            means = rows.mean(axis=1)
            units = np.concatenate([last, means / np.linalg.norm(means, axis=1, keepdims=True)])
            middles.append(1 - np.einsum("ij,ij->i", units[1:], units[:-1]))
            last = units[-1:]
            at += len(rows)
        between = np.zeros(len(features) - 1, dtype=np.float32)
        between[first[1:] - 1] = np.concatenate(middles)
        mean, spread = _mean_and_spread(negatives)
        return Sight(
            first, frame, usual, _pans(features, first, self._space), negatives[frame], mean, spread, between
        )


def _mean_and_spread(negatives: HalfArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation over negative sentences, shape ``(frames,)``."""
    means = negatives.mean(axis=1, dtype=np.float32)
    variance = np.einsum("st,st->s", negatives, negatives, dtype=np.float32) / negatives.shape[1] - means**2
    return means, np.sqrt(np.maximum(variance, _LEAST_VARIANCE))


def _pans(features: Features, first: npt.NDArray[np.int64], space: Space) -> FloatArray:
    """`Sight.pans`: what follows the embeddings in a vector."""
    if not space.pixels:
        return np.zeros((len(first), len(PAN)), np.float32)
    return np.array(features.vectors[first, space.seen :], dtype=np.float32)


def _product(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """``rows @ matrix`` as one product of matrices: NumPy makes one of each frame's three rows, many times slower."""
    product: FloatArray = (rows.reshape(-1, rows.shape[-1]) @ matrix).reshape(*rows.shape[:-1], -1)
    return product


def _first_steps(features: Features) -> npt.NDArray[np.int64]:
    """The steps that show another frame than the step before."""
    changed = np.ones(len(features), dtype=bool)
    at = 0
    last: Rows | None = None
    for piece in pieces(features.vectors, _STEPS_AT_ONCE):
        changed[at + 1 : at + len(piece)] = (piece[1:] != piece[:-1]).any(axis=1)
        if last is not None:
            changed[at] = (piece[0] != last).any()
        last = np.array(piece[-1])
        at += len(piece)
    return np.flatnonzero(changed)


def _frames(features: Features, first: npt.NDArray[np.int64], seen: int) -> Iterator[FloatArray]:
    """Embeddings of frames, the first ``seen`` numbers of their vectors, a part of the video at a time.

    Each part has the shape ``(frames, WINDOWS, channels)``.
    """
    at = 0
    for piece in pieces(features.vectors, _STEPS_AT_ONCE):
        here = first[(first >= at) & (first < at + len(piece))] - at
        if len(here):
            # PyTorch widens half precision many times faster than NumPy.
            wide: FloatArray = torch.from_numpy(piece[here, :seen]).float().numpy()
            yield wide.reshape(len(wide), WINDOWS, -1)
        at += len(piece)
