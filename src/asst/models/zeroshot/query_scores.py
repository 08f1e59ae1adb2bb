"""A sentence scored against a video: at each step, for each proposal, and what is answered from that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asst.features.zeroshot.crops import TICKS_A_STEP
from asst.models.zeroshot.evidence import Evidence
from asst.models.zeroshot.proposals import Float64Array, at_ticks, proposal_scores, smoothed, standardised
from asst.models.zeroshot.video_context import HALF, VideoContext
from asst.moments import Answer, Curve, Moment, confidence, nms

THRESHOLD = 0.25
"""The probability from which a sentence counts as found: to refuse what is there is worse than to show what is not."""

SLOPE = 1.0
"""Of the logistic curve from the z-score to the probability that a sentence applies; ``benchmarks/calibration.py`` fits
it. The z-score is by how many standard deviations a sentence fits better than negative sentences do. At half of all
sentences with the z-score `HALF` apply, where as many are asked that apply as that do not."""

NEGATIVES_FOUND = 0.2
"""Share of the negative sentences that count as found in a space whose curve nobody has fitted."""

_OVERLAP_MOST = 0.5
# Time in which the camera turns by the width of its picture, where a sentence about its turning counts as found.
_WHOLLY_OTHER_S = 8.0
_FROM_THRESHOLD = float(np.log((1 - THRESHOLD) / THRESHOLD)) / SLOPE
_LEAST_Z_SCORE = HALF - _FROM_THRESHOLD


@dataclass(frozen=True, slots=True, eq=False)
class QueryScores:
    """One sentence against one video.

    How well each step fits, in standard deviations over the video, ``(steps,)``, the same at each tick, ``(ticks,)``,
    and how well each proposal does, ``(proposals,)``.
    """

    steps: Float64Array
    ticks: Float64Array
    proposals: Float64Array


def query_scores(context: VideoContext, evidence: Evidence) -> QueryScores:
    """The scores of a sentence."""
    steps = step_scores(context, evidence)
    ticks = at_ticks(steps, context.cuts)
    return QueryScores(steps, ticks, proposal_scores(smoothed(ticks, context.cuts), context.proposals))


def step_scores(context: VideoContext, evidence: Evidence) -> Float64Array:
    """How well each step fits, in standard deviations over the video, shape ``(steps,)``: the sum of all measures."""
    steps = standardised(np.sum([standardised(values) for values in evidence.scores.values()], axis=0))
    if evidence.query.camera_moves:
        steps = standardised(steps + camera_scores(evidence, context.first_of_shot))
    return steps


def ranking(context: VideoContext, evidence: Evidence, own: QueryScores, scores: Float64Array, top: int) -> Answer:
    """The best proposals that overlap little, at most ``top``, on the scale of how clearly a sentence applies.

    ``own`` are the sentence's scores; ``scores`` those of each proposal, as the model judges in the end,
    ``(proposals,)``.
    """
    spans, query = context.proposals.spans, evidence.query
    kept = nms(spans, scores, _OVERLAP_MOST, limit=top)
    start, end = (int(tick) for tick in spans[kept[0]])
    first = start // TICKS_A_STEP
    last = max(first + 1, -(-end // TICKS_A_STEP))
    z_score = evidence.z_score(first, last)
    if query.camera_moves:
        # Such a sentence names nothing that its classifiers could find.
        z_score = max(z_score, _LEAST_Z_SCORE * _WHOLLY_OTHER_S * camera_speed(evidence, first, last))
    # The best moment's score says how clearly the sentence applies at all; the others follow by how much weaker they
    # are than it.
    chances = probability(z_score + scores[kept] - scores[kept[0]], context.half)
    # Only the curve of the packaged space was fitted.
    calibrated = context.half == HALF
    moments = tuple(
        Moment(
            float(start_s),
            float(end_s),
            float(chance),
            query.text,
            confidence=confidence(chance) if calibrated else None,
        )
        for (start_s, end_s), chance in zip(context.seconds(spans[kept]), chances, strict=True)
    )
    # On the same scale: where the curve is at its mean over the best moment, it is that moment's score.
    applies = probability(own.steps + z_score - own.ticks[start:end].mean(), context.half)
    curve, found = Curve(context.features.times_s, applies), sum(moment.score >= THRESHOLD for moment in moments)
    length_s = context.features.video_end_s
    return Answer("", query.text, length_s, "", moments[:found], curve, THRESHOLD, weaker=moments[found:])


def probability(z_scores: Float64Array, half: float = HALF) -> Float64Array:
    """That a sentence applies, by how clearly it fits; see `SLOPE`."""
    return 1 / (1 + np.exp(-SLOPE * (z_scores - half)))


def half_way(negatives: npt.NDArray[np.floating]) -> float:
    """In place of `HALF` for a space whose curve nobody has fitted, from its negative sentences on a video.

    `NEGATIVES_FOUND` of them then reach `THRESHOLD`, each where it fits best. That holds however long the video is, and
    says nothing of how often sentences that apply do.
    """
    best = negatives.argmax(axis=0)
    there = negatives[best].astype(np.float64)
    z_scores = (np.diag(there) - there.mean(axis=1)) / np.maximum(there.std(axis=1), 1e-6)
    return float(np.quantile(z_scores, 1 - NEGATIVES_FOUND)) + _FROM_THRESHOLD


# "The camera pans left" names nothing to look for. Inside a shot what is seen turns as the camera does, faster than
# when something moves before it.


def camera_scores(evidence: Evidence, first_of_shot: npt.NDArray[np.int64]) -> Float64Array:
    """How fast what is seen turns at each step, and turns the way that is said if any, shape ``(steps,)``."""
    visual = evidence.visual
    moves = standardised(turning(visual.between, first_of_shot))
    if evidence.query.direction is not None:
        moves = moves + standardised(visual.pans[visual.picture] @ np.array(evidence.query.direction))
    return moves


def camera_speed(evidence: Evidence, first: int, last: int) -> float:
    """How fast the camera turns in some steps, the way that is said if any, in widths of the picture a second."""
    visual, direction = evidence.visual, evidence.query.direction
    pans = visual.pans[visual.picture[first:last]].astype(np.float64)
    speeds = np.linalg.norm(pans, axis=1) if direction is None else pans @ np.array(direction)
    return float(speeds.mean())


def turning(between: npt.NDArray[np.floating], first_of_shot: npt.NDArray[np.int64]) -> Float64Array:
    """How far what is seen turns around each step: the mean over its neighbours in its shot, shape ``(steps,)``.

    ``between`` is how far each step's features lie from those of the step before, ``(steps - 1,)``. Between two shots,
    of which the later begin at ``first_of_shot``, nothing turned. A shot of one step turns as much as steps do on
    average.

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
