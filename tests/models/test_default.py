"""The packaged default: what it was made by, that it reads order, and that it leaves shots to the model below."""

from __future__ import annotations

import numpy as np
import pytest

import asst
from asst.models.checkpoint import read_description
from asst.models.reranked import RerankedModel, packaged_default
from asst.models.trained.loading import PACKAGED
from asst.models.zeroshot.model import SimilarityModel
from asst.moments import Moment, iou
from asst.simulate.tapes.plan import Question, TapeSettings
from asst.training.recipe import read_recipe

from ..tapes import tape_maker

RECIPE = "default"
TAPES, SEED = 40, 23


@pytest.fixture(scope="module")
def default(one_thread: None) -> RerankedModel:
    """The packaged default."""
    return packaged_default()


def test_it_was_made_by_the_recipe_as_it_stands() -> None:
    recipe, made = read_recipe([RECIPE]), read_description(PACKAGED)
    assert (made.recipe, made.method, made.dataset) == (recipe.name, recipe.method, recipe.data.dataset)
    assert (made.origin, made.seed) == ("simulated", recipe.training.seed)
    assert recipe.network.items() <= made.settings.items()
    assert made.step <= recipe.training.steps


def hit(question_spans: tuple[tuple[int, int], ...], best: Moment, step_s: float) -> bool:
    spans = np.array(question_spans) * step_s
    return bool(len(spans)) and float(iou(spans, [(best.start_s, best.end_s)]).max()) >= 0.5


def right_of_found(answers: list[tuple[Question, Moment]], step_s: float) -> float:
    """Of the answers at any time of the event, the share at the time that is meant."""
    right = [hit((question.span,), best, step_s) for question, best in answers]
    found = [ok or hit(question.rivals, best, step_s) for ok, (question, best) in zip(right, answers, strict=True)]
    return sum(right) / sum(found)


@pytest.mark.parametrize(("kind", "guessing", "least"), [("ordinals", 0.45, 0.6), ("relations", 0.5, 0.75)])
def test_it_tells_times_apart_by_their_order_alone(
    similarity: SimilarityModel,
    default: RerankedModel,
    kind: str,
    guessing: float,
    least: float,
) -> None:
    maker = tape_maker(similarity, TapeSettings(**{"ordinals": 0.0, "relations": 0.0, kind: 1.0}), SEED)
    answers: dict[str, list[tuple[Question, Moment]]] = {"similarity": [], "default": []}
    for tape in map(maker.tape, range(TAPES)):
        queries = [question.query for question in tape.questions]
        for model in (similarity, default):
            rankings = model.rank(tape.features, queries, top=1)
            answers[model.name] += zip(tape.questions, (r.ranked[0] for r in rankings), strict=True)
    step_s = tape.features.step_s
    assert abs(right_of_found(answers["similarity"], step_s) - guessing) < 0.2
    assert right_of_found(answers["default"], step_s) > least


def test_of_a_plain_sentence_the_shot_is_that_of_the_model_below(
    street_features: asst.Features, similarity: SimilarityModel, default: RerankedModel
) -> None:
    queries = ["a taxi sign on top of a car", "people in the street", "a row of cars"]
    cuts = [0.0, *street_features.cuts_s.tolist(), street_features.end_s]
    rankings = (model.rank(street_features, queries, top=1) for model in (default, similarity))
    for pair in zip(*rankings, strict=True):
        shots = [
            (np.searchsorted(cuts, ranking.ranked[0].start_s + 0.01), np.searchsorted(cuts, ranking.ranked[0].end_s))
            for ranking in pair
        ]
        assert shots[0] == shots[1]
