"""Mean average precision against worked examples and a slow second implementation of each protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from asst.data import ACTION_DATASETS
from asst.data.actions import ActionVideo, LabelledSpan
from asst.data.record import Span
from asst.errors import InputError
from asst.evaluation.detection import (
    DETECTION_PROTOCOLS,
    detection_protocol,
    evaluate_detections,
    mean_average_precisions,
)
from asst.evaluation.detection_metrics import VideoCase, average_precisions, class_curve
from asst.evaluation.tables import paper_tables
from asst.moments import Answer, Moment

Found = tuple[str, float, float, float]


def truth(name: str, *actions: tuple[str, float, float], ignored: Sequence[Span] = ()) -> ActionVideo:
    spans = tuple(LabelledSpan(*action) for action in actions)
    return ActionVideo(name, "test", 100.0, spans, spans, tuple(ignored))


def found(name: str, *spans: Found) -> Answer:
    ranked = sorted(spans, key=lambda span: -span[3])
    return Answer(
        name, "", 0.0, "", tuple(Moment(start, end, score, label=label) for label, start, end, score in ranked)
    )


def slow_iou(a: Span, b: Span) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / (a[1] - a[0] + b[1] - b[0] - shared)


def slow_thumos(videos: Sequence[ActionVideo], answers: Sequence[Answer], label: str, least: float) -> float:
    """Video by video, truth by truth, as the data set's kit words it."""
    flagged: list[tuple[float, bool]] = []
    truths = 0
    for video, answer in zip(videos, answers, strict=True):
        spans = [(a.start_s, a.end_s) for a in video.annotated if a.label == label]
        truths += len(spans)
        own = sorted((m for m in answer.moments if m.label == label), key=lambda m: -m.score)
        free = [True] * len(own)
        for span in spans:
            best, at = least, None
            for place, moment in enumerate(own):
                overlap = slow_iou(span, (moment.start_s, moment.end_s))
                if free[place] and overlap > best:
                    best, at = overlap, place
            if at is not None:
                free[at] = False
        for place, moment in enumerate(own):
            touched = any(slow_iou(s, (moment.start_s, moment.end_s)) > 0 for s in video.ignored)
            if not free[place] or not touched:
                flagged.append((moment.score, not free[place]))
    flagged.sort(key=lambda pair: -pair[0])
    total, right = 0.0, 0
    for seen, (_, hit) in enumerate(flagged, start=1):
        right += hit
        total += right / seen if hit else 0.0
    return total / truths


def slow_activitynet(videos: Sequence[ActionVideo], answers: Sequence[Answer], label: str, least: float) -> float:
    """Over all detections of the data set at once, best first; the area under the raised curve."""
    spans = {v.video: [(a.start_s, a.end_s) for a in v.annotated if a.label == label] for v in videos}
    truths = sum(map(len, spans.values()))
    ranked = sorted(
        ((m.score, answer.video, m) for answer in answers for m in answer.moments if m.label == label),
        key=lambda entry: -entry[0],
    )
    taken: set[tuple[str, int]] = set()
    recalls, precisions, right = [0.0], [0.0], 0
    for seen, (_, name, moment) in enumerate(ranked, start=1):
        overlaps = [slow_iou(span, (moment.start_s, moment.end_s)) for span in spans[name]]
        for place in sorted(range(len(overlaps)), key=lambda i: -overlaps[i]):
            if overlaps[place] >= least and (name, place) not in taken:
                taken.add((name, place))
                right += 1
                break
        recalls.append(right / truths)
        precisions.append(right / seen)
    area = 0.0
    for place in range(1, len(recalls)):
        area += (recalls[place] - recalls[place - 1]) * max(precisions[place:])
    return area


halves = st.tuples(st.integers(0, 30), st.integers(1, 20)).map(lambda p: (p[0] / 2, (p[0] + p[1]) / 2))
labelled = st.tuples(st.sampled_from("ab"), halves)
# Scores that differ: how ties are broken is nobody's protocol.
videos_and_answers = st.lists(
    st.tuples(st.lists(labelled, max_size=4), st.lists(labelled, max_size=7), st.lists(halves, max_size=2)),
    min_size=1,
    max_size=4,
)


