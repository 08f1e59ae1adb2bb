"""A sentence scored against a video: at each step, for each candidate, and what is answered from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.confidence import confidence
from asst.errors import InputError
from asst.features.space import Space
from asst.features.squares import STEP_S, TICK_RATE, TICKS_A_STEP
from asst.features.values import SAME_CLOCK, Features
from asst.models.camera_motion import camera_direction, is_about_camera_motion, turning
from asst.models.candidates import Candidates, candidates
from asst.models.evidence import Evidence
from asst.models.model import Ranking
from asst.models.strength import at_ticks, smoothed, span_strengths, standardised
from asst.moments import Curve, Moment, nms

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

THRESHOLD = 0.25
"""The probability from which a sentence counts as found: to refuse what is there is worse than to show what is not."""

SLOPE, HALF = 1.0, 2.44
"""The logistic curve from clearness to the probability that a sentence applies; ``benchmarks/calibration.py`` fits it.

Clearness is by how many standard deviations a sentence fits better than unrelated ones do. At half of all sentences
with the clearness `HALF` apply, where as many are asked that apply as that do not.
"""

UNRELATED_FOUND = 0.2
"""Share of the unrelated sentences that count as found in a space whose curve nobody has fitted."""

_OVERLAP_MOST = 0.5
# Ticks: times are floats, and a cut within this of a tick is on it.
_ON_TIME = 1e-5
# Time in which the camera turns by the width of its picture, where a sentence about its turning counts as found.
_WHOLLY_OTHER_S = 8.0
_FROM_THRESHOLD = float(np.log((1 - THRESHOLD) / THRESHOLD)) / SLOPE
_LEAST_CLEARNESS = HALF - _FROM_THRESHOLD


def check_features(features: Features, space: Space, reader: str) -> None:
    """Refuses features that a model does not read.

    Args:
        features: to be read.
        space: of the features that the model reads.
        reader: the model's name, for the message.

    Raises:
        InputError: for features of another extractor or another version of it, or on steps of another length.
    """
    if features.extractor != space.extractor:
        raise InputError(
            f"{reader} reads features of {space.extractor}, not of {features.extractor}; extract them again"
        )
    if features.dimension != space.dimension:
        raise InputError(
            f"{reader} reads {space.dimension} numbers a step of {space.extractor}, not {features.dimension} as "
            "another version of it made them; extract them again"
        )
    if abs(features.step_s - STEP_S) > SAME_CLOCK * STEP_S:
        raise InputError(
            f"{reader} reads a vector every {STEP_S:g} s, not every {features.step_s:g} s; extract them again"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A video as every sentence finds it.

    Attributes:
        features: of the video.
        cuts: ticks that new shots are seen at first, none of them the first tick of all.
        found: spans that can be answered with.
        half: the clearness with a score of a half.
    """

    features: Features
    cuts: IntArray
    found: Candidates
    half: float = HALF

    @classmethod
    def of(cls, features: Features) -> Stage:
        """The stage of a video."""
        return cls(features, *cuts_and_candidates(features))

    @property
    def first_of_shot(self) -> IntArray:
        """The first whole step of each shot but the first, ascending."""
        steps: IntArray = -(-self.cuts // TICKS_A_STEP)
        return steps

    def seconds(self, spans: IntArray) -> Float64Array:
        """Spans in seconds: exact where an end is a cut, else as the ticks lie.

        Args:
            spans: in ticks, shape ``(spans, 2)``.
        """
        bounds_s: Float64Array = self.features.start_s + np.arange(len(self.features) * TICKS_A_STEP + 1) / TICK_RATE
        cuts = _first_ticks(self.features)
        inside = (cuts >= 0) & (cuts < len(bounds_s))
        bounds_s[cuts[inside]] = self.features.cuts_s[inside]
        return bounds_s[spans]


def cuts_and_candidates(features: Features) -> tuple[IntArray, Candidates]:
    """What a stage has besides the features."""
    cuts, ticks = _first_ticks(features), len(features) * TICKS_A_STEP
    inner = cuts[(cuts > 0) & (cuts < ticks)]
    return inner, candidates(ticks, inner)


def _first_ticks(features: Features) -> IntArray:
    """The ticks that new shots are seen at first, one a cut."""
    ticks: IntArray = np.ceil((features.cuts_s - features.start_s) * TICK_RATE - _ON_TIME).astype(np.int64)
    return ticks


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One sentence against one video.

    Attributes:
        steps: how well each step fits, in standard deviations over the video, shape ``(steps,)``.
        ticks: the same at each tick, shape ``(ticks,)``.
        strengths: of each candidate, shape ``(candidates,)``.
    """

    steps: Float64Array
    ticks: Float64Array
    strengths: Float64Array


def scored(stage: Stage, evidence: Evidence, i: int, query: str) -> Scored:
    """Sentence ``i`` of the evidence, whose text is ``query``."""
    steps = step_scores(stage, evidence, i, query)
    ticks = at_ticks(steps, stage.cuts)
    return Scored(steps, ticks, span_strengths(smoothed(ticks, stage.cuts), stage.found))


def step_scores(stage: Stage, evidence: Evidence, i: int, query: str) -> Float64Array:
    """How well each step fits, in standard deviations over the video, shape ``(steps,)``; arguments as `scored`."""
    measured = [evidence.matches[:, i], *evidence.classes[:, :, i], evidence.colours[:, i]]
    steps = standardised(np.sum([standardised(values) for values in measured], axis=0))
    if is_about_camera_motion(query):
        moves = standardised(turning(evidence.between, stage.first_of_shot))
        if (direction := camera_direction(query)) is not None:
            moves = moves + standardised(evidence.pans @ np.array(direction))
        steps = standardised(steps + moves)
    return steps


def ranking(
    stage: Stage, query: str, own: Scored, strengths: Float64Array, evidence: Evidence, i: int, top: int
) -> Ranking:
    """The strongest candidates that do not overlap much, on the scale that says how clearly a sentence applies.

    Args:
        stage: the video.
        query: the sentence.
        own: its scores.
        strengths: of each candidate, as the model judges in the end, shape ``(candidates,)``.
        evidence: of several sentences.
        i: which of them this is.
        top: moments at most.
    """
    spans = stage.found.spans
    kept = nms(spans, strengths, _OVERLAP_MOST, limit=top)
    best = spans[kept[0]]
    clear = _clearness(evidence, i, best)
    if is_about_camera_motion(query):
        clear = max(clear, _camera_clearness(evidence, query, best))
    # The best moment's score says how clearly the sentence applies at all; the others follow by how much weaker they
    # are than it.
    scores = probability(clear + strengths[kept] - strengths[kept[0]], stage.half)
    # Only the curve of the packaged space was fitted.
    calibrated = stage.half == HALF
    moments = tuple(
        Moment(float(start_s), float(end_s), float(score), query, confidence=confidence(score) if calibrated else None)
        for (start_s, end_s), score in zip(stage.seconds(spans[kept]), scores, strict=True)
    )
    # On the same scale: where the curve is at its mean over the best moment, it is that moment's score.
    applies = probability(own.steps + clear - own.ticks[best[0] : best[1]].mean(), stage.half)
    curve = Curve(stage.features.times_s, applies)
    return Ranking(query, moments, curve, THRESHOLD)


def probability(clearness: Float64Array, half: float = HALF) -> Float64Array:
    """That a sentence applies, by how clearly it fits; see `SLOPE`."""
    chance: Float64Array = 1 / (1 + np.exp(-SLOPE * (clearness - half)))
    return chance


def half_way(unrelated: npt.NDArray[np.floating]) -> float:
    """In place of `HALF` for a space whose curve nobody has fitted, from its own unrelated sentences on a video.

    `UNRELATED_FOUND` of them then reach `THRESHOLD`, each where it fits best. That holds however long the video is, and
    says nothing of how often sentences that apply do.

    Args:
        unrelated: as `asst.models.evidence.Evidence` has it, shape ``(steps, unrelated)``.
    """
    best = unrelated.argmax(axis=0)
    there = unrelated[best].astype(np.float64)
    clearness = (np.diag(there) - there.mean(axis=1)) / np.maximum(there.std(axis=1), 1e-6)
    return float(np.quantile(clearness, 1 - UNRELATED_FOUND)) + _FROM_THRESHOLD


def _clearness(evidence: Evidence, i: int, span: Sequence[int] | IntArray) -> float:
    """By how many of their standard deviations the sentence fits the span better than unrelated sentences do."""
    first, last = _steps_of(span)
    others = evidence.unrelated[first:last].mean(axis=0, dtype=np.float32)
    return float((evidence.matches[first:last, i].mean() - others.mean()) / others.std())


def _camera_clearness(evidence: Evidence, query: str, span: Sequence[int] | IntArray) -> float:
    """The same of a sentence that says that the camera moves: by how fast it turns there, the way that is said if any.

    Such a sentence names nothing that its classifiers could find. The threshold is a turn that takes eight seconds to
    show wholly other things.
    """
    first, last = _steps_of(span)
    pans = evidence.pans[first:last].astype(np.float64)
    direction = camera_direction(query)
    speeds = np.linalg.norm(pans, axis=1) if direction is None else pans @ np.array(direction)
    return float(_LEAST_CLEARNESS * _WHOLLY_OTHER_S * speeds.mean())


def _steps_of(span: Sequence[int] | IntArray) -> tuple[int, int]:
    """The steps that a span in ticks touches, as the first and the one after the last."""
    first = int(span[0]) // TICKS_A_STEP
    return first, max(first + 1, -(-int(span[1]) // TICKS_A_STEP))
