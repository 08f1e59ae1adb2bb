"""What the pictures of a video say of sentences, step by step: cosines with classifiers and class probabilities.

What does not depend on the sentence is measured once a video and kept, so that a second question costs one product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.features.colours import named_colours
from asst.features.half import widened
from asst.features.reading import Reading, SentenceReader
from asst.features.space import PAN, WINDOWS, Classifier, Space
from asst.features.spill import Rows, pieces
from asst.features.values import Features
from asst.models.last_video import LastVideo

FloatArray = npt.NDArray[np.float32]
HalfArray = npt.NDArray[np.float16]

# The classifier was trained with soft labels: half its logits' spread gives probabilities that are comparable.
_TEMPERATURE = 2.0
_LEAST_PROBABILITY = 1e-6
_LEAST_SHARE = 0.01
_LEAST_VARIANCE = 1e-8
_STEPS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the pictures say of some sentences, step by step.

    Attributes:
        matches: cosine with each sentence's classifier above the mean of unrelated sentences, the best of the windows,
            shape ``(steps, sentences)``.
        unrelated: the same of the unrelated sentences, shape ``(steps, unrelated)``.
        mean: of these at each step, shape ``(steps,)``.
        spread: their deviation at each step, likewise.
        classes: log-probability of the classes that each sentence names, and of those it resembles, the best of the
            windows, ``(2, steps, sentences)``; zero throughout for a sentence that names none. In a space without
            classes ``(0, steps, sentences)``.
        colours: log-share of the colours that each sentence names, their mean, the best of the windows, shape
            ``(steps, sentences)``; zero throughout for a sentence that names none, or where colours are not measured.
        pans: how the camera turns, as `asst.features.space.PAN`, shape ``(steps, 2)``; zero where it is not measured.
        between: how far what is seen lies from the step before, as one minus the cosine, shape ``(steps - 1,)``.
    """

    matches: FloatArray
    unrelated: HalfArray
    mean: FloatArray
    spread: FloatArray
    classes: FloatArray
    colours: FloatArray
    pans: FloatArray
    between: FloatArray


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen in a video, whatever is asked. One picture often stands for several steps.

    Attributes:
        first: the first step of each picture, shape ``(pictures,)``.
        picture: of each step, shape ``(steps,)``.
        scale: one over the length of each centred vector, shape ``(pictures, windows)``.
        usual: mean cosine with unrelated sentences, shape ``(pictures, windows)``.
        probabilities: of each class, the best of the windows, shape ``(pictures, classes)``; none without classes.
        colours: log-share of each colour in each window, shape ``(pictures, WINDOWS, colours)``.
        pans: as in `Evidence`, shape ``(pictures, 2)``.
        unrelated: as in `Evidence`.
        mean: of these for each picture, shape ``(pictures,)``.
        spread: their deviation for each picture, likewise.
        between: as in `Evidence`.
    """

    first: npt.NDArray[np.int64]
    picture: npt.NDArray[np.int64]
    scale: FloatArray
    usual: FloatArray
    probabilities: FloatArray
    colours: FloatArray
    pans: FloatArray
    unrelated: HalfArray
    mean: FloatArray
    spread: FloatArray
    between: FloatArray


class EvidenceReader:
    """Measures what pictures say of sentences.

    Attributes:
        sentences: reads sentences.
        sight: what is seen in a video; kept for the next question about the same features.

    Args:
        space: that features lie in.
        sentences: as above.
    """

    def __init__(self, space: Space, sentences: SentenceReader) -> None:
        self.sentences = sentences
        self._space = space
        self._classifier = None
        if space.classifier is not None:
            weights, bias = space.classifier.weights, space.classifier.bias
            self._classifier = Classifier(np.ascontiguousarray(weights.T) / _TEMPERATURE, bias / _TEMPERATURE)
        self.sight = LastVideo(self._look)

    def __call__(self, features: Features, queries: Sequence[str]) -> Evidence:
        """All measurements, for every sentence at every step; a part of the video at a time."""
        reading = self.sentences.read(queries)
        sight = self.sight(features)
        wanted = reading.classifiers.T
        matches = np.empty((len(sight.first), len(queries)), dtype=np.float32)
        at = 0
        for rows in _pictures(features, sight.first, self._space.seen):
            part = slice(at, at + len(rows))
            cosines = (_product(rows, wanted) - self._space.mean @ wanted) * sight.scale[part, :, None]
            matches[part] = (cosines - sight.usual[part, :, None]).max(axis=1)
            at += len(rows)
        classes = _class_evidence(sight.probabilities, reading)
        return Evidence(
            matches[sight.picture],
            sight.unrelated,
            sight.mean[sight.picture],
            sight.spread[sight.picture],
            classes[:, sight.picture],
            _colour_evidence(sight.colours, queries)[sight.picture],
            sight.pans[sight.picture],
            sight.between,
        )

    def _look(self, features: Features) -> Sight:
        first = _first_steps(features)
        picture = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(features))))
        aside = self.sentences.unrelated.T
        # Written where it stays: of a long video this is most of what is kept.
        unrelated = np.empty((len(first), aside.shape[1]), dtype=np.float16)
        classes = 0 if self._classifier is None else len(self._classifier.bias)
        probabilities = np.empty((len(first), classes), dtype=np.float32)
        scale = np.empty((len(first), WINDOWS), dtype=np.float32)
        usual = np.empty((len(first), WINDOWS), dtype=np.float32)
        middles = []
        last = np.zeros((0, len(self._space.mean)), dtype=np.float32)
        at = 0
        for rows in _pictures(features, first, self._space.seen):
            part = slice(at, at + len(rows))
            if self._classifier is not None:
                probabilities[part] = _probabilities(rows, self._classifier)
            centred = rows - self._space.mean
            scale[part] = 1 / np.linalg.norm(centred, axis=2)
            centred *= scale[part, :, None]
            cosines = _product(centred, aside)
            usual[part] = cosines.mean(axis=2)
            unrelated[part] = (cosines - usual[part, :, None]).max(axis=1)
            means = centred.mean(axis=1)
            units = np.concatenate([last, means / np.linalg.norm(means, axis=1, keepdims=True)])
            middles.append(1 - np.einsum("ij,ij->i", units[1:], units[:-1]))
            last = units[-1:]
            at += len(rows)
        between = np.zeros(len(features) - 1, dtype=np.float32)
        between[first[1:] - 1] = np.concatenate(middles)
        mean, spread = _mean_and_spread(unrelated)
        colours, pans = _of_pixels(features, first, self._space)
        return Sight(
            first, picture, scale, usual, probabilities, colours, pans, unrelated[picture], mean, spread, between
        )


def _mean_and_spread(unrelated: HalfArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation over unrelated sentences, shape ``(pictures,)``."""
    means = unrelated.mean(axis=1, dtype=np.float32)
    squares = np.einsum("st,st->s", unrelated, unrelated, dtype=np.float32)
    variance = squares / unrelated.shape[1] - means**2
    return means, np.sqrt(np.maximum(variance, _LEAST_VARIANCE))


