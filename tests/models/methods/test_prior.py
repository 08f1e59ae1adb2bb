"""The prior: what is frequent comes first, whatever is asked."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from asst.data.batch import Collate
from asst.data.record import Record
from asst.data.sample import Sample, Window
from asst.errors import InputError
from asst.evaluation.prior import fitted_prior
from asst.features.networks.none import placeholder_features
from asst.models.answers import query_answers, window_answers
from asst.models.frequency import clip_frequency, grid_spans, span_density
from asst.models.methods.prior import PriorMethod
from asst.models.trained.model import TrainedModel
from asst.moments import iou, piece_clips

from ...prior_checkpoint import save_prior

Span = tuple[float, float]


def record(*spans: Span, duration_s: float = 30.0) -> Record:
    return Record("1", "v", "train", "a dog jumps", duration_s, spans, spans)


def test_clips_are_counted_over_all_annotators() -> None:
    found = clip_frequency([record((0, 5), (0, 5), (0, 10)), record((25, 30))])
    expected = {(0, 0): 0.5, (0, 1): 0.25, (5, 5): 0.25}
    assert found.tolist() == [expected.get(clip, 0.0) for clip in piece_clips()]
    with pytest.raises(InputError, match=r"\(30.0, 35.0\) s is no clip of DiDeMo's; count with clips: density"):
        clip_frequency([record((30.0, 35.0), duration_s=40.0)])


def test_the_density_equals_a_loop() -> None:
    draw = np.random.default_rng(0)
    spans = np.sort(draw.random((3000, 2)), axis=1)
    at = grid_spans(4)
    found = span_density(spans, at, 0.1)
    for place in (0, 3, 9):
        slow = sum(
            math.exp(-((at[place, 0] - start) ** 2 + (at[place, 1] - end) ** 2) / 0.02) for start, end in spans.tolist()
        )
        whole = sum(
            math.exp(-((a - start) ** 2 + (b - end) ** 2) / 0.02)
            for a, b in at.tolist()
            for start, end in spans.tolist()
        )
        assert found[place] == pytest.approx(slow / whole)
    assert found.sum() == pytest.approx(1)


def test_didemos_prior_ranks_21_clips() -> None:
    prior = fitted_prior("didemo", [record((0, 5), (0, 5), (20, 30)), record((10, 15))])
    moments = prior.answers([record((0, 5))])[0].moments
    assert len({(moment.start_s, moment.end_s) for moment in moments}) == 21
    assert [(moment.start_s, moment.end_s, moment.score) for moment in moments[:3]] == [
        (0.0, 5.0, 0.5),
        (10.0, 15.0, 0.25),
        (20.0, 30.0, 0.25),
    ]


def test_elsewhere_places_are_shares_of_the_video_and_do_not_overlap_much() -> None:
    records = [record((0.0, 10.0), duration_s=20.0)] * 3 + [record((30.0, 40.0), duration_s=40.0)] * 2
    method = PriorMethod({"kernel": "gaussian", "steps": 16})
    method.fit(records, ())
    nothing, word = np.zeros((16, 1), np.float32), np.ones((1, 50), np.float32)
    batch = Collate(16)([Sample(0, Window(0.0, 1.0, 16), nothing, word, np.zeros((0, 2)))])
    (found,) = query_answers(
        window_answers([method.answers(batch)], [0], batch.windows), [16.0], relative=False, overlap=0.5, limit=2
    )
    assert found.spans_s.tolist() == [[0.0, 8.0], [12.0, 16.0]]
    (answer,) = fitted_prior("charades_sta", records).answers([record((1.0, 2.0), duration_s=100.0)])
    moments = answer.moments[:5]
    for moment in moments:
        hit = iou([[moment.start_s, moment.end_s]], [[0.0, 50.0], [75.0, 100.0]])[0] >= 0.5
        assert moment.score == pytest.approx(float(hit @ [0.6, 0.4]))
    assert moments[0].score == 0.6


def test_a_prior_is_a_checkpoint_like_any_other(tmp_path: Path) -> None:
    records = [record((3.0, 9.0)), record((2.0, 30.0)), record((0.0, 9.0))]
    save_prior(tmp_path / "prior.safetensors", records)
    loaded = TrainedModel.load([tmp_path / "prior.safetensors"])
    (ranking,) = loaded.rank(placeholder_features(50.0), ["a dog jumps"], top=25)
    (answer,) = fitted_prior("jsonlines", records).answers([record((3.0, 9.0), duration_s=50.0)])
    spans = [
        [(moment.start_s, moment.end_s, moment.score) for moment in own] for own in (ranking.moments, answer.moments)
    ]
    assert np.array(spans[0]) == pytest.approx(np.array(spans[1]))
    assert loaded.extractor.name == "none"


def test_it_refuses_what_it_cannot_have() -> None:
    with pytest.raises(InputError, match="bandwidth: Input should be greater than 0, not 0"):
        PriorMethod({"bandwidth": 0})
    with pytest.raises(InputError, match="clips: Input should be 'pieces' or 'density', not 'words'"):
        PriorMethod({"clips": "words"})
    with pytest.raises(InputError, match="prior: colour: no such setting; there are bandwidth"):
        PriorMethod({"colour": 1})
    with pytest.raises(InputError, match="no record to fit a prior on"):
        fitted_prior("tacos", [])
