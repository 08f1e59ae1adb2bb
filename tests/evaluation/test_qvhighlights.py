"""QVHighlights' metrics against loops written from the kit's definition, and cases by hand."""

from __future__ import annotations

import numpy as np
import pytest

from asst.data.record import Record
from asst.evaluation.qvhighlights import highlight_values, moment_precisions
from asst.evaluation.scoring import evaluate
from asst.moments import Answer, Curve, Moment

Span = tuple[float, float]


def slow_iou(a: Span, b: Span) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / ((a[1] - a[0]) + (b[1] - b[0]) - shared)


def slow_precision(spans: list[Span], truths: list[Span], least: float) -> float:
    """The area under precision that is raised from the right, a step of recall at a time."""
    free, right = list(range(len(truths))), []
    for span in spans[:10]:
        fits = sorted((slow_iou(span, truths[truth]), -truth) for truth in free)
        right.append(bool(fits) and fits[-1][0] >= least)
        if right[-1]:
            free.remove(-fits[-1][1])
    precision = [sum(right[: k + 1]) / (k + 1) for k in range(len(right))]
    return sum(max(precision[k:]) for k in range(len(right)) if right[k]) / len(truths)


def test_average_precision_equals_a_loop() -> None:
    draw = np.random.default_rng(0)
    asked, found = [], []
    for _ in range(40):
        truths = np.sort(draw.integers(0, 20, (draw.integers(1, 5), 2)), axis=1) + np.array([0.0, 1.0])
        near = truths[draw.integers(0, len(truths), draw.integers(0, 14))] + draw.integers(-1, 2, 1)
        found.append(np.maximum(near, np.array([0.0, near.min(initial=0.0) + 0.5])))
        asked.append(truths)
    values = moment_precisions(found, asked)
    for query, (spans, truths) in enumerate(zip(found, asked, strict=True)):
        own = [tuple(span) for span in spans.tolist()], [tuple(span) for span in truths.tolist()]
        each = [slow_precision(*own, round(0.5 + 0.05 * step, 2)) for step in range(10)]
        assert values["map"][query] == pytest.approx(np.mean(each))
        assert (values["map,iou=0.5"][query], values["map,iou=0.75"][query]) == pytest.approx((each[0], each[5]))


def test_average_precision_by_length_counts_the_truths_of_that_length_alone() -> None:
    truths = [np.array([[0.0, 10.0], [20.0, 40.0]]), np.array([[0.0, 30.0]])]
    found = [np.array([[20.0, 40.0], [0.0, 10.0]]), np.array([[0.0, 30.0], [50.0, 60.0]])]
    values = moment_precisions(found, truths)
    # The span of 20 s is a wrong one among the short.
    assert values["map,short"].tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    assert values["map,middle"].tolist() == [1, 1]
    assert "map,long" not in values
    records, answers = [], []
    for sentence, ranked, own in zip(("a dog", "a cat"), found, truths, strict=True):
        moments = tuple((start, end) for start, end in own.tolist())
        records.append(Record(sentence, "v", "val", sentence, 60.0, moments, moments))
        best = tuple(Moment(start, end, 0.9 - 0.1 * i) for i, (start, end) in enumerate(ranked.tolist()))
        answers.append(Answer("v", sentence, 60.0, "m", best))
    assert evaluate("qvhighlights", records, answers).metrics["map,short"].mean == pytest.approx(0.5)


def query(duration_s: float, clips: list[int], scores: list[list[int]]) -> Record:
    extra = {"relevant_clip_ids": clips, "saliency_scores": scores}
    return Record("1", "v", "val", "a dog", duration_s, ((0.0, 2.0),), ((0.0, 2.0),), extra)


def saliency(*scores: float) -> Curve:
    return Curve(np.arange(len(scores), dtype=np.float64) * 2 + 1, np.array(scores, dtype=np.float64))


def test_highlights_by_hand() -> None:
    # Of four clips the second is a highlight to one annotator, it and the fourth to another, none to the third.
    record = query(8.0, [1, 3], [[4, 4, 3], [3, 4, 0]])
    found = highlight_values([record] * 4, [saliency(*own) for own in ((0, 3, 2, 1), (9, 3, 2, 1), (1, 1, 1, 1), (5,))])
    # Ranks 1 | 1 and 3; 2 | 2 and 4; all equal: one recall each; what is not predicted scores zero, and equals.
    assert found["hl-map"].tolist() == pytest.approx(
        np.array([1 + (1 + 2 / 3) / 2, 1 / 2 + 1 / 2, 1 / 4 + 2 / 4, 1 / 4 + 2 / 4]) / 3
    )
    assert found["hit@1"].tolist() == [1, 0, 0, 0]


def test_a_video_all_or_none_of_which_is_a_highlight() -> None:
    every, none = query(4.0, [0, 1], [[4, 4, 4]] * 2), query(4.0, [0], [[3, 3, 3]])
    found = highlight_values([every, none, every], [saliency(1, 2), saliency(1, 2), saliency(0, 0, 7)])
    assert (found["hl-map"].tolist(), found["hit@1"].tolist()) == ([1, 0, 1], [1, 0, 0])


def test_scores_of_clips_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match="scores of 1 clips in 2"):
        highlight_values([query(4.0, [2], [[4, 4, 4]])], [saliency(1, 2)])
    bare = Record("1", "v", "val", "a dog", 4.0, ((0.0, 2.0),), ((0.0, 2.0),))
    with pytest.raises(ValueError, match="no scores of clips"):
        highlight_values([bare], [saliency(1, 2)])


def slow_clip_precision(truth: list[bool], scores: list[float]) -> float:
    """The kit's: precision and recall at each threshold from the lowest up, precision made never to fall on the way."""
    if len(set(truth)) == 1:
        return float(truth[0])
    precision, recall = [], []
    for threshold in sorted(set(scores)):
        taken = [right for right, score in zip(truth, scores, strict=True) if score >= threshold]
        precision.append(sum(taken) / len(taken))
        recall.append(sum(taken) / sum(truth))
    recall.append(0.0)
    for place in range(1, len(precision)):
        precision[place] = max(precision[place - 1], precision[place])
    steps = [place for place in range(len(precision)) if recall[place] != recall[place + 1]]
    return sum(precision[place] for place in steps) / len(steps)


def test_precision_over_clips_equals_a_loop_over_thresholds() -> None:
    draw = np.random.default_rng(1)
    for _ in range(60):
        clips = int(draw.integers(1, 12))
        given = draw.integers(2, 5, (clips, 3))
        scores = draw.integers(0, 6, clips).astype(float)
        found = highlight_values([query(2.0 * clips, list(range(clips)), given.tolist())], [saliency(*scores)])
        each = [slow_clip_precision((own >= 4).tolist(), scores.tolist()) for own in given.T]
        assert found["hl-map"][0] == pytest.approx(np.mean(each))
        assert found["hit@1"][0] == (given[scores.argmax()] >= 4).any()
