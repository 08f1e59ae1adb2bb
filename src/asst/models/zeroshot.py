"""``concepts``: finds moments with an image classifier and a sentence encoder, never having seen a video described.

Four things are measured at every step. Two are the cosines between what is seen and the sentence's classifiers, one a
language encoder (see ``asst.features.concepts``), less the same for sentences about nothing in particular. Two are the
logs of the probability that the image classifier gives to the classes which the sentence names, and to those whose
glosses it resembles. Each is standardised over the video, and they are added. A sentence about the camera also looks
for steps at which what is seen turns. Spans between shot changes compete by their mean; a window inside a shot must
stand out from the rest of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.concepts import CLASSES, ConceptMap, named_classes
from asst.features.imagenet import (
    CHANNELS,
    LOOKS_A_SECOND,
    STEP_S,
    TICK_RATE,
    TICKS_A_STEP,
    WINDOWS,
    ImageNetExtractor,
)
from asst.features.spill import blocks
from asst.features.values import SAME_CLOCK, Features
from asst.models.camera_motion import is_about_camera_motion, turning
from asst.models.candidates import Candidates, candidates
from asst.models.model import Ranking
from asst.moments import Curve, Moment, nms

FloatArray = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

# How many standard deviations above unrelated sentences, in the best moment, a sentence must be to count as found.
THRESHOLD = 1.3
# The classifier was trained with soft labels: half its logits' spread gives probabilities that are comparable.
_TEMPERATURE = 2.0
_LEAST_PROBABILITY = 1e-6
# What is seen in a shot changes slowly: where it is sought, scores are means over ticks, near ones weighing more.
_NEAR_TICKS = np.array([1, 2, 3, 2, 1]) / 9
# A short candidate's mean is drawn towards the video's own, as if so many more ticks had been average.
_TICKS_OF_DOUBT = 2.0
# What standing out from its shot is worth to a window, and what it must overcome.
_CONTRAST = 0.75
_INSIDE_COST = 0.8
# A candidate beyond half of the video answers little; all of it loses this much.
_WHOLE_VIDEO_COST = 0.5
_OVERLAP_MOST = 0.5
_FLAT = 1e-6
_STEPS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the pictures say of some sentences, step by step.

    Attributes:
        matches: cosine with each sentence's classifiers above the mean of unrelated sentences, the best of the
            windows, shape ``(encoders, steps, sentences)``.
        unrelated: the same of the unrelated sentences, shape ``(encoders, steps, unrelated)``.
        classes: log-probability of the classes that each sentence names, and of those it resembles, the best of the
            windows, ``(2, steps, sentences)``; zero throughout for a sentence that names none.
        between: how far what is seen lies from the step before, as one minus the cosine, shape ``(steps - 1,)``.
    """

    matches: FloatArray
    unrelated: npt.NDArray[np.float16]
    classes: FloatArray
    between: FloatArray


