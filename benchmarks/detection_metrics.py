"""How long a full evaluation of THUMOS14 takes, against plain loops over classes, thresholds, truths and detections.

Run: ``python benchmarks/detection_metrics.py [--detections 200]``

213 videos of 16 actions in 20 classes, spans drawn at random. The plain loops give the five average precisions alone,
without intervals; both must agree on them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from asst.data.actions import ActionVideo, LabelledSpan
from asst.evaluation.detection import evaluate_detections, mean_average_precisions
from asst.moments import Answer, Moment

VIDEOS, ACTIONS, CLASSES = 213, 16, 20
IOUS = (0.3, 0.4, 0.5, 0.6, 0.7)


def drawn(detections: int) -> tuple[list[ActionVideo], list[Answer]]:
    """Videos with their actions, and what was found in them."""
    draw = np.random.default_rng(0)

    def spans(count: int) -> list[tuple[str, float, float]]:
        starts, lengths = draw.uniform(0, 90, count), draw.uniform(1, 10, count)
        own = draw.integers(CLASSES, size=count)
        return [(f"c{a}", float(s), float(s + d)) for a, s, d in zip(own, starts, lengths, strict=True)]

    videos, answers = [], []
    for index in range(VIDEOS):
        actions = tuple(LabelledSpan(*span) for span in spans(ACTIONS))
        videos.append(ActionVideo(f"v{index}", "test", 100.0, actions, actions, ()))
        moments = [Moment(start, end, float(draw.uniform()), label=label) for label, start, end in spans(detections)]
        answers.append(Answer(f"v{index}", "", 0.0, "", tuple(sorted(moments, key=lambda moment: -moment.score))))
    return videos, answers


def plain(videos: Sequence[ActionVideo], answers: Sequence[Answer]) -> list[float]:
    """Mean average precision at each IoU, as the protocol words it."""
    return [
        sum(_average_precision(videos, answers, f"c{index}", least) for index in range(CLASSES)) / CLASSES
        for least in IOUS
    ]


def _average_precision(videos: Sequence[ActionVideo], answers: Sequence[Answer], label: str, least: float) -> float:
    flagged, truths = [], 0
    for video, answer in zip(videos, answers, strict=True):
        own = [moment for moment in answer.moments if moment.label == label]
        right = [False] * len(own)
        for action in video.annotated:
            if action.label != label:
                continue
            truths += 1
            best, at = least, None
            for place, moment in enumerate(own):
                shared = min(action.end_s, moment.end_s) - max(action.start_s, moment.start_s)
                union = max(action.end_s, moment.end_s) - min(action.start_s, moment.start_s)
                if not right[place] and shared / union > best:
                    best, at = shared / union, place
            if at is not None:
                right[at] = True
        flagged += [(moment.score, hit) for moment, hit in zip(own, right, strict=True)]
    total, hits = 0.0, 0
    for rank, (_, hit) in enumerate(sorted(flagged, key=lambda pair: -pair[0]), start=1):
        hits += hit
        total += hit * hits / rank
    return total / truths


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--detections", type=int, default=200, help="in each video")
    videos, answers = drawn(parser.parse_args().detections)
    start = time.perf_counter()
    found = mean_average_precisions(videos, answers)
    ours_s = time.perf_counter() - start
    start = time.perf_counter()
    expected = plain(videos, answers)
    plain_s = time.perf_counter() - start
    start = time.perf_counter()
    evaluate_detections("thumos14", videos, answers)
    intervals_s = time.perf_counter() - start
    means = [found[f"map,iou={least}"] for least in IOUS]
    assert np.allclose(means, expected), (means, expected)
    print(f"means: {ours_s:.2f} s, plain loops {plain_s:.2f} s ({plain_s / ours_s:.1f}x)")
    print(f"with intervals over videos: {intervals_s:.2f} s")


if __name__ == "__main__":
    main()
