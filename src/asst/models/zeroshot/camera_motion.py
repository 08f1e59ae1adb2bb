"""How well a video fits a sentence about what the camera does.

"The camera pans left" names nothing to look for. Inside a shot what is seen turns as the camera does, faster than when
something moves before it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from asst.models.zeroshot.evidence import Evidence
from asst.models.zeroshot.proposals import standardised

Float64Array = npt.NDArray[np.float64]


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
    result: Float64Array = np.where(known, turned, turned[known].mean() if known.any() else 0.0)
    return result
