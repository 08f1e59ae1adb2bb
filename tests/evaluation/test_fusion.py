"""The algebra of late fusion, and weights that cross-validation finds."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.fusion import fit_weights, fuse
from asst.evaluation.scoring import evaluate
from asst.moments import Answer, Moment

SPANS = [(0.0, 5.0), (5.0, 10.0), (0.0, 10.0)]


def answer(scores: Sequence[float], video: str = "v", query: str = "a dog") -> Answer:
    moments = [Moment(*span, score) for span, score in zip(SPANS, scores, strict=True)]
    return Answer(video, query, 10.0, "m", tuple(sorted(moments, key=lambda moment: -moment.score)))


def scores(fused: Answer) -> dict[tuple[float, float], float]:
    return {(moment.start_s, moment.end_s): moment.score for moment in fused.moments}


def test_a_worked_example() -> None:
    (fused,) = fuse([[answer([0.5, 0.3, 0.1])], [answer([0.0, 0.1, 0.6])], [answer([0.2, 0.2, 0.0])]], [1, 2, 2.5])
    assert scores(fused) == pytest.approx({(0.0, 5.0): 1.0, (5.0, 10.0): 1.0, (0.0, 10.0): 1.3})
    assert fused.moments[0].start_s == 0.0
    assert fused.moments[0].end_s == 10.0
    assert (fused.video, fused.query, fused.duration_s) == ("v", "a dog", 10.0)


three = st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=3, max_size=3)
weight = st.sampled_from([0.5, 1.0, 2.0])


@given(three, three, weight, weight)
def test_fusion_is_linear_symmetric_and_ranked(one: list[float], two: list[float], w: float, v: float) -> None:
    (fused,) = fuse([[answer(one)], [answer(two)]], [w, v])
    (turned,) = fuse([[answer(two)], [answer(one)]], [v, w])
    (doubled,) = fuse([[answer(one)], [answer(two)]], [2 * w, 2 * v])
    assert scores(fused) == {span: w * a + v * b for span, a, b in zip(SPANS, one, two, strict=True)}
    assert scores(turned) == scores(fused)
    assert [(m.start_s, m.end_s) for m in doubled.moments] == [(m.start_s, m.end_s) for m in fused.moments]
    ranked = [moment.score for moment in fused.moments]
    assert ranked == sorted(ranked, reverse=True)


def test_one_system_counts_alone_where_the_other_has_no_weight() -> None:
    first, second = answer([0.1, 0.2, 0.3]), answer([0.9, 0.2, 0.1])
    (fused,) = fuse([[first], [second]], [0, 1])
    assert [(m.start_s, m.end_s) for m in fused.moments] == [(m.start_s, m.end_s) for m in second.moments]


def test_sentences_are_matched_by_name_and_keep_the_first_systems_order() -> None:
    one = [answer([1, 0, 0], query="a"), answer([0, 1, 0], query="b")]
    two = [answer([0, 0, 1], query="b"), answer([1, 0, 0], query=" a ")]
    fused = fuse([one, two], [1, 1])
    assert [each.query for each in fused] == ["a", "b"]
    assert scores(fused[1]) == {SPANS[0]: 0.0, SPANS[1]: 1.0, SPANS[2]: 1.0}


def test_other_spans_or_sentences_are_refused() -> None:
    whole = answer([0.1, 0.2, 0.3])
    fewer = Answer("v", "a dog", 10.0, "m", whole.moments[1:])
    shifted = Answer("v", "a dog", 10.0, "m", (*whole.moments[1:], Moment(0.0, 5.1, 0.3)))
    twice = Answer("v", "a dog", 10.0, "m", (*whole.moments, whole.moments[0]))
    for other in (fewer, shifted):
        with pytest.raises(InputError, match="v 'a dog': predictions 1 and 3 have different spans"):
            fuse([[whole], [whole], [other]], [1, 1, 1])
    with pytest.raises(InputError, match="different spans"):
        fuse([[twice], [whole]], [1, 1])
    more = [whole, answer([1, 1, 1], query="a cat")]
    for systems in ([[whole], more], [more, [whole]]):
        with pytest.raises(InputError, match=r"1 and 2 are not about the same sentences: .* 1 pair: v 'a cat'"):
            fuse(systems, [1, 1])


@pytest.mark.parametrize("weights", [[0, 0], [1, -1], [1, float("nan")], [1, float("inf")]])
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(InputError, match="weights are finite, 0 or more"):
        fuse([[answer([1, 0, 0])]] * 2, weights)
    with pytest.raises(InputError, match="2 predictions to fuse and 1 weights"):
        fuse([[answer([1, 0, 0])]] * 2, weights[:1])


def noisy(truths: Sequence[int], strength: float, seed: int) -> list[Answer]:
    draw = random.Random(seed)
    rows = [[draw.random() + strength * (place == truth) for place in range(3)] for truth in truths]
    return [answer(row, video=f"v{number // 2}", query=f"q{number}") for number, row in enumerate(rows)]


def case() -> tuple[list[Record], list[list[Answer]]]:
    truths = [random.Random(number).randrange(3) for number in range(120)]
    records = [
        Record(str(n), f"v{n // 2}", "val", f"q{n}", 10.0, (SPANS[truth],), (SPANS[truth],))
        for n, truth in enumerate(truths)
    ]
    return records, [noisy(truths, 0.0, 1), noisy(truths, 0.5, 2), noisy(truths, 0.5, 3)]


def test_the_search_prefers_systems_that_know_something_and_their_fusion_to_each() -> None:
    records, systems = case()
    found = fit_weights("jsonlines", records, systems)
    assert found.metric == "r@1,iou=0.5"
    assert sum(found.weights) == pytest.approx(1)
    assert found.weights[0] < min(found.weights[1:])
    assert found.cross_validated.mean > max(found.alone)
    for system, alone in zip(systems, found.alone, strict=True):
        assert evaluate("jsonlines", records, system).metrics[found.metric].mean == pytest.approx(alone)
    assert fit_weights("jsonlines", records, systems) == found


def test_the_weights_are_the_best_of_the_grid_on_all_queries() -> None:
    records, systems = case()
    found = fit_weights("jsonlines", records, systems[:2])
    means = {}
    for parts in range(21):
        fused = fuse(systems[:2], [parts, 20 - parts])
        means[parts / 20] = evaluate("jsonlines", records, fused).metrics[found.metric].mean
    best = [first for first, mean in means.items() if mean == max(means.values())]
    assert found.weights[0] == pytest.approx(min(best, key=lambda first: abs(first - 0.5)))
    assert found.weights[1] == pytest.approx(1 - found.weights[0])


def test_a_query_is_never_judged_with_weights_that_its_own_video_chose() -> None:
    """Two videos that each want another system: the other's choice is always wrong, the joint one half right."""
    good = [1.0, 0.0, 0.0]
    records = [Record(v, v, "val", "q", 10.0, (SPANS[0],), (SPANS[0],)) for v in ("a", "b")]
    one = [answer(good, "a", "q"), answer([0.0, 3.0, 0.0], "b", "q")]
    two = [answer([0.0, 3.0, 0.0], "a", "q"), answer(good, "b", "q")]
    found = fit_weights("jsonlines", records, [one, two], folds=2)
    assert found.alone == (0.5, 0.5)
    assert found.cross_validated.mean == 0.0


def test_fitting_needs_two_systems_and_two_videos() -> None:
    records, systems = case()
    with pytest.raises(InputError, match="two systems"):
        fit_weights("jsonlines", records, systems[:1])
    with pytest.raises(InputError, match="two videos"):
        fit_weights("jsonlines", records[:2], [system[:2] for system in systems])
    with pytest.raises(InputError, match="no annotation for"):
        fit_weights("jsonlines", records[:100], systems)


def test_more_systems_get_a_coarser_grid() -> None:
    records, systems = case()
    found = fit_weights("jsonlines", records[:8], [system[:8] for system in [*systems, systems[1]]])
    steps = np.array(found.weights) * 6
    np.testing.assert_allclose(steps, steps.round(), atol=1e-9)
