"""The curves of a video's parts as one curve of the video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asst.moments import Curve


def joined(curves: Sequence[Curve], step_s: float) -> Curve:
    """One curve of the parts of a video that were scored; it breaks, by a score of NaN, where none was.

    Where parts overlap the higher score stays, as the better of two moments does.

    Args:
        curves: of parts, in any order, one at least, on the steps of the video.
        step_s: seconds from one step to the next.
    """
    times_s = np.concatenate([curve.times_s for curve in curves])
    scores = np.concatenate([curve.scores for curve in curves])
    start_s = times_s.min()
    steps, which = np.unique(np.round((times_s - start_s) / step_s).astype(np.int64), return_inverse=True)
    highest = np.full(len(steps), -np.inf)
    np.maximum.at(highest, which, scores)
    breaks = np.flatnonzero(np.diff(steps) > 1) + 1
    return Curve(
        np.insert(start_s + steps * step_s, breaks, start_s + (steps[breaks - 1] + 1) * step_s),
        np.insert(highest, breaks, np.nan),
    )