def _probabilities(rows: FloatArray, classifier: Classifier) -> FloatArray:
    """Of each class, the best of the windows, shape ``(pictures, classes)``; weights are ``(channels, classes)``."""
    logits = _product(rows, classifier.weights) + classifier.bias
    probabilities = np.exp(logits - logits.max(axis=2, keepdims=True))
    probabilities /= probabilities.sum(axis=2, keepdims=True)
    best: FloatArray = probabilities.max(axis=1)
    return best


def _class_evidence(probabilities: FloatArray, reading: Reading) -> FloatArray:
    """`Evidence.classes` of each picture, shape ``(2, pictures, sentences)`` or ``(0, pictures, sentences)``."""
    pictures, classes = probabilities.shape
    if not classes:
        return np.zeros((0, pictures, len(reading.named)), dtype=np.float32)
    named = np.zeros((classes, len(reading.named)), dtype=np.float32)
    for i, own in enumerate(reading.named):
        named[list(own), i] = 1
    found: FloatArray = np.stack(
        [
            np.log(probabilities @ named + _LEAST_PROBABILITY) * named.any(axis=0),
            np.log(probabilities @ reading.resembled.T + _LEAST_PROBABILITY),
        ]
    )
    return found


def _of_pixels(features: Features, first: npt.NDArray[np.int64], space: Space) -> tuple[FloatArray, FloatArray]:
    """`Sight.colours` and `Sight.pans`: what follows in a vector what the network sees."""
    if not space.pixels:
        return np.zeros((len(first), WINDOWS, 0), np.float32), np.zeros((len(first), len(PAN)), np.float32)
    told = np.array(features.vectors[first, space.seen :], dtype=np.float32)
    shares = told[:, : -len(PAN)].reshape(len(first), WINDOWS, -1)
    return np.log(shares + _LEAST_SHARE), told[:, -len(PAN) :]


def _colour_evidence(colours: FloatArray, queries: Sequence[str]) -> FloatArray:
    """`Evidence.colours` of each picture, shape ``(pictures, sentences)``."""
    found = np.zeros((len(colours), len(queries)), dtype=np.float32)
    for i, query in enumerate(queries):
        named = named_colours(query)
        if named and colours.shape[2]:
            found[:, i] = colours[:, :, named].mean(axis=2).max(axis=1)
    return found


def _product(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """``rows @ matrix`` as one product of matrices: NumPy makes one of each picture's three rows, many times slower."""
    product: FloatArray = (rows.reshape(-1, rows.shape[-1]) @ matrix).reshape(*rows.shape[:-1], -1)
    return product


def _first_steps(features: Features) -> npt.NDArray[np.int64]:
    """The steps that show another picture than the step before."""
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


def _pictures(features: Features, first: npt.NDArray[np.int64], seen: int) -> Iterator[FloatArray]:
    """What the network sees of pictures, the first ``seen`` numbers of their vectors, a part of the video at a time.

    Each part has the shape ``(pictures, WINDOWS, channels)``.
    """
    at = 0
    for piece in pieces(features.vectors, _STEPS_AT_ONCE):
        here = first[(first >= at) & (first < at + len(piece))] - at
        if len(here):
            wide = widened(piece[here, :seen])
            yield wide.reshape(len(wide), WINDOWS, -1)
        at += len(piece)
