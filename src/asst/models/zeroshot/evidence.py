"""What the frames of a video say of sentences, step by step: cosines with classifiers, classes and colours.

What does not depend on the sentence is measured once a video and kept, so that a second question costs one product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.features.values import Features, chunks, widened
from asst.features.zeroshot.space import COSINE, CROPS, Classifier, Reading, SentenceReader, Space
from asst.models.zeroshot.proposals import LastVideo, standardised
from asst.models.zeroshot.query import ParsedQuery, parse
from asst.moments import Float16Array, Float32Array, FloatArray, IntArray

# The classifier was trained with soft labels: half its logits' spread gives probabilities that are comparable.
_TEMPERATURE = 2.0
_LEAST_PROBABILITY = 1e-6
_LEAST_SHARE = 0.01
_LEAST_DEVIATION = 1e-4
_STEPS_AT_ONCE = 256

USUAL_DEVIATION = 1.5
"""Of scaled cosines with negative sentences, where nobody chose the scale: about as large as in the packaged space."""


@dataclass(frozen=True, slots=True, eq=False)
class VisualEvidence:
    """What is seen in a video, whatever is asked. One frame often stands for several steps."""

    first: IntArray  # the first step of each frame, (frames,)
    frame: IntArray  # of each step, (steps,)
    scale: Float32Array  # one over the length of each centred vector, (frames, CROPS)
    usual: Float32Array  # mean cosine with negative sentences, (frames, CROPS)
    probabilities: Float32Array  # of each class, the best of the crops, (frames, classes); none without classes
    colours: Float32Array  # log-share of each in each crop, (frames, CROPS, colours); none if not measured
    pans: Float32Array  # of the camera, as `PAN`, (frames, 2); zero where they are not measured
    negatives: Float16Array  # cosines with negative sentences less their mean, best of the crops, (frames, negatives)
    softmax_scale: float  # of cosines
    fit_of_negatives: Float32Array  # `soft_maximum` of these for each frame, (frames,)
    between: Float32Array  # from the step before each but the first, as one minus the cosine, (steps - 1,)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the frames of a video say of one sentence: the score of each step by measure, ``(steps,)``."""

    query: ParsedQuery
    scores: Mapping[str, Float32Array]
    visual: VisualEvidence

    def log_ratios(self) -> Float32Array:
        """How much better each step fits than negative sentences do, shape ``(steps,)``.

        That is the log of what a softmax gives the sentence, over what it gives one of them on average.
        """
        visual = self.visual
        return visual.softmax_scale * self.scores[COSINE] - visual.fit_of_negatives[visual.frame]

    def log_ratio(self, first: int, last: int) -> float:
        """The same of the means over some steps, up to ``last``."""
        visual = self.visual
        others = visual.softmax_scale * visual.negatives[visual.frame[first:last]].mean(axis=0, dtype=np.float32)
        return float(visual.softmax_scale * self.scores[COSINE][first:last].mean() - soft_maximum(others))


def _measured(visual: VisualEvidence, reading: Reading, queries: Sequence[ParsedQuery]) -> dict[str, Float32Array]:
    """What an extractor tells beside the cosine: the score of each sentence at each frame, ``(frames, sentences)``.

    Log-probability of the classes that it names, and of those whose glosses it resembles; mean log-share of the colours
    that it names, the best of the crops. Zero throughout for a sentence that names none.
    """
    found: dict[str, Float32Array] = {}
    if classes := visual.probabilities.shape[1]:
        named = np.zeros((classes, len(queries)), dtype=np.float32)
        for i, own in enumerate(reading.named):
            named[list(own), i] = 1
        found["named classes"] = np.log(visual.probabilities @ named + _LEAST_PROBABILITY) * named.any(axis=0)
        found["resembled classes"] = np.log(visual.probabilities @ reading.resembled.T + _LEAST_PROBABILITY)
    if visual.colours.shape[2]:
        found["colours"] = np.zeros((len(visual.colours), len(queries)), dtype=np.float32)
        for i, query in enumerate(queries):
            if query.colours:
                found["colours"][:, i] = visual.colours[:, :, list(query.colours)].mean(axis=2).max(axis=1)
    return found


# "The camera pans left" names nothing to look for. Inside a shot what is seen turns as the camera does, faster than
# when something moves before it.


def camera_scores(evidence: Evidence, first_of_shot: IntArray) -> FloatArray:
    """How fast what is seen turns at each step, and turns the way that is said if any, shape ``(steps,)``."""
    visual = evidence.visual
    moves = standardised(turning(visual.between, first_of_shot))
    if evidence.query.direction is not None:
        moves = moves + standardised(visual.pans[visual.frame] @ np.array(evidence.query.direction))
    return moves


def camera_speed(evidence: Evidence, first: int, last: int) -> float:
    """How fast the camera turns in some steps, the way that is said if any, in widths of the frame a second."""
    visual, direction = evidence.visual, evidence.query.direction
    pans = visual.pans[visual.frame[first:last]].astype(np.float64)
    speeds = np.linalg.norm(pans, axis=1) if direction is None else pans @ np.array(direction)
    return float(speeds.mean())


def turning(between: npt.NDArray[np.floating], first_of_shot: IntArray) -> FloatArray:
    """How far what is seen turns around each step: the mean over its neighbours in its shot, shape ``(steps,)``.

    ``between`` is as in `VisualEvidence`. A shot of one step turns as much as steps do on average.

    >>> turning(np.array([0.2, 0.4, 9.0, 0.0]), np.array([3])).round(1).tolist()
    [0.2, 0.3, 0.4, 0.0, 0.0]
    """
    steps = len(between) + 1
    within = np.ones(steps - 1)
    within[first_of_shot[(first_of_shot > 0) & (first_of_shot < steps)] - 1] = 0
    counted = np.concatenate([within, [0]]) + np.concatenate([[0], within])
    summed = np.concatenate([between * within, [0]]) + np.concatenate([[0], between * within])
    known = counted > 0
    turned = summed / np.maximum(counted, 1)
    return np.where(known, turned, turned[known].mean() if known.any() else 0.0)


