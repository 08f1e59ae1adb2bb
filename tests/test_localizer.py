"""The product end to end: the packaged models on a real video, from Python and from the command line."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import asst
from asst.cli.app import app
from asst.errors import InputError
from asst.video import frames

PRESENT = [
    "a taxi sign on top of a car",
    "a cyclist in a helmet waits next to a van",
    "an old bicycle leans against a wall",
]
ABSENT = [
    "a penguin on the ice",
    "an elephant drinks water",
    "a chef flips a pancake",
    "a bowl of soup",
    "a jellyfish in the sea",
]
TAXI_SIGN_S = (2.2, 3.04)


def locate(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["locate", *map(str, words)])


def spans(moments: Sequence[asst.Moment]) -> list[tuple[float, float]]:
    return [(moment.start_s, moment.end_s) for moment in moments]


def overlaps(moment: asst.Moment, span_s: tuple[float, float]) -> bool:
    return moment.start_s < span_s[1] and moment.end_s > span_s[0]


def test_sentences_that_apply_are_found_where_they_apply(localizer: asst.Localizer, street: Path) -> None:
    told: list[tuple[float, float]] = []
    answers = localizer.answer(street, PRESENT, top=3, progress=lambda *seconds: told.append(seconds))
    assert [answer.query for answer in answers] == PRESENT
    assert overlaps(answers[0].moments[0], TAXI_SIGN_S)
    for answer in answers:
        assert (answer.video, answer.model) == (str(street), "default")
        assert answer.duration_s == pytest.approx(10.0)
        assert 1 <= len(answer.moments) <= 3
        assert answer.best_score == answer.moments[0].score
        assert answer.threshold is not None
        assert answer.moments[0].score >= answer.threshold
        assert answer.curve is not None
        assert len(answer.curve.times_s) == 20
        for moment in answer.moments:
            assert 0 <= moment.start_s < moment.end_s <= answer.duration_s
            assert (moment.query, moment.video) == (answer.query, str(street))
    assert list(told[-1]) == pytest.approx([10.0, 10.0])


def test_sentences_that_apply_nowhere_are_not_found(localizer: asst.Localizer, street_features: asst.Features) -> None:
    answers = localizer.answer(street_features, [*PRESENT, *ABSENT])
    scores = [answer.best_score for answer in answers]
    assert None not in scores
    least_present = min(score for score in scores[: len(PRESENT)] if score is not None)
    for answer in answers[len(PRESENT) :]:
        assert answer.moments == ()
        assert answer.best_score is not None
        assert answer.best_score < least_present / 3
        assert answer.weaker[0].score == answer.best_score


def test_features_are_what_a_file_gives_and_can_be_asked_again(
    localizer: asst.Localizer, street: Path, street_features: asst.Features
) -> None:
    from_file = localizer.locate(street, PRESENT)
    from_features = localizer.locate(street_features, PRESENT)
    assert [spans(moments) for moments in from_features] == [spans(moments) for moments in from_file]
    assert all(moment.video is None for moments in from_features for moment in moments)
    assert localizer.answer(street_features, PRESENT[:1])[0].video == ""
    again = localizer.locate(street_features, PRESENT[1:2])
    assert spans(again[0]) == spans(from_features[1])


def test_frames_in_memory_answer_as_the_file_does(
    localizer: asst.Localizer, street: Path, street_features: asst.Features
) -> None:
    batches = frames(street, rate=8.0, short_side=256)
    in_memory = localizer.answer(batches, PRESENT)
    from_file = localizer.answer(street_features, PRESENT)
    # Cuts are known to a frame of what is given, here an eighth of a second.
    for one, other in zip(in_memory, from_file, strict=True):
        assert spans(one.moments)[0] == pytest.approx(spans(other.moments)[0], abs=1 / 8)
    assert {answer.duration_s for answer in in_memory} == {10.0}


@pytest.mark.parametrize("top", [1, 4])
def test_no_more_moments_come_than_are_asked_for(
    localizer: asst.Localizer, street_features: asst.Features, top: int
) -> None:
    answers = localizer.answer(street_features, PRESENT, top=top)
    assert all(1 <= len(answer.ranked) <= top for answer in answers)
    assert max(len(answer.ranked) for answer in answers) == top


def test_evaluation_sees_moments_that_do_not_convince(
    localizer: asst.Localizer, street_features: asst.Features
) -> None:
    ranking = localizer.model.rank(street_features, ABSENT[:1], top=2)[0]
    assert len(ranking.ranked) == 2
    assert ranking.threshold is not None
    assert not ranking.moments


@pytest.mark.parametrize(
    ("queries", "how", "message"),
    [
        (["a dog", " \t"], {}, r"^an empty sentence describes nothing; give one with words in it$"),
        ([], {}, r"^an empty sentence"),
        (["a dog"], {"top": 0}, r"^top is 0; ask for at least one moment$"),
        (["a dog"], {"min_score": math.nan}, r"^min_score is no number; give the least score, or None"),
        ("dog", {}, r"^one sentence is not a list of them; give \['dog'\]$"),
        ([3], {}, r"^a sentence is text, not 3; give a list of texts$"),
    ],
)
def test_questions_that_make_no_sense_are_refused_before_the_video_is_read(
    localizer: asst.Localizer, tmp_path: Path, queries: Sequence[str], how: dict[str, Any], message: str
) -> None:
    with pytest.raises(asst.InputError, match=message):
        localizer.locate(tmp_path / "missing.mp4", queries, **how)


def test_features_that_are_not_finite_are_refused(localizer: asst.Localizer, street_features: asst.Features) -> None:
    vectors = street_features.vectors.copy()
    vectors[3, 1] = math.nan
    with pytest.raises(InputError, match=r"the features: step 3 \(1\.5 s\) of captions holds nan at number 1"):
        localizer.locate(replace(street_features, vectors=vectors), ["a taxi"])


def test_what_is_no_sentence_is_not_embedded(localizer: asst.Localizer) -> None:
    for wrong, message in (("a dog", "one sentence is not a list"), ([3], "a sentence is text, not 3")):
        with pytest.raises(asst.InputError, match=message):
            localizer.embed_sentences(cast(list[str], wrong))


def test_what_cannot_be_read_is_refused(localizer: asst.Localizer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"are a list with their times; give \[asst\.video\.Frames"):
        localizer.locate(np.zeros((2, 32, 32, 3), dtype=np.uint8), ["a dog"])
    with pytest.raises(asst.InputError, match=r"missing\.mp4"):
        localizer.locate(tmp_path / "missing.mp4", ["a dog"])
    with pytest.raises(asst.InputError, match="no frame"):
        localizer.locate([], ["a dog"])


def test_an_unknown_model_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(
        asst.InputError,
        match=r"^no model is called 'concept'; choose one of default, similarity, similarity-fast, clip, tinyclip, ",
    ):
        asst.load("concept")


def test_the_fast_model_finds_the_same_here_and_reads_the_features_of_the_other(
    street: Path, street_features: asst.Features
) -> None:
    fast = asst.load("similarity-fast")
    assert fast.name == "similarity-fast"
    found, absent = fast.locate(street, [PRESENT[0], ABSENT[0]], top=1)
    assert overlaps(found[0], TAXI_SIGN_S)
    assert absent == []
    assert fast.locate(street_features, PRESENT) == asst.load("similarity").locate(street_features, PRESENT)


def test_the_command_prints_the_documented_lines(street: Path) -> None:
    done = locate(street, PRESENT[0], ABSENT[0], "--json", "--top", "2")
    assert (done.exit_code, done.stderr) == (0, "")
    found, absent = (json.loads(line) for line in done.stdout.splitlines())
    assert list(found) == list(absent) == ["video", "query", "duration_s", "model", "found", "moments", "understood"]
    assert (found["video"], found["query"], found["model"]) == (str(street), PRESENT[0], "default")
    assert found["duration_s"] == pytest.approx(10.0)
    assert (found["found"], absent["found"]) == (True, False)
    assert len(found["moments"]) == len(absent["moments"]) == 2
    for moment in found["moments"]:
        assert list(moment) == ["start_s", "end_s", "score", "confidence"]
        assert 0 <= moment["start_s"] < moment["end_s"] <= found["duration_s"]
        assert 0 < moment["score"] < 1
    best = found["moments"][0]
    assert overlaps(asst.Moment(best["start_s"], best["end_s"]), TAXI_SIGN_S)


def test_the_command_says_by_its_exit_code_that_nothing_was_found(street: Path) -> None:
    done = locate(street, ABSENT[0], "--json", "--model", "similarity-fast")
    assert (done.exit_code, done.stderr) == (1, "")
    assert json.loads(done.stdout)["found"] is False


def test_a_least_score_of_ones_own_decides_what_is_found(street: Path) -> None:
    strict = locate(street, PRESENT[0], "--json", "--min-score", "0.999", "--model", "similarity-fast")
    lax = locate(street, ABSENT[0], "--json", "--min-score", "0", "--model", "similarity-fast")
    assert (strict.exit_code, lax.exit_code) == (1, 0)
    assert [json.loads(done.stdout)["found"] for done in (strict, lax)] == [False, True]


def test_moments_of_features_end_with_the_video(localizer: asst.Localizer, make: Callable[..., Path]) -> None:
    """The last step, of half a second, reaches past the end at 2.4 s."""
    video = make("s.mp4")
    features = localizer.features(video)
    assert features.end_s == 2.5
    (answer,) = localizer.answer(features, ["bars"], min_score=0.0)
    assert answer.duration_s == pytest.approx(2.4)
    assert max(moment.end_s for moment in answer.moments) == pytest.approx(2.4)
    assert repr(answer.curve) == "Curve(5 instants)"
