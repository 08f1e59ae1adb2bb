"""Each data set's protocol against loops that know nothing of the metrics module."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asst.data import ACTION_DATASETS, DATASETS
from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.detection import DETECTION_PROTOCOLS
from asst.evaluation.protocol import PROTOCOLS, protocol_of
from asst.moments import FloatArray

Span = tuple[float, float]

MOMENT_KEYS = [f"r@{n},iou={iou}" for n in (1, 5) for iou in (0.3, 0.5, 0.7)]
PIECES = [(5.0 * first, 5.0 * last + 5) for first in range(6) for last in range(first, 6)]


def record(
    *annotated: Span, duration_s: float = 30.0, moments: tuple[Span, ...] | None = None, sentence: str = "a dog"
) -> Record:
    return Record("1", "v", "test", sentence, duration_s, moments or annotated, annotated)


def spans(*given: Span) -> FloatArray:
    return np.array(given, dtype=np.float64).reshape(-1, 2)


def test_every_data_set_has_a_protocol() -> None:
    assert {entry.protocol for entry in DATASETS.values()} == set(PROTOCOLS)
    assert {entry.protocol for entry in ACTION_DATASETS.values()} <= set(DETECTION_PROTOCOLS)
    assert {name: protocol_of(name).headline for name in DATASETS} == {
        name: "rank@1" if name == "didemo" else "r@1,iou=0.5" for name in DATASETS
    }
    with pytest.raises(InputError, match="no protocol for a data set 'thumos'; there are didemo"):
        protocol_of("thumos")
    with pytest.raises(InputError, match="no protocol 'tall' for didemo; there is standard"):
        protocol_of("didemo", "tall")


def iou(a: Span, b: Span) -> float:
    shared = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / (a[1] - a[0] + b[1] - b[0] - shared)


half_seconds = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda p: (p[0] / 2, (p[0] + p[1]) / 2))


@given(
    st.lists(
        st.tuples(st.lists(half_seconds, max_size=7), st.lists(half_seconds, min_size=1, max_size=3)),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(sorted(set(DATASETS) - {"didemo"})),
    st.sampled_from(["standard", "tall"]),
)
@settings(max_examples=90)
def test_a_moment_protocol_equals_a_loop(
    answered: list[tuple[list[Span], list[Span]]], dataset: str, name: str
) -> None:
    records = [record(*truths) for _, truths in answered]
    values = protocol_of(dataset, name).values(records, [spans(*ranking) for ranking, _ in answered], more=True)
    more = ["map", "map,iou=0.5", "map,iou=0.75"] if dataset == "qvhighlights" else []
    # Of lengths that no query has there is nothing; `test_qvhighlights` has the others.
    more += [key for key in ("map,short", "map,middle", "map,long") if key in values]
    assert list(values) == [*MOMENT_KEYS, "miou", *(f"d{key}" for key in MOMENT_KEYS), *more]
    for query, (ranking, truths) in enumerate(answered):
        for least in (0.3, 0.5, 0.7):
            apart: list[Span] = []
            for span in ranking:
                if name == "standard" or all(iou(span, kept) <= least - 0.05 for kept in apart):
                    apart.append(span)
            best = [max(iou(span, truth) for truth in truths) for span in apart]
            for n in (1, 5):
                assert values[f"r@{n},iou={least}"][query] == any(value >= least for value in best[:n])
                kept = [
                    max(0, 1 - abs(span[0] - truth[0]) / 30) * max(0, 1 - abs(span[1] - truth[1]) / 30)
                    for span in apart[:n]
                    for truth in truths
                    if iou(span, truth) >= least
                ]
                assert values[f"dr@{n},iou={least}"][query] == pytest.approx(max(kept, default=0))
        assert values["miou"][query] == pytest.approx(best[0] if best else 0.0)


@given(
    st.lists(st.tuples(st.permutations(PIECES), st.lists(st.sampled_from(PIECES), min_size=1, max_size=6)), min_size=1)
)
@settings(max_examples=40)
def test_didemos_protocol_equals_a_loop_over_seconds(answered: list[tuple[list[Span], list[Span]]]) -> None:
    records = [record(*truths) for _, truths in answered]
    values = protocol_of("didemo").values(records, [spans(*ranking) for ranking, _ in answered])
    assert list(values) == ["rank@1", "rank@5", "miou"]
    for query, (ranking, truths) in enumerate(answered):
        ranks = sorted(ranking.index(truth) + 1 for truth in truths)[:3]
        ious = sorted(iou(ranking[0], truth) for truth in truths)[-3:]
        assert values["rank@1"][query] == (sum(ranks) / len(ranks) <= 1)
        assert values["rank@5"][query] == (sum(ranks) / len(ranks) <= 5)
        assert values["miou"][query] == pytest.approx(sum(ious) / len(ious))


def test_charades_sta_is_judged_by_the_files_span_and_the_others_by_the_span_in_the_video() -> None:
    past_the_end = record((10.0, 30.0), duration_s=20.0, moments=((10.0, 20.0),))
    ranking = [spans((10.0, 20.0))]
    found = {
        name: protocol_of(name).values([past_the_end], ranking)["miou"][0] for name in DATASETS if name != "didemo"
    }
    assert found.pop("charades_sta") == 0.5
    assert set(found.values()) == {1.0}


def test_a_span_the_file_has_backwards_is_judged_forwards() -> None:
    backwards = record((20.0, 10.0), moments=((10.0, 20.0),))
    assert protocol_of("charades_sta").values([backwards], [spans((10.0, 20.0))])["miou"].tolist() == [1.0]


def test_didemo_counts_the_annotators_that_agree_with_nobody() -> None:
    pieces = [(0.0, 5.0), (0.0, 5.0), (25.0, 30.0), (25.0, 30.0)]
    values = protocol_of("didemo").values([record(*pieces, moments=((0.0, 5.0),))], [spans(*PIECES)])
    # Of the four the three nearest count: ranks 1, 1 and 21, IoUs 1, 1 and 0.
    assert (values["rank@5"].tolist(), values["miou"].round(3).tolist()) == ([0.0], [0.667])


@pytest.mark.parametrize(
    "ranking",
    [PIECES[:-1], [*PIECES[:-1], PIECES[0]], [*PIECES, PIECES[0]], [span for span in PIECES if span[1] <= 25], []],
)
def test_didemo_refuses_a_ranking_that_is_not_each_candidate_once(ranking: list[Span]) -> None:
    good, bad = record((0.0, 5.0)), record((0.0, 5.0), sentence="a cat")
    with pytest.raises(InputError, match=r"v, 'a cat': DiDeMo's protocol ranks each of 21 clips once"):
        protocol_of("didemo").values([good, bad], [spans(*PIECES), spans(*ranking)])


def test_lists_of_different_lengths_are_a_fault() -> None:
    with pytest.raises(ValueError, match="1 queries and 0 rankings"):
        protocol_of("tacos").values([record((0.0, 5.0))], [])
