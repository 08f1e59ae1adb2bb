"""Proposals against their definition, counted out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.models.zeroshot.proposals import proposals

VIDEOS = st.integers(1, 120).flatmap(
    lambda ticks: st.tuples(st.just(ticks), st.sets(st.integers(0, ticks + 3), max_size=14).map(sorted))
)


def expected(ticks: int, cuts: list[int]) -> set[tuple[int, int, int, int]]:
    """Runs of one to eight shots, and windows of two thirds, four ninths, ... of a shot, a quarter of theirs apart."""
    bounds = [0, *(cut for cut in cuts if 0 < cut < ticks), ticks]
    found = set()
    for i, start in enumerate(bounds):
        for end in bounds[i + 1 : i + 9]:
            found.add((start, end, start, end))
    for start, end in pairwise(bounds):
        length = (end - start) / 1.5
        while length >= 4:
            k = 0
            while start + k * max(1.0, length / 4) + length <= end + 1e-9:
                first = start + k * max(1.0, length / 4)
                found.add((round(first), min(end, round(first + length)), start, end))
                k += 1
            length /= 1.5
    return found


@given(VIDEOS)
def test_proposals_are_those_of_the_definition(video: tuple[int, list[int]]) -> None:
    ticks, cuts = video
    found = proposals(ticks, cuts)
    rows = [tuple(row) for row in np.concatenate([found.spans, found.wholes], axis=1).tolist()]
    assert len(rows) == len(set(rows))
    assert set(rows) == expected(ticks, cuts)


@pytest.mark.parametrize(("ticks", "start"), [(7, 2), (15, 8), (17, 6), (17, 9), (50, 17), (50, 28)])
def test_the_last_window_of_a_length_ends_with_its_shot(ticks: int, start: int) -> None:
    """Its length is a fraction that floats do not hold exactly."""
    assert [start, ticks] in proposals(ticks, []).spans.tolist()


@given(VIDEOS)
def test_spans_lie_in_their_wholes_and_those_in_the_video(video: tuple[int, list[int]]) -> None:
    ticks, cuts = video
    found = proposals(ticks, cuts)
    spans, wholes = found.spans, found.wholes
    assert (spans[:, 0] < spans[:, 1]).all()
    assert (wholes[:, 0] >= 0).all()
    assert (wholes[:, 1] <= ticks).all()
    assert (spans[:, 0] >= wholes[:, 0]).all()
    assert (spans[:, 1] <= wholes[:, 1]).all()
    assert len(np.unique(spans, axis=0)) == len(spans)
    lengths, whole_lengths = np.diff(spans)[:, 0], np.diff(wholes)[:, 0]
    assert ((lengths < whole_lengths) == found.inside).all()
    assert (lengths[found.inside] >= 4).all()


def test_one_tick_is_one_proposal_and_long_runs_are_left_out() -> None:
    assert proposals(1, []).spans.tolist() == [[0, 1]]
    shots = proposals(20, range(2, 20, 2)).spans
    assert np.diff(shots).max() == 16
    assert [0, 18] not in shots.tolist()


@pytest.mark.parametrize("ticks", [5, 6])
def test_the_shortest_windows_are_a_second_long(ticks: int) -> None:
    assert proposals(ticks, []).inside.sum() == (0 if ticks == 5 else 3)
