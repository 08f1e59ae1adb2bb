"""Predictions meet their records by video and sentence, and become metrics with intervals."""

from __future__ import annotations

import random

import pytest

import asst
from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.matching import answers_of
from asst.evaluation.prior import fitted_prior
from asst.evaluation.scoring import Evaluation, evaluate
from asst.moments import Answer, Moment

Span = tuple[float, float]


def record(video: str, sentence: str, *spans: Span, number: int = 1) -> Record:
    return Record(f"{video}-{sentence}-{number}", video, "val", sentence, 20.0, spans, spans)


def answer(video: str, sentence: str, *spans: Span, score: float = 0.5) -> Answer:
    return Answer(video, sentence, 20.0, "model", tuple(Moment(*span, score) for span in spans))


RECORDS = [
    record("a", "a dog", (0.0, 10.0)),
    record("a", "a cat", (5.0, 10.0)),
    record("b", "a dog", (0.0, 4.0)),
]
ANSWERS = [
    answer("a", "a dog", (0.0, 5.0), (0.0, 10.0)),
    answer("a", "a cat", (0.0, 4.0)),
    answer("b", "a dog", (0.0, 4.0)),
]


def test_a_worked_example() -> None:
    found = asst.evaluate("tacos", RECORDS, ANSWERS)
    assert isinstance(found, Evaluation)
    means = {key: interval.mean for key, interval in found.metrics.items()}
    assert means == pytest.approx(
        {
            "r@1,iou=0.3": 2 / 3,
            "r@1,iou=0.5": 2 / 3,
            "r@1,iou=0.7": 1 / 3,
            "r@5,iou=0.3": 2 / 3,
            "r@5,iou=0.5": 2 / 3,
            "r@5,iou=0.7": 2 / 3,
            "miou": 1.5 / 3,
            "dr@1,iou=0.3": (0.75 + 1) / 3,
            "dr@1,iou=0.5": (0.75 + 1) / 3,
            "dr@1,iou=0.7": 1 / 3,
            "dr@5,iou=0.3": 2 / 3,
            "dr@5,iou=0.5": 2 / 3,
            "dr@5,iou=0.7": 2 / 3,
        }
    )
    # Drawing two videos of two gives a alone, b alone, or both.
    assert (found.metrics["miou"].low, found.metrics["miou"].high) == (0.25, 1.0)
    assert (found.queries, found.videos, found.split) == (3, 2, "val")
    figures = found.in_per_cent()
    assert (figures["miou"], figures["intervals"]["miou"]) == (50.0, {"low": 25.0, "high": 100.0})
    assert (figures["dataset"], figures["split"], figures["queries"]) == ("tacos", "val", 3)


def test_one_video_has_no_interval() -> None:
    figures = evaluate("tacos", RECORDS[:2], ANSWERS[:2]).in_per_cent()
    assert figures["intervals"]["miou"] == {"low": None, "high": None}


def test_order_white_space_and_equal_repeats_do_not_matter() -> None:
    spaced = answer("a", "  a\t dog ", (0.0, 5.0), (0.0, 10.0))
    answers = [spaced, *ANSWERS, *ANSWERS]
    random.Random(0).shuffle(answers)
    assert evaluate("tacos", RECORDS, answers) == evaluate("tacos", RECORDS, ANSWERS)


def test_one_prediction_answers_every_record_of_its_pair() -> None:
    twice = [record("a", "a dog", (0.0, 10.0)), record("a", "a dog", (10.0, 20.0), number=2)]
    found = evaluate("tacos", twice, [answer("a", "a dog", (0.0, 10.0))])
    assert (found.queries, found.metrics["r@1,iou=0.7"].mean) == (2, 0.5)


def test_a_prediction_without_moments_is_a_miss() -> None:
    found = evaluate("tacos", RECORDS, [answer("a", "a dog"), *ANSWERS[1:]])
    assert found.metrics["r@5,iou=0.3"].mean == pytest.approx(1 / 3)


def test_missing_and_unknown_pairs_are_counted_and_the_first_five_named() -> None:
    records = [record(f"v{number}", "a dog", (0.0, 5.0)) for number in range(8)]
    answers = [answer(f"v{number}", "a dog", (0.0, 5.0)) for number in range(8)]
    with pytest.raises(InputError) as missing:
        answers_of(records, answers[:1])
    assert str(missing.value) == (
        "of 8 pairs no prediction for 7 pairs: v1 'a dog', v2 'a dog', v3 'a dog', v4 'a dog', v5 'a dog', ...; "
        "predict every sentence"
    )
    with pytest.raises(InputError, match=r"no annotation for 1 pair: v7 'a dog'; is it the right data set and split"):
        answers_of(records[:7], answers)


@pytest.mark.parametrize("other", [answer("a", "a dog", (0.0, 6.0)), answer("a", "a  dog", (0.0, 5.0), score=0.4)])
def test_two_different_predictions_of_one_pair_are_refused(other: Answer) -> None:
    with pytest.raises(InputError, match=r"two different predictions for 1 pair: a 'a dog'"):
        answers_of([RECORDS[0]], [answer("a", "a dog", (0.0, 5.0)), other])


def test_a_video_is_known_by_its_files_name_where_that_is_one_videos() -> None:
    paths = {"a": "some/where/a.mp4", "b": "C:\\there\\b.mkv"}
    renamed = [answer(paths[own.video], own.query, *((m.start_s, m.end_s) for m in own.moments)) for own in ANSWERS]
    assert evaluate("tacos", RECORDS, renamed) == evaluate("tacos", RECORDS, ANSWERS)
    dotted = [record("x_0.0_30.0", "a dog", (0.0, 5.0)), record("x_0.0_30.5", "a dog", (0.0, 5.0))]
    found = answers_of(dotted, [answer(f"{own.video}.mp4", "a dog", (0.0, 5.0)) for own in dotted])
    assert [own.video for own in found] == ["x_0.0_30.0", "x_0.0_30.5"]
    # Of two files of one name neither is meant.
    same = [record("one/a.mp4", "a dog", (0.0, 5.0)), record("two/a.mp4", "a dog", (0.0, 5.0))]
    with pytest.raises(InputError, match=r"one names 'a.mkv', the annotation 'one/a.mp4'"):
        answers_of(same, [answer("a.mkv", "a dog", (0.0, 5.0))])


def test_the_prior_stands_beside() -> None:
    prior = fitted_prior("tacos", [record("c", "whatever", (0.0, 10.0))])
    found = evaluate("tacos", RECORDS, ANSWERS, prior=prior)
    assert found.metrics == evaluate("tacos", RECORDS, ANSWERS).metrics
    assert found.prior["r@1,iou=0.5"] == pytest.approx(2 / 3)
    assert found.in_per_cent()["prior"]["fitted"] == "val"


def test_nothing_to_evaluate_is_bad_input() -> None:
    with pytest.raises(InputError, match="tacos: no record"):
        evaluate("tacos", [], [])
    with pytest.raises(InputError, match="no protocol for a data set 'x'"):
        evaluate("x", RECORDS, ANSWERS)
