"""Sentences about what the camera does, and how much it moves.

"The camera pans left" names nothing to look for. Inside a shot what is seen turns as the camera does, faster than when
something moves before it.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Float64Array = npt.NDArray[np.float64]

_CAMERA_MOVES = re.compile(
    r"\bcamera(?:man)?(?: (?:is|then|now|\w+ly))* (?:circl|fl[iy]|follow|mov|pan|pull|push|rotat|shak|shift|spin|sweep|"
    r"swing|tilt|track|turn|zoom)",
    re.IGNORECASE,
)
_DIRECTIONS = {
    **dict.fromkeys(("right", "rightward", "rightwards"), (1.0, 0.0)),
    **dict.fromkeys(("left", "leftward", "leftwards"), (-1.0, 0.0)),
    **dict.fromkeys(("up", "upward", "upwards"), (0.0, 1.0)),
    **dict.fromkeys(("down", "downward", "downwards"), (0.0, -1.0)),
}
# The rest of the verb, and "quickly to the".
_WORDS_AFTER = 5


def is_about_camera_motion(sentence: str) -> bool:
    """Whether a sentence says that the camera moves.

    >>> [is_about_camera_motion(s) for s in ("the camera quickly pans left", "she turns to the camera")]
    [True, False]
    """
    return _CAMERA_MOVES.search(sentence) is not None


def camera_direction(sentence: str) -> tuple[float, float] | None:
    """Which way a sentence says that the camera turns, as shares of `asst.features.space.PAN`; None if it does not.

    >>> [camera_direction(s) for s in ("The camera quickly pans left.", "camera moves to the dog", "he turns right")]
    [(-1.0, 0.0), None, None]
    """
    moves = _CAMERA_MOVES.search(sentence)
    if moves is None:
        return None
    words = re.findall(r"[a-z]+", sentence[moves.end() :].lower())[:_WORDS_AFTER]
    return next((_DIRECTIONS[word] for word in words if word in _DIRECTIONS), None)


def turning(between: FloatArray, first_of_shot: npt.NDArray[np.int64]) -> Float64Array:
    """How far what is seen turns around each step of a shot.

    Args:
        between: how far each step's features lie from those of the step before, shape ``(steps - 1,)``.
        first_of_shot: steps that show another shot than the step before; there nothing turned.

    Returns:
        The mean over a step's neighbours in its shot, shape ``(steps,)``. A shot of one step turns as much as steps do
        on average.

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
