"""How long moments and curve of a long video take, once its windows are judged: against suppression of all its spans.

Run: ``python benchmarks/sentence_curve.py [--minutes 20 60]``

The windows, their spans and their number are those of ASST on Charades-STA; the scores are drawn, alike in neighbours.
The alternative drops of all spans the weaker of two that overlap, and paints those left over each other. The moments of
both must be the same, and nowhere may the curve lie below the alternative's.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from asst.data.windows import placed, sliding_windows
from asst.moments import FloatArray, anchor_grid, best_around, nms

STEPS, STEP_S, OVERLAP, TOP = 128, 0.25, 0.8, 10


def drawn(minutes: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The instants of a video, the spans of all its windows and their scores."""
    windows = sliding_windows(0.0, 60 * minutes, STEP_S, STEPS)
    grid = np.broadcast_to(anchor_grid(float(STEPS)), (len(windows), len(anchor_grid(1.0)), 2))
    scores = np.random.default_rng(0).uniform(size=grid.shape[:2])
    spans, strengths = placed(windows, grid, scores, np.ones(scores.shape), 60 * minutes)
    return np.arange(0.5, 60 * minutes, 0.5), spans, strengths


def plain(times_s: FloatArray, spans: FloatArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Every span suppressed, the curve painted from the weakest to the strongest."""
    best = nms(spans, scores, OVERLAP)
    curve = np.zeros(len(times_s))
    for (start_s, end_s), score in zip(spans[best[::-1]], scores[best[::-1]], strict=True):
        curve[(times_s >= start_s) & (times_s <= end_s)] = score
    return spans[best[:TOP]], curve


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[20, 60])
    for minutes in parser.parse_args().minutes:
        times_s, spans, scores = drawn(minutes)
        start = time.perf_counter()
        moments, curve = spans[nms(spans, scores, OVERLAP, TOP)], best_around(times_s, spans, scores)
        ours_s = time.perf_counter() - start
        start = time.perf_counter()
        expected, lower = plain(times_s, spans, scores)
        plain_s = time.perf_counter() - start
        assert (moments == expected).all()
        assert (curve >= lower).all()
        print(
            f"{minutes:g} minutes, {len(spans)} spans: {1000 * ours_s:.1f} ms, with all suppressed {plain_s:.2f} s "
            f"({plain_s / ours_s:.0f}x)"
        )


if __name__ == "__main__":
    main()
