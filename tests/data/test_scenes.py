"""Simulated scenes: sentences where their annotation has them, and features that show it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.data.simulate.plan import STEPS_MOST, Plan, Planner
from asst.data.simulate.scene_settings import SceneSettings
from asst.data.simulate.scenes import Scene, SceneSimulator
from asst.data.simulate.timelines import SOURCES, Event, Timeline, read_timelines
from asst.errors import InputError
from asst.features.values import Features
from asst.models.zeroshot import SimilarityModel

TIMELINES = [
    Timeline(30.0, (Event("A dog runs on the grass.", (0.0, 12.0)), Event("A man plays the piano.", (12.0, 30.0)))),
    Timeline(10.0, (Event("the ship sails", (2.0, 5.0)), Event("a cat sleeps on a sofa", (5.0, 6.0)))),
    Timeline(240.0, (Event("She cuts a lemon with a knife.", (100.0, 180.0)),)),
    Timeline(8.0, (Event("fireworks light up the sky", (0.0, 8.0)),)),
    Timeline(60.0, (Event("a train passes by", (20.0, 44.0)), Event("people dance in a hall", (40.0, 60.0)))),
]


@pytest.fixture(scope="module")
def model(similarity: SimilarityModel) -> SimilarityModel:
    return similarity


def simulator(model: SimilarityModel, seed: int = 0, **settings: float) -> SceneSimulator:
    return SceneSimulator(TIMELINES, model.reader.sentences, model.extractor.space, SceneSettings(**settings), seed)


@given(st.integers(0, 2**31))
def test_plans_hold_together(seed: int) -> None:
    plan = Planner(TIMELINES, SceneSettings()).draw(np.random.default_rng(seed))
    assert 1 <= plan.steps <= STEPS_MOST
    ends = [0, *(end for _, end in plan.pieces)]
    assert [first for first, _ in plan.pieces] == ends[:-1]
    assert list(plan.shots) == sorted(set(plan.shots))
    assert {first for first, _ in plan.pieces} <= set(plan.shots) <= set(range(plan.steps))
    assert plan.questions
    for occurrence in plan.occurrences:
        first, end = plan.pieces[occurrence.piece]
        assert first <= occurrence.span[0] <= occurrence.span[1] <= end
        assert (occurrence.span[0] < occurrence.span[1]) is occurrence.happens
    spans = {occurrence.span for occurrence in plan.occurrences if occurrence.happens}
    for question in plan.questions:
        assert set(question.spans) <= spans
        assert set(question.rivals) <= spans - set(question.spans)


def plans_of(kind: str) -> list[Plan]:
    only = {name: float(name == kind) for name in ("joined", "ordinals", "relations")}
    planner = Planner(TIMELINES, SceneSettings(**only))
    return [planner.draw(np.random.default_rng(seed)) for seed in range(60)]


def test_an_ordinal_counts_the_times_of_its_event() -> None:
    seen = set()
    for plan in plans_of("ordinals"):
        for question in plan.questions:
            (named,) = re.findall("first|second|third|last", question.query)
            times = sorted([*question.spans, *question.rivals])
            assert len(times) >= 2
            assert question.spans == (times[{"first": 0, "second": 1, "third": 2, "last": -1}[named]],)
            seen.add(named)
    assert seen == {"first", "second", "third", "last"}


def test_a_relation_tells_which_side_of_the_other_event_is_meant() -> None:
    for plan in plans_of("relations"):
        wanted, other = plan.occurrences[0].sentence, plan.occurrences[1].span
        for question in plan.questions:
            assert wanted.rstrip(".") in question.query
            (span,), (rival,) = question.spans, question.rivals
            before = re.search(r"\bbefore\b", question.query) is not None
            assert (span[1] <= other[0]) is before
            assert (rival[1] <= other[0]) is not before


def test_joined_scenes_may_tell_of_what_is_not_there() -> None:
    planner = Planner(TIMELINES, SceneSettings(joined=1.0, beyond=1.0))
    for seed in range(20):
        plan = planner.draw(np.random.default_rng(seed))
        happening, told = plan.occurrences[::2], plan.occurrences[1::2]
        assert not any(occurrence.happens for occurrence in told)
        for question, occurrence in zip(plan.questions, happening, strict=True):
            assert re.search("first|second|third|before|after", question.query)
            assert occurrence.sentence.rstrip(".") in question.query
            assert (question.spans, question.rivals) == ((occurrence.span,), ())


def test_timelines_keep_their_proportions() -> None:
    for plan in plans_of("none"):
        texts = tuple(occurrence.sentence for occurrence in plan.occurrences)
        (own,) = [t for t in TIMELINES if tuple(event.sentence for event in t.events) == texts]
        for event, occurrence in zip(own.events, plan.occurrences, strict=True):
            expected = np.array(event.span_s) / own.duration_s * plan.steps
            assert np.abs(np.array(occurrence.span) - expected).max() <= 1


def rise(model: SimilarityModel, scenes: Sequence[Scene]) -> npt.NDArray[np.float64]:
    """How far the match rises inside each answer, in standard deviations over the scene."""
    found = []
    for scene in scenes:
        evidence = model.reader(scene.features, [question.query for question in scene.questions])
        for i, question in enumerate(scene.questions):
            (first, end), curve = question.spans[0], evidence.matches[:, i]
            found.append((curve[first:end].mean() - curve.mean()) / curve.std())
    return np.array(found)


def test_what_is_said_is_seen_where_it_is_said(model: SimilarityModel) -> None:
    """Were the events not in the features, matches would rise by zero on average."""
    scenes = simulator(model, joined=1.0, ordinals=0.0, relations=0.0).scenes(0, 12)
    rises = rise(model, scenes)
    assert len(rises) > 40
    assert rises.mean() > 5 * rises.std() / np.sqrt(len(rises))
    unseen = rise(
        model, simulator(model, joined=1.0, ordinals=0.0, relations=0.0, topical=0.0, event=0.0).scenes(0, 12)
    )
    assert abs(unseen.mean()) < rises.mean() / 3


def test_a_shot_change_is_seen(model: SimilarityModel) -> None:
    joined = simulator(model, joined=1.0, ordinals=0.0, relations=0.0, cuts_false=0.0, cuts_seen=1.0)
    for scene in joined.scenes(0, 5):
        between = model.reader.sight(scene.features).between
        cuts = np.round(scene.features.cuts_s / scene.features.step_s).astype(int)
        changed = np.zeros(len(between), dtype=bool)
        changed[cuts - 1] = True
        assert between[changed].min() > np.quantile(between[~changed], 0.9)


def test_a_scene_depends_on_seed_and_number_alone(model: SimilarityModel) -> None:
    together = simulator(model).scenes(3, 3)
    alone = simulator(model).scenes(5, 1)[0]
    assert alone.questions == together[2].questions
    np.testing.assert_array_equal(alone.features.cuts_s, together[2].features.cuts_s)
    assert np.abs(alone.features.vectors.astype(float) - together[2].features.vectors.astype(float)).max() < 0.02
    other = simulator(model, seed=1).scenes(5, 1)[0]
    assert other.questions != alone.questions


def test_features_are_those_that_the_model_reads(model: SimilarityModel) -> None:
    (scene,) = simulator(model).scenes(0, 1)
    assert isinstance(scene.features, Features)
    (ranking,) = model.rank(scene.features, [scene.questions[0].query], top=1)
    assert ranking.moments
    assert (scene.features.vectors >= 0).all()


def test_annotation_that_is_not_here_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("ASST_DATA", str(tmp_path))
    monkeypatch.chdir(str(tmp_path))
    with pytest.raises(InputError, match="no annotation of activitynet_captions"):
        read_timelines()


def test_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="topic must be a number"):
        replace(SceneSettings(), topic="much")  # type: ignore[arg-type]


def test_real_annotation_becomes_timelines(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASST_DATA", str(shared_data))
    timelines = read_timelines((SOURCES[-1],))
    assert len(timelines) > 800
    assert sum(len(timeline.events) for timeline in timelines) > 4000
    for timeline in timelines:
        for event in timeline.events:
            assert 0 <= event.span_s[0] < event.span_s[1] <= timeline.duration_s