class EvidenceReader:
    """Measures what frames say of sentences; ``visual`` is kept for the next question about the same features.

    ``softmax_scale`` is None for a space in which nobody has chosen it: it then follows from the video.
    """

    def __init__(self, space: Space, sentences: SentenceReader, softmax_scale: float | None) -> None:
        self.sentences = sentences
        self._space, self.softmax_scale = space, softmax_scale
        self._classifier = None
        if space.classifier is not None:
            weights, bias = space.classifier.weights, space.classifier.bias
            self._classifier = Classifier(np.ascontiguousarray(weights.T) / _TEMPERATURE, bias / _TEMPERATURE)
        self.visual = LastVideo(self._look)

    def __call__(self, features: Features, queries: Sequence[str]) -> list[Evidence]:
        """All measures of every sentence at every step; a part of the video at a time."""
        reading = self.sentences.read(queries)
        visual = self.visual(features)
        wanted = reading.classifiers.T
        matches = np.empty((len(visual.first), len(queries)), dtype=np.float32)
        for part, rows in self._crops(features, visual.first):
            cosines = (_product(rows, wanted) - self._space.mean @ wanted) * visual.scale[part, :, None]
            matches[part] = (cosines - visual.usual[part, :, None]).max(axis=1)
        parsed = [parse(query) for query in queries]
        measured = {COSINE: matches, **_measured(visual, reading, parsed)}
        return [
            Evidence(query, {name: scores[visual.frame, i] for name, scores in measured.items()}, visual)
            for i, query in enumerate(parsed)
        ]

    def _look(self, features: Features) -> VisualEvidence:
        frame = features.frame_of_step()
        first = np.flatnonzero(np.diff(frame, prepend=-1))
        aside = self.sentences.negatives.T
        # Written where it stays: of a long video this is most of what is kept.
        negatives = np.empty((len(first), aside.shape[1]), dtype=np.float16)
        classes = 0 if self._classifier is None else len(self._classifier.bias)
        probabilities = np.empty((len(first), classes), dtype=np.float32)
        scale, usual = np.empty((2, len(first), CROPS), dtype=np.float32)
        apart = []
        last = np.zeros((0, len(self._space.mean)), dtype=np.float32)
        for part, rows in self._crops(features, first):
            if self._classifier is not None:
                probabilities[part] = _probabilities(rows, self._classifier)
            centred = rows - self._space.mean
            scale[part] = 1 / np.linalg.norm(centred, axis=2)
            centred *= scale[part, :, None]
            cosines = _product(centred, aside)
            usual[part] = cosines.mean(axis=2)
            negatives[part] = (cosines - usual[part, :, None]).max(axis=1)
            means = centred.mean(axis=1)
            units = np.concatenate([last, means / np.linalg.norm(means, axis=1, keepdims=True)])
            apart.append(1 - np.einsum("ij,ij->i", units[1:], units[:-1]))
            last = units[-1:]
        between = np.zeros(len(features) - 1, dtype=np.float32)
        between[first[1:] - 1] = np.concatenate(apart)
        colours = np.log(self._space.colours(features.vectors)[first].astype(np.float32) + _LEAST_SHARE)
        pans = self._space.pans(features.vectors)[first].astype(np.float32)
        by = self.softmax_scale or USUAL_DEVIATION / max(_deviation(negatives), _LEAST_DEVIATION)
        fits = np.concatenate([soft_maximum(by * widened(rows)) for rows in chunks(negatives)])
        seen = (colours, pans, negatives, by, fits, between)
        return VisualEvidence(first, frame, scale, usual, probabilities, *seen)

    def _crops(self, features: Features, first: IntArray) -> Iterator[tuple[slice, Float32Array]]:
        """What the network sees of frames, ``(frames, CROPS, channels)``, a part at a time, and which frames."""
        at = seen = 0
        for chunk in chunks(features.vectors, _STEPS_AT_ONCE):
            here = first[(first >= at) & (first < at + len(chunk))] - at
            if len(here):
                yield slice(seen, seen + len(here)), widened(self._space.crops(chunk)[here])
            at, seen = at + len(chunk), seen + len(here)


def _deviation(negatives: Float16Array) -> float:
    """The standard deviation over negative sentences, on average over frames."""
    return float(np.mean(np.concatenate([widened(rows).std(axis=1) for rows in chunks(negatives)])))


def soft_maximum(scaled: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Log of the mean of exponentials over the last axis."""
    most = scaled.max(axis=-1, keepdims=True)
    result: npt.NDArray[np.floating] = np.log(np.exp(scaled - most).mean(axis=-1)) + most[..., 0]
    return result


def _probabilities(rows: Float32Array, classifier: Classifier) -> Float32Array:
    """Of each class, the best of the crops, shape ``(frames, classes)``; weights are ``(channels, classes)``."""
    logits = _product(rows, classifier.weights) + classifier.bias
    probabilities = np.exp(logits - logits.max(axis=2, keepdims=True))
    probabilities /= probabilities.sum(axis=2, keepdims=True)
    best: Float32Array = probabilities.max(axis=1)
    return best


def _product(rows: Float32Array, matrix: Float32Array) -> Float32Array:
    """``rows @ matrix`` as one product of matrices: NumPy makes one of each frame's three rows, many times slower."""
    return (rows.reshape(-1, rows.shape[-1]) @ matrix).reshape(*rows.shape[:-1], -1)
