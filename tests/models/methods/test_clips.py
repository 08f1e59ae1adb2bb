"""What a method sees of a clip, against loops over steps."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from asst.data.batch import Batch
from asst.models.methods.clips import (
    clip_grid,
    clips_or_first,
    endpoints,
    in_context,
    mean_pooled,
    sentence_mean,
    sliding_clips,
)


def slow_mean(rows: list[list[float]], start: float, end: float) -> list[float]:
    total, weight = [0.0] * len(rows[0]), 0.0
    for step, row in enumerate(rows):
        inside = max(0.0, min(end, step + 1) - max(start, step))
        weight += inside
        total = [sum_ + inside * value for sum_, value in zip(total, row, strict=True)]
    return [value / weight for value in total] if weight else total


def test_pooling_counts_a_step_by_the_part_of_it_inside_and_no_padding(seen: Batch) -> None:
    spans = torch.tensor([[0.0, 3.0], [2.25, 2.75], [1.5, 9.0], [6.5, 12.0], [-3.0, 0.0]])
    pooled = mean_pooled(seen.features, seen.feature_mask, spans)
    for row, window in enumerate(seen.windows):
        real = seen.features[row, : window.steps].tolist()
        for clip, (start, end) in enumerate(spans.tolist()):
            assert pooled[row, clip].tolist() == pytest.approx(slow_mean(real, start, end), abs=1e-5)


def test_a_clip_is_itself_and_the_whole_at_unit_length_and_its_place(seen: Batch) -> None:
    spans = torch.tensor([[0.0, 3.0], [1.0, 6.0]])
    found = in_context(seen.features, seen.feature_mask, spans)
    assert found.shape == (4, 2, 10)
    for row, window in enumerate(seen.windows):
        real = seen.features[row, : window.steps].tolist()
        whole = slow_mean(real, 0, window.steps)
        for clip, (start, end) in enumerate(spans.tolist()):
            inside = slow_mean(real, start, end)
            expected = [value / math.hypot(*inside) for value in inside]
            expected += [value / math.hypot(*whole) for value in whole]
            expected += [start / window.steps, end / window.steps]
            assert found[row, clip].tolist() == pytest.approx(expected, abs=1e-5)


def test_each_sample_may_have_spans_of_its_own(seen: Batch) -> None:
    own = seen.moments
    apart = [mean_pooled(seen.features[i : i + 1], seen.feature_mask[i : i + 1], own[i]) for i in range(4)]
    torch.testing.assert_close(mean_pooled(seen.features, seen.feature_mask, own), torch.cat(apart))
    assert endpoints(seen.feature_mask, own)[1, 0].tolist() == pytest.approx([2 / 9, 5 / 9])


def test_the_mean_of_a_sentence_leaves_padding_out(seen: Batch) -> None:
    found = sentence_mean(seen.words, seen.word_mask)
    assert found[0].tolist() == pytest.approx(seen.words[0, :2].mean(dim=0).tolist())


@given(
    st.integers(4, 60),
    # Far enough apart to be told from each other by their lengths.
    st.lists(st.integers(5, 800).map(lambda tenths: tenths / 10), min_size=1, max_size=3, unique=True),
    st.sampled_from([0.0, 0.5, 0.8]),
)
def test_sliding_clips_have_their_lengths_and_overlap_and_cover_the_window(
    steps: int, lengths: list[float], overlap: float
) -> None:
    found = sliding_clips(steps, tuple(lengths), overlap)
    fit = [length for length in sorted(lengths) if length <= steps]
    if not fit:
        assert found.tolist() == [[0.0, float(steps)]]
        return
    for length in fit:
        own = found[((found[:, 1] - found[:, 0]) - length).abs() < 1e-3]
        assert own[0, 0] == 0
        if len(own) > 1:
            assert (own[1:, 0] - own[:-1, 0]).tolist() == pytest.approx(
                [length * (1 - overlap)] * (len(own) - 1), abs=1e-3
            )
    assert float(found.max()) <= steps + 1e-3
    # The next of each length would reach past the end.
    shortest = found[((found[:, 1] - found[:, 0]) - fit[0]).abs() < 1e-3]
    assert float(shortest[-1, 1]) + fit[0] * (1 - overlap) > steps - 1e-2


def test_a_window_that_holds_no_clip_has_the_first_one() -> None:
    clips = torch.tensor([[0.0, 4.0], [2.0, 6.0]])
    mask = torch.tensor([[True] * 3 + [False] * 3, [True] * 4 + [False] * 2, [True] * 6])
    assert clips_or_first(clips, mask).tolist() == [[True, False], [True, False], [True, True]]


def test_the_pieces_are_didemos_clips() -> None:
    grid = clip_grid("pieces", 12)
    assert len(grid) == 21
    assert grid[0].tolist() == [0.0, 2.0]
    assert grid[-1].tolist() == [10.0, 12.0]
