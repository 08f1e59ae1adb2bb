"""Tapes: clips in a row, sentences that ask for them, and features that show them."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asst.errors import InputError
from asst.features.zeroshot.space import COSINE
from asst.models.zeroshot.model import SimilarityModel
from asst.simulate.tapes.plan import STEPS_MOST, Plan, Planner, TapeSettings
from asst.simulate.tapes.tapes import Clip, TapeMaker

from ...tapes import tape_maker

SENTENCES = [[f"thing {i} moves", f"there moves thing {i}."] for i in range(40)]


def planner(**settings: float) -> Planner:
    def pick(source: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
        return source.choice(len(SENTENCES), count, replace=False)

    return Planner(SENTENCES, pick, TapeSettings(**settings))


def plans_of(kind: str, **settings: float) -> list[Plan]:
    only = {name: float(name == kind) for name in ("ordinals", "relations", "sequences")}
    return [planner(**only, **settings).draw(np.random.default_rng(seed)) for seed in range(60)]


def number(text: str) -> int:
    """Of the thing that a clause tells of."""
    (found,) = re.findall(r"thing (\d+)", text)
    return int(found)


@given(st.integers(0, 2**31))
def test_plans_hold_together(seed: int) -> None:
    plan = planner().draw(np.random.default_rng(seed))
    assert 1 <= plan.steps <= STEPS_MOST
    ends = [own.span[1] for own in plan.shown]
    assert [own.span[0] for own in plan.shown] == [0, *ends[:-1]]
    assert all(own.span[0] < own.span[1] for own in plan.shown)
    spans = {own.span for own in plan.shown}
    assert plan.questions
    for question in plan.questions:
        assert set(question.rivals) <= spans - {question.span}


def test_an_ordinal_counts_the_times_of_its_clip_each_with_other_frames_first() -> None:
    seen = set()
    for plan in plans_of("ordinals"):
        for question in plan.questions:
            (named,) = re.findall("first|second|third|last", question.query)
            own = [shown for shown in plan.shown if shown.clip == number(question.query)]
            assert [shown.time for shown in own] == list(range(len(own)))
            assert len(own) >= 2
            assert question.span == own[{"first": 0, "second": 1, "third": 2, "last": -1}[named]].span
            seen.add(named)
    assert seen == {"first", "second", "third", "last"}


def test_a_relation_tells_which_side_of_the_other_clip_is_meant() -> None:
    for plan in plans_of("relations"):
        for question in plan.questions:
            word = "before" if "before" in question.query else "after"
            leading = question.query.startswith(word)
            parts = question.query.removeprefix(word).split("," if leading else f" {word} ")
            wanted, other = map(number, reversed(parts) if leading else parts)
            (middle,) = [shown.span for shown in plan.shown if shown.clip == other]
            own = {shown.span for shown in plan.shown if shown.clip == wanted}
            assert own == {question.span, *question.rivals}
            assert (question.span[1] <= middle[0]) is (word == "before")


def test_a_sequence_asks_for_two_neighbours_together() -> None:
    for plan in plans_of("sequences"):
        span_of = {shown.clip: shown.span for shown in plan.shown}
        for question in plan.questions:
            one, two = (span_of[int(found)] for found in re.findall(r"thing (\d+)", question.query))
            assert one[1] == two[0]
            assert (question.span, question.rivals) == ((one[0], two[1]), (one, two))


def test_words_of_order_beyond_the_tape_leave_the_clip_as_it_is() -> None:
    for plan in plans_of("none", beyond=1.0):
        for question in plan.questions:
            assert re.search(r"before|after|the (first|second|third) time", question.query)
            named = {int(found) for found in re.findall(r"thing (\d+)", question.query)}
            assert question.span in {shown.span for shown in plan.shown if shown.clip in named}


def test_what_is_asked_for_is_where_it_is_seen(similarity: SimilarityModel) -> None:
    quiet = TapeSettings(ordinals=0, relations=0, sequences=0, beyond=0, cut=1, cuts_seen=1, cuts_false=0, drift=0.2)
    maker = tape_maker(similarity, quiet)
    ahead = []
    for i in range(6):
        tape = maker.tape(i)
        starts = [question.span[0] * tape.features.step_s for question in tape.questions]
        # Every clip begins where a cut is detected; clips of two frames may have one more.
        assert set(starts[1:]) <= set(tape.features.cuts_s.tolist())
        found = similarity.reader(tape.features, [question.query for question in tape.questions])
        for question, evidence in zip(tape.questions, found, strict=True):
            cosines = evidence.scores[COSINE]
            ahead.append(cosines[slice(*question.span)].mean() > cosines.mean())
    assert np.mean(ahead) > 0.95


def test_neighbouring_steps_of_a_clip_differ_as_the_settings_say(similarity: SimilarityModel) -> None:
    def turns(**settings: float) -> float:
        still = TapeSettings(**{"alike": 0.0, "changes": 0.0, "cut": 1.0, "spread": 0.0, **settings})
        tape = tape_maker(similarity, still).tape(0)
        cuts = np.round(tape.features.cuts_s / tape.features.step_s)
        steps = np.setdiff1d(np.arange(1, len(tape.features)), cuts)
        space = similarity.extractor.space
        seen = tape.features.vectors[:, : space.channels].astype(np.float32) - space.mean
        seen /= np.linalg.norm(seen, axis=1, keepdims=True)
        return float(np.median([seen[step] @ seen[step - 1] for step in steps]))

    assert turns(drift=0, white=0) > 0.999
    assert turns(drift=0.85, white=0) > turns(drift=0.85, white=0.45) > turns(drift=0.85, white=1)


def test_a_tape_is_the_same_whatever_else_is_made(similarity: SimilarityModel) -> None:
    one, two = tape_maker(similarity, TapeSettings()), tape_maker(similarity, TapeSettings())
    two.tape(0)
    first, second, other = one.tape(3), two.tape(3), tape_maker(similarity, TapeSettings(), seed=1).tape(3)
    np.testing.assert_array_equal(first.features.vectors, second.features.vectors)
    assert first.questions == second.questions != other.questions


def test_too_few_clips_are_said(similarity: SimilarityModel) -> None:
    space = similarity.extractor.space
    clips = [Clip((0,), ("a thing",))] * 25
    with pytest.raises(InputError, match="tapes need 20 clips with sentences, some of two frames, and there are 25, 0"):
        TapeMaker(clips, np.zeros((1, space.dimension), np.float16) + np.float16(1), space, TapeSettings())