@given(videos_and_answers, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_both_protocols_equal_slow_second_implementations(
    drawn: list[tuple[list[tuple[str, Span]], list[tuple[str, Span]], list[Span]]], random: object
) -> None:
    count = sum(len(spans) for _, spans, _ in drawn)
    scores = list(np.random.default_rng(count).permutation(count) / (count + 1))
    videos, answers = [], []
    for place, (truths, spans, ignored) in enumerate(drawn):
        videos.append(truth(f"v{place}", *((label, *span) for label, span in truths), ignored=ignored))
        answers.append(found(f"v{place}", *((label, *span, float(scores.pop())) for label, span in spans)))
    labels = sorted({label for truths, _, _ in drawn for label, _ in truths})
    if not labels:
        with pytest.raises(InputError, match="no annotated action"):
            mean_average_precisions(videos, answers)
        return
    for name, slow in (("thumos14", slow_thumos), ("activitynet", slow_activitynet)):
        protocol = DETECTION_PROTOCOLS[name]
        fast = mean_average_precisions(videos, answers, protocol)
        each = [[slow(videos, answers, label, least) for label in labels] for least in protocol.ious]
        for least, own in zip(protocol.ious, each, strict=True):
            assert fast[f"map,iou={least:g}"] == pytest.approx(np.mean(own)), (name, least)
        assert fast["map"] == pytest.approx(np.mean(each))


@given(videos_and_answers, st.lists(st.integers(0, 4), min_size=4, max_size=4))
@settings(max_examples=150, deadline=None)
def test_a_video_that_is_drawn_several_times_is_as_so_many_alike(
    drawn: list[tuple[list[tuple[str, Span]], list[tuple[str, Span]], list[Span]]], times: list[int]
) -> None:
    """Against the slow implementations on a data set that holds the video as often, each time by another name."""
    count = sum(len(spans) for _, spans, _ in drawn)
    scores = list(np.random.default_rng(count).permutation(count) / (count + 1))
    cases, videos, answers = [], [], []
    for place, (truths, spans, ignored) in enumerate(drawn):
        own = [(*span, float(scores.pop())) for _, span in spans]
        wanted = np.array([span for _, span in truths]).reshape(-1, 2)
        rows = np.array(own).reshape(-1, 3)
        cases.append(VideoCase(wanted, rows[:, :2], rows[:, 2], np.array(ignored).reshape(-1, 2)))
        for copy in range(times[place]):
            videos.append(truth(f"v{place}.{copy}", *(("a", *span) for _, span in truths), ignored=ignored))
            answers.append(found(f"v{place}.{copy}", *(("a", *row) for row in own)))
    assume(any(len(case.truths) for case in cases))
    for name, slow in (("thumos14", slow_thumos), ("activitynet", slow_activitynet)):
        protocol = DETECTION_PROTOCOLS[name]
        if not protocol.ambiguous:
            cases = [replace(case, ignored=np.zeros((0, 2))) for case in cases]
        curve = class_curve(cases, protocol.ious, protocol.matching)
        (fast,) = average_precisions(curve, envelope=protocol.envelope, weights=[times[: len(cases)]])
        if any(len(video.annotated) for video in videos):
            assert fast == pytest.approx([slow(videos, answers, "a", least) for least in protocol.ious]), name
        else:
            assert np.isnan(fast).all()


ONE = truth("v", ("dive", 10, 20), ("dive", 30, 40), ("dive", 50, 60), ignored=[(70.0, 80.0)])
ANSWER = found("v", ("dive", 10, 20, 0.9), ("dive", 82, 90, 0.8), ("dive", 30, 36, 0.7), ("dive", 75, 85, 0.6))


def test_a_worked_example() -> None:
    """Ranks: right, wrong, right at IoU 0.6 only below it, ignored; one of three truths is missed."""
    scores = mean_average_precisions([ONE], [ANSWER])
    assert scores["map,iou=0.5"] == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert scores["map,iou=0.6"] == pytest.approx((1 / 1) / 3)  # 0.6 is reached and not exceeded
    assert scores["map"] == pytest.approx((3 * (1 + 2 / 3) / 3 + 2 * (1 / 3)) / 5)


def test_activitynet_reaches_its_threshold_raises_precision_and_ignores_nothing() -> None:
    protocol = detection_protocol("activitynet")
    scores = mean_average_precisions([ONE], [ANSWER], protocol)
    assert scores["map,iou=0.6"] == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert list(scores)[:-1] == [f"map,iou={0.5 + 0.05 * i:.2f}".rstrip("0") for i in range(10)]
    late = found("v", ("dive", 82, 90, 0.9), ("dive", 10, 20, 0.8), ("dive", 30, 40, 0.7))
    assert mean_average_precisions([ONE], [late], protocol)["map"] == pytest.approx((2 / 3 + 2 / 3) / 3)
    assert mean_average_precisions([ONE], [late])["map"] == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_a_second_detection_of_one_truth_is_wrong() -> None:
    twice = found("v", ("dive", 10, 20, 0.9), ("dive", 10, 20, 0.8), ("dive", 30, 40, 0.7))
    assert mean_average_precisions([ONE], [twice])["map"] == pytest.approx((1 + 2 / 3) / 3)


def test_the_mean_is_over_the_classes_that_are_annotated() -> None:
    videos = [truth("v", ("a", 0, 10)), truth("w", ("b", 0, 10))]
    answers = [found("v", ("a", 0, 10, 0.5), ("c", 0, 10, 0.9))]
    result = evaluate_detections("actions", videos, answers)
    assert result.in_per_cent()["map,iou=0.3"] == 50.0
    assert result.classes == {
        "a": dict.fromkeys([f"map,iou={i}" for i in (0.3, 0.4, 0.5, 0.6, 0.7)], 1.0),
        "b": dict.fromkeys([f"map,iou={i}" for i in (0.3, 0.4, 0.5, 0.6, 0.7)], 0.0),
    }


def test_spans_past_the_end_count_as_published() -> None:
    cut = ActionVideo("v", "test", 15.0, (LabelledSpan("a", 10, 15),), (LabelledSpan("a", 10, 20),))
    assert mean_average_precisions([cut], [found("v", ("a", 10, 15, 0.9))])["map,iou=0.5"] == 0.0


def test_intervals_hold_the_mean_and_shrink_with_more_videos() -> None:
    draw = np.random.default_rng(0)

    def width(count: int) -> float:
        videos = [truth(f"v{i}", ("a", 0, 10)) for i in range(count)]
        answers = [found(f"v{i}", ("a", 0, float(draw.uniform(2, 10)), float(draw.uniform()))) for i in range(count)]
        interval = evaluate_detections("actions", videos, answers).metrics["map,iou=0.5"]
        assert interval.low <= interval.mean <= interval.high
        return interval.high - interval.low

    assert width(160) < 0.6 * width(16)


def test_unknown_and_repeated_videos_are_refused() -> None:
    with pytest.raises(InputError, match="no annotation for 1 video: w"):
        mean_average_precisions([ONE], [found("w")])
    with pytest.raises(InputError, match="v has two lines"):
        mean_average_precisions([ONE], [found("v"), found("v")])
    with pytest.raises(InputError, match="no protocol of detection 'coco'"):
        detection_protocol("coco")


def test_table_8_of_the_paper_asks_for_these_metrics() -> None:
    (table,) = paper_tables([8])
    means = mean_average_precisions([ONE], [ANSWER])
    assert list(means) == [*table.metrics, "map"]
    assert table.dataset in ACTION_DATASETS
    assert DETECTION_PROTOCOLS["thumos14"].headline in table.metrics