class ConceptsModel:
    """The packaged model. See the module's text for what it measures.

    Attributes:
        name: ``concepts``, ``concepts-fast`` or ``concepts-thorough``.
        extractor: makes the features it reads.
        concepts: reads sentences.

    Args:
        name: its name.
        variant: of the image classifier, ``lite2`` or ``lite0``.
        looks_a_second: how many pictures of a second of video the classifier sees at most.

    Raises:
        InputError: when packaged weights are missing.
    """

    def __init__(self, name: str = "concepts", variant: str = "lite2", looks_a_second: float = LOOKS_A_SECOND) -> None:
        self.name = name
        self.extractor = ImageNetExtractor(variant, looks_a_second)
        network = self.extractor.network
        self.concepts = ConceptMap(network.class_weights)
        self._mean = network.mean_feature.numpy()
        self._class_weights = network.class_weights.numpy().T / _TEMPERATURE
        self._class_bias = network.class_bias.numpy() / _TEMPERATURE

    def rank(self, features: Features, queries: Sequence[str], *, top: int) -> list[Ranking]:
        """The best moments of each sentence; a moment's score is explained in ``docs/models.md``.

        Raises:
            InputError: for features of another extractor, or on steps of another length.
        """
        if features.extractor != self.extractor.name:
            raise InputError(
                f"{self.name} reads features of {self.extractor.name}, not of {features.extractor}; extract them again"
            )
        if abs(features.step_s - STEP_S) > SAME_CLOCK * STEP_S:
            raise InputError(
                f"{self.name} reads a vector every {STEP_S:g} s, not every {features.step_s:g} s; extract them again"
            )
        evidence = self.evidence(features, queries)
        cuts = np.round((features.cuts_s - features.start_s) * TICK_RATE).astype(np.int64)
        found = candidates(len(features) * TICKS_A_STEP, cuts)
        return [self._ranking(features, query, evidence, i, cuts, found, top) for i, query in enumerate(queries)]

    def evidence(self, features: Features, queries: Sequence[str]) -> Evidence:
        """All measurements, for every sentence at every step; a part of the video at a time."""
        reading = self.concepts.read(queries)
        wanted = reading.classifiers.transpose(0, 2, 1)
        others = self.concepts.unrelated.transpose(0, 2, 1)
        named = np.zeros((CLASSES, len(queries)), dtype=np.float32)
        for i, query in enumerate(queries):
            named[named_classes(query), i] = 1
        # In half precision, and written where it stays: of a long video this is most of what is kept.
        unrelated = np.empty((len(others), len(features), others.shape[2]), dtype=np.float16)
        at = 0
        parts = []
        last = np.zeros((0, CHANNELS), dtype=np.float32)
        for block in blocks(features.vectors, _STEPS_AT_ONCE):
            # One picture often stands for several steps.
            new = np.append(True, (block[1:] != block[:-1]).any(axis=1))
            which = np.cumsum(new) - 1
            rows = block[new].reshape(-1, WINDOWS, CHANNELS)
            centred = _unit(rows - self._mean)
            matches = []
            for k, (sentence, aside) in enumerate(zip(wanted, others, strict=True)):
                unfitting = centred @ aside
                usual = unfitting.mean(axis=2, keepdims=True)
                matches.append((centred @ sentence - usual).max(axis=1)[which])
                unrelated[k, at : at + len(block)] = (unfitting - usual).max(axis=1)[which]
            best = self._probabilities(rows)
            classes = np.stack([np.log(best @ w + _LEAST_PROBABILITY)[which] for w in (named, reading.resembled.T)])
            classes[0] *= named.any(axis=0)
            units = np.concatenate([last, _unit(centred.mean(axis=1))[which]])
            last = units[-1:]
            between = 1 - np.einsum("ij,ij->i", units[1:], units[:-1])
            parts.append((np.stack(matches), classes, between))
            at += len(block)
        all_matches, all_classes, all_between = zip(*parts, strict=True)
        return Evidence(
            np.concatenate(all_matches, axis=1),
            unrelated,
            np.concatenate(all_classes, axis=1),
            np.concatenate(all_between),
        )

    def _probabilities(self, rows: FloatArray) -> FloatArray:
        """Of each class, the best of the windows; shape ``(steps, CLASSES)``."""
        logits = rows @ self._class_weights + self._class_bias
        probabilities = np.exp(logits - logits.max(axis=2, keepdims=True))
        probabilities /= probabilities.sum(axis=2, keepdims=True)
        best: FloatArray = probabilities.max(axis=1)
        return best

    def _ranking(
        self,
        features: Features,
        query: str,
        evidence: Evidence,
        i: int,
        cuts: npt.NDArray[np.int64],
        found: Candidates,
        top: int,
    ) -> Ranking:
        first_of_shot = -(-cuts // TICKS_A_STEP)
        measured = [*evidence.matches[:, :, i], *evidence.classes[:, :, i]]
        steps = _standardised(np.sum([_standardised(values) for values in measured], axis=0))
        if is_about_camera_motion(query):
            steps = _standardised(steps + _standardised(turning(evidence.between, first_of_shot)))
        ticks = _ticks(steps, cuts)
        strengths = span_strengths(smoothed(ticks, cuts), found)
        spans_s = features.start_s + found.spans / TICK_RATE
        kept = nms(spans_s, strengths, _OVERLAP_MOST, limit=top)
        best = found.spans[kept[0]]
        clear = _clearness(evidence, i, best)
        # The best moment's score says how clearly the sentence applies at all; the others follow by how much weaker
        # they are than it.
        moments = tuple(
            Moment(float(spans_s[k, 0]), float(spans_s[k, 1]), float(clear + strengths[k] - strengths[kept[0]]), query)
            for k in kept
        )
        # On the same scale: the curve's mean over the best moment is that moment's score.
        curve = Curve(features.times_s, steps + clear - ticks[best[0] : best[1]].mean())
        return Ranking(query, moments, curve, THRESHOLD)


def span_strengths(ticks: Float64Array, found: Candidates) -> Float64Array:
    """How strongly each candidate answers, in standard deviations of the score over the video.

    Args:
        ticks: the standardised score at each tick, shape ``(ticks,)``.
        found: the candidates.

    Returns:
        Shape ``(candidates,)``.
    """
    total = len(ticks)
    sums = np.concatenate([[0.0], np.cumsum(ticks)])
    length = np.diff(found.spans, axis=1)[:, 0]
    whole = np.diff(found.wholes, axis=1)[:, 0]
    inner_sum = sums[found.spans[:, 1]] - sums[found.spans[:, 0]]
    whole_sum = sums[found.wholes[:, 1]] - sums[found.wholes[:, 0]]
    strength = whole_sum / (whole + _TICKS_OF_DOUBT)
    # Mean inside against mean in the rest of the shot, weighed by how evenly the window divides the shot: one chance
    # peak of a tick is no moment.
    rest = whole - length
    contrast = inner_sum / length - (whole_sum - inner_sum) / np.maximum(rest, 1)
    evenness = 2.0 * np.sqrt(length * rest) / whole
    strength = strength + np.where(found.inside, _CONTRAST * contrast * evenness - _INSIDE_COST, 0.0)
    result: Float64Array = strength - _WHOLE_VIDEO_COST * np.maximum(0.0, 2.0 * length / total - 1.0)
    return result


def _standardised(values: npt.NDArray[np.floating]) -> Float64Array:
    """Mean zero and deviation one over the video; zeros where it is flat."""
    wide = values.astype(np.float64)
    deviation = wide.std()
    return (wide - wide.mean()) / deviation if deviation > _FLAT else np.zeros_like(wide)


def smoothed(ticks: Float64Array, cuts: npt.NDArray[np.int64]) -> Float64Array:
    """Weighted means over near ticks of the same shot; its first and last ticks count again beyond its ends."""
    shots = np.split(ticks, cuts[(cuts > 0) & (cuts < len(ticks))])
    padded = (np.pad(shot, len(_NEAR_TICKS) // 2, mode="edge") for shot in shots)
    return np.concatenate([np.convolve(shot, _NEAR_TICKS, "valid") for shot in padded])


def _unit(vectors: FloatArray) -> FloatArray:
    """Of length one along the last axis."""
    result: FloatArray = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return result


def _ticks(steps: Float64Array, cuts: npt.NDArray[np.int64]) -> Float64Array:
    """The score at each tick: its step's, or the next step's where a shot begins between the two."""
    ticks = np.repeat(steps, TICKS_A_STEP)
    late = cuts[(cuts % TICKS_A_STEP != 0) & (cuts + 1 < len(ticks))]
    ticks[late] = ticks[late + 1]
    return ticks


def _clearness(evidence: Evidence, i: int, span: npt.NDArray[np.int64]) -> float:
    """By how many of their standard deviations the sentence fits the span better than unrelated sentences do.

    The mean over the language encoders.
    """
    first, last = span[0] // TICKS_A_STEP, max(span[0] // TICKS_A_STEP + 1, -(-span[1] // TICKS_A_STEP))
    others = evidence.unrelated[:, first:last].mean(axis=1, dtype=np.float32)
    own = evidence.matches[:, first:last, i].mean(axis=1)
    return float(np.mean((own - others.mean(axis=1)) / others.std(axis=1)))
