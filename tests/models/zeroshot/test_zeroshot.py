"""The packaged model's arithmetic against slow loops, and what must hold of every ranking."""

from __future__ import annotations

import math
import weakref
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asst
from asst.errors import InputError
from asst.features.image_text.hub import IMAGE_TEXT
from asst.features.zeroshot.colours import COLOURS
from asst.features.zeroshot.space import COSINE, named_classes
from asst.models import MODELS
from asst.models.zeroshot import evidence
from asst.models.zeroshot.evidence import Evidence
from asst.models.zeroshot.model import SLOPE, SOFTMAX_SCALE, SimilarityModel, probability, zeroshot_of
from asst.models.zeroshot.proposals import HALF, proposal_scores, proposals, smoothed
from asst.models.zeroshot.query import parse
from asst.moments import Answer, iou

QUERIES = [
    "a taxi sign on top of a car",
    "a dog jumps",
    "she twists and turns",
    "a man in a suit walks past parked cars",
]
CHANNELS = 1280


@pytest.fixture(scope="module")
def model(similarity: SimilarityModel) -> SimilarityModel:
    return similarity


def made(model: SimilarityModel, steps: int, cuts_s: tuple[float, ...] = (), start_s: float = 0.0) -> asst.Features:
    """Features that drift about the mean feature, as those of a video do."""
    draw = np.random.default_rng(steps)
    drift = np.cumsum(draw.normal(size=(steps, 3, CHANNELS)), axis=0) * 0.2
    seen = np.clip(model.extractor.space.mean + drift, 0, 6).reshape(steps, -1)
    colours = np.tile(draw.dirichlet(np.ones(len(COLOURS)), size=(1, 3)).reshape(1, -1), (steps, 1))
    vectors = np.concatenate([seen, colours, np.zeros((steps, 2))], axis=1).astype(np.float16)
    return asst.Features(vectors, start_s, 0.5, model.extractor.name, np.array(cuts_s))


def spans(ranking: Answer) -> list[tuple[float, float]]:
    return [(moment.start_s, moment.end_s) for moment in ranking.ranked]


def assert_same(first: Answer, second: Answer) -> None:
    assert first.query == second.query
    assert spans(first) == spans(second)
    assert [m.score for m in first.ranked] == pytest.approx([m.score for m in second.ranked], abs=1e-3)
    assert first.curve is not None
    assert second.curve is not None
    np.testing.assert_allclose(first.curve.scores, second.curve.scores, atol=1e-3)


def slow_score(ticks: list[float], span: tuple[int, int], whole: tuple[int, int]) -> float:
    """Score of a run: its mean as if two more ticks had been average; of a window: that of its shot and contrast."""
    inside = [ticks[t] for t in range(*span)]
    around = [ticks[t] for t in range(*whole) if not span[0] <= t < span[1]]
    strength = sum(inside + around) / (len(inside) + len(around) + 2)
    if around:
        contrast = sum(inside) / len(inside) - sum(around) / len(around)
        evenness = 2 * math.sqrt(len(inside) * len(around)) / (len(inside) + len(around))
        strength += 0.75 * contrast * evenness - 1.0
    share = len(inside) / len(ticks)
    return strength - (0.5 * (2 * share - 1) if share > 0.5 else 0.0)


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=40), st.sets(st.integers(1, 39), max_size=5))
def test_proposal_scores_are_those_of_the_definition(ticks: list[float], cuts: set[int]) -> None:
    found = proposals(len(ticks), sorted(cuts))
    expected = [
        slow_score(ticks, tuple(span), tuple(whole))
        for span, whole in zip(found.spans.tolist(), found.wholes.tolist(), strict=True)
    ]
    np.testing.assert_allclose(proposal_scores(np.array(ticks), found), expected, atol=1e-9)


def slow_evidence(
    model: SimilarityModel, vectors: npt.NDArray[np.float16], query: str
) -> tuple[list[float], list[list[float]], list[float]]:
    """The matches and the log-probabilities of classes at each step, and the way between steps, a window at a time."""
    space = model.extractor.space
    assert space.classifier is not None
    mean, weights, bias = (
        own.astype(np.float64) for own in (space.mean, space.classifier.weights, space.classifier.bias)
    )
    sentences = model.reader.sentences
    reading = sentences.read([query])
    matches, classes, middles = [], [], []
    for row in vectors.astype(np.float64):
        windows = row[: 3 * CHANNELS].reshape(3, CHANNELS)
        units = [(window - mean) / math.sqrt(((window - mean) ** 2).sum()) for window in windows]
        apart = [float(unit @ reading.classifiers[0]) - float((sentences.negatives @ unit).mean()) for unit in units]
        matches.append(max(apart))
        exponents = [np.exp((weights @ window + bias) / 2) for window in windows]
        best = np.max([exponent / exponent.sum() for exponent in exponents], axis=0)
        names = named_classes(query)
        resembled = sum(share * p for share, p in zip(reading.resembled[0], best, strict=True))
        classes.append([math.log(sum(best[i] for i in names) + 1e-6) if names else 0.0, math.log(resembled + 1e-6)])
        middles.append(np.mean(units, axis=0))
    between = [1 - a @ b / math.sqrt((a @ a) * (b @ b)) for a, b in pairwise(middles)]
    return matches, classes, between


def test_evidence_is_that_of_the_definition(model: SimilarityModel) -> None:
    features = made(model, 4)
    found = model.reader(features, QUERIES)
    visual = found[0].visual
    assert visual.negatives.shape == (4, 229)
    fits = [
        math.log(sum(math.exp(SOFTMAX_SCALE * cosine) for cosine in row) / 229) for row in visual.negatives.tolist()
    ]
    np.testing.assert_allclose(visual.fit_of_negatives, fits, atol=1e-4)
    ratios = SOFTMAX_SCALE * found[0].scores["picture and sentence"] - fits
    np.testing.assert_allclose(found[0].log_ratios(), ratios, atol=1e-4)
    assert found[0].log_ratio(2, 3) == pytest.approx(ratios[2], abs=1e-4)
    assert (found[2].scores["named classes"] == 0).all()
    for own in found:
        matches, classes, between = slow_evidence(model, features.vectors.astype(np.float16), own.query.text)
        cosine, *other = (own.scores[name] for name in model.reader.sentences.measures)
        np.testing.assert_allclose(cosine, matches, atol=2e-5)
        np.testing.assert_allclose(np.stack(other, axis=1), classes, atol=1e-3)
        np.testing.assert_allclose(visual.between, between, atol=1e-5)


@given(st.lists(st.floats(-4, 4), min_size=1, max_size=30), st.sets(st.integers(1, 29), max_size=5))
def test_scores_are_smoothed_within_shots(ticks: list[float], cuts: set[int]) -> None:
    bounds = [0, *sorted(cut for cut in cuts if cut < len(ticks)), len(ticks)]
    expected = []
    for start, end in pairwise(bounds):
        for tick in range(start, end):
            near = [min(max(tick + away, start), end - 1) for away in range(-2, 3)]
            expected.append(sum((3 - abs(j - 2)) * ticks[near[j]] for j in range(5)) / 9)
    found = smoothed(np.array(ticks), np.array(sorted(cuts), dtype=np.int64))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def coloured(model: SimilarityModel, shares: npt.NDArray[np.floating]) -> asst.Features:
    """Steps that differ in their colours alone, of shape ``(steps, 3, len(COLOURS))``."""
    still = made(model, 1).vectors.repeat(len(shares), axis=0)
    still[:, 3 * CHANNELS : -2] = shares.reshape(len(shares), -1)
    return asst.Features(still, 0.0, 0.5, model.extractor.name)


def test_a_sentence_that_names_a_colour_finds_where_it_is_seen(model: SimilarityModel) -> None:
    red, blue = COLOURS.index("red"), COLOURS.index("blue")
    shares = np.zeros((40, 3, len(COLOURS)))
    # In one of the crops; blue is a little everywhere.
    shares[10:20, 2, red] = 0.3
    shares[:, :, blue] = 0.2
    shares[24:30, 0, blue] = 0.5
    features = coloured(model, shares)
    found = model.reader(features, ["a woman sits", "a woman in red", "red and blue"])
    plain, in_red, in_both = (own.scores["colours"] for own in found)
    assert (plain == 0).all()
    np.testing.assert_allclose(in_red, np.log(shares[:, :, red].max(axis=1) + 0.01), atol=1e-3)
    expected = (np.log(shares[:, :, red] + 0.01) + np.log(shares[:, :, blue] + 0.01)).max(axis=1) / 2
    np.testing.assert_allclose(in_both, expected, atol=1e-3)
    rankings = model.rank(features, ["a woman in red", "a woman in blue", "a woman sits"], top=1)
    for ranking, span in zip(rankings, ((5.0, 10.0), (12.0, 15.0)), strict=False):
        assert iou(np.array(spans(ranking)), np.array([span]))[0, 0] > 0.7
    assert rankings[2].curve is not None
    assert np.ptp(rankings[2].curve.scores) == 0


def test_a_sentence_about_the_camera_finds_where_what_is_seen_turns(
    model: SimilarityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pan from 8 to 11 s; the cut at 3 s turns more, and is no camera's doing. Nothing else is measured."""
    queries = ["the camera pans to the left", "she turns to the left"]
    between = np.zeros(33, dtype=np.float32)
    between[5], between[15:22] = 0.9, 0.3
    negatives = np.random.default_rng(0).normal(size=(34, 9)).astype(np.float16)
    none, every = np.zeros(34, dtype=np.float32), np.arange(34)
    visual = replace(model.reader.visual(made(model, 34)), first=every, frame=every, between=between)
    visual = replace(visual, negatives=negatives, pans=np.zeros((34, 2), dtype=np.float32))
    found = [Evidence(parse(query), {COSINE: none}, visual) for query in queries]
    monkeypatch.setattr(model, "reader", lambda *_: found)
    pan, other = model.rank(made(model, 34, (3.0,)), queries, top=1)
    start_s, end_s = spans(pan)[0]
    assert 7.0 <= start_s <= 8.5
    assert 10.5 <= end_s <= 12.0
    assert other.curve is not None
    assert np.ptp(other.curve.scores) == 0


def test_a_sentence_about_the_cameras_way_finds_where_it_turns_that_way(model: SimilarityModel) -> None:
    """From 5 to 8 s the camera turns to the left, from 12 to 15 s to the right and up; nothing else is measured."""
    still = made(model, 1).vectors.repeat(40, axis=0)
    still[10:16, -2] = -0.5
    still[24:30, -2:] = (0.5, 0.25)
    features = asst.Features(still, 0.0, 0.5, model.extractor.name)
    queries = ["the camera pans left", "The camera swings quickly to the right.", "camera tilts up", "he turns left"]
    *moved, other = model.rank(features, queries, top=1)
    for ranking, span in zip(moved, ((5.0, 8.0), (12.0, 15.0), (12.0, 15.0)), strict=True):
        assert iou(np.array(spans(ranking)), np.array([span]))[0, 0] > 0.7
        assert ranking.moments
    # The threshold is an eighth of the width a second; half as fast is no pan.
    slower = still.copy()
    slower[10:16, -2] = -1 / 16
    slow = model.rank(asst.Features(slower, 0.0, 0.5, model.extractor.name), queries[:1], top=1)[0]
    assert not slow.moments
    assert other.curve is not None
    assert np.ptp(other.curve.scores) == 0


def test_parts_of_the_video_at_a_time_change_nothing(model: SimilarityModel, monkeypatch: pytest.MonkeyPatch) -> None:
    features = made(model, 17, (2.75, 5.0))
    at_once = model.rank(features, QUERIES, top=5)
    monkeypatch.setattr(evidence, "_STEPS_AT_ONCE", 5)
    # Other features of the same numbers: nothing is known of them yet.
    for first, second in zip(at_once, model.rank(replace(features), QUERIES, top=5), strict=True):
        assert_same(first, second)


def test_what_is_kept_of_a_video_is_not_taken_for_another(model: SimilarityModel) -> None:
    first, second = made(model, 17, (2.75, 5.0)), made(model, 23)
    alone = {id(features): model.rank(replace(features), QUERIES, top=5) for features in (first, second)}
    for features in (first, first, second, first):
        for ranking, expected in zip(model.rank(features, QUERIES, top=5), alone[id(features)], strict=True):
            assert_same(ranking, expected)


def test_a_picture_that_lasts_is_as_good_as_many(model: SimilarityModel) -> None:
    vectors = np.repeat(np.asarray(made(model, 7).vectors, dtype=np.float16), [1, 3, 2, 1, 4, 1, 1], axis=0)
    lasting = asst.Features(vectors, 0.0, 0.5, model.extractor.name)
    # By the least that makes no step equal to the one before it.
    moved = vectors.copy()
    moved[::2, 0] = np.nextafter(moved[::2, 0], np.float16(9))
    changing = asst.Features(moved, 0.0, 0.5, model.extractor.name)
    assert len(model.reader.visual(lasting).first) == 7
    assert len(model.reader.visual(changing).first) == len(vectors)
    for one, other in zip(model.rank(lasting, QUERIES, top=5), model.rank(changing, QUERIES, top=5), strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [1], [2, 2, 0]])
def test_a_sentence_is_answered_whatever_its_company(model: SimilarityModel, order: list[int]) -> None:
    features = made(model, 30, (2.75, 5.0, 9.25))
    together = model.rank(features, QUERIES, top=5)
    others = model.rank(features, [QUERIES[i] for i in order], top=5)
    for i, ranking in zip(order, others, strict=True):
        assert_same(ranking, together[i])


@pytest.mark.parametrize("start_s", [0.0, 12.5])
@pytest.mark.parametrize("top", [1, 2, 50])
def test_moments_lie_in_the_video_best_first_and_apart(model: SimilarityModel, top: int, start_s: float) -> None:
    cuts_s = tuple(start_s + cut_s for cut_s in (2.75, 5.0, 9.25))
    features = made(model, 30, cuts_s, start_s)
    for query, ranking in zip(QUERIES, model.rank(features, QUERIES, top=top), strict=True):
        assert ranking.query == query
        assert len(ranking.ranked) == top if top < 3 else 3 < len(ranking.ranked) <= top
        found = np.array(spans(ranking))
        assert (found[:, 0] >= start_s).all()
        assert (found[:, 1] <= start_s + 15.0).all()
        scores = [moment.score for moment in ranking.ranked]
        assert scores == sorted(scores, reverse=True)
        assert (iou(found, found) - np.eye(len(found)) <= 0.5 + 1e-9).all()
        assert all(moment.query == query for moment in ranking.ranked)
        assert all(0 < score < 1 for score in scores)
        assert ranking.threshold == 0.25
        assert bool(ranking.moments) == (scores[0] >= 0.25)


def test_ends_that_are_cuts_are_exact_and_nothing_else_changes(model: SimilarityModel) -> None:
    exact_s = (2.5025, 4.7881, 9.25)
    rough, exact = (made(model, 30, cuts_s) for cuts_s in ((2.75, 5.0, 9.25), exact_s))
    of_tick = dict(zip((2.75, 5.0, 9.25), exact_s, strict=True))
    ends: set[float] = set()
    for one, other in zip(model.rank(rough, QUERIES, top=20), model.rank(exact, QUERIES, top=20), strict=True):
        assert [m.score for m in other.ranked] == [m.score for m in one.ranked]
        assert spans(other) == [(of_tick.get(start, start), of_tick.get(end, end)) for start, end in spans(one)]
        ends.update(*spans(other))
    assert ends > set(exact_s)


def test_fewer_moments_are_the_first_of_more(model: SimilarityModel) -> None:
    features = made(model, 30, (5.0,))
    many, few = (model.rank(features, QUERIES[:1], top=top)[0] for top in (6, 2))
    assert few.ranked == many.ranked[:2]


def test_the_curve_is_on_the_scale_of_the_scores(model: SimilarityModel) -> None:
    for ranking in model.rank(made(model, 30), QUERIES, top=1):
        assert ranking.curve is not None
        np.testing.assert_array_equal(ranking.curve.times_s, np.arange(30) * 0.5 + 0.25)
        start, end = (round(4 * time_s) for time_s in spans(ranking)[0])
        clear = log_ratio(np.repeat(ranking.curve.scores, 2)[start:end])
        assert clear.mean() == pytest.approx(log_ratio(np.array(ranking.ranked[0].score)))


def log_ratio(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What a score was made of: the inverse of the logistic curve."""
    odds: npt.NDArray[np.float64] = np.log(probability / (1 - probability))
    return odds / SLOPE + HALF


def test_a_score_is_the_probability_that_the_fitted_curve_gives() -> None:
    assert probability(np.array([HALF]))[0] == pytest.approx(0.5)
    found = probability(np.array([-1.0, 0.0, 1.3, 5.0]))
    np.testing.assert_allclose(log_ratio(found), [-1.0, 0.0, 1.3, 5.0])


def test_pictures_and_sentences_are_unit_vectors_whose_product_is_the_similarity(model: SimilarityModel) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (2, 300, 256, 3), dtype=np.uint8)
    seen, said = model.embed_frames(picture), model.embed_sentences(QUERIES)
    assert (seen.shape, said.shape) == ((2, CHANNELS), (len(QUERIES), CHANNELS))
    for vectors in (seen, said):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    space = model.extractor.space
    crops = model.extractor.crop_vectors(picture).reshape(2, 3, -1).astype(np.float64) - space.mean
    middle = (crops / np.linalg.norm(crops, axis=2, keepdims=True)).mean(axis=1)
    expected = middle / np.linalg.norm(middle, axis=1, keepdims=True) @ said.T
    np.testing.assert_allclose(seen @ said.T, expected, atol=2e-3)
    with pytest.raises(InputError, match=r"frames are uint8, \(frames, height, width, 3\)"):
        model.embed_frames(picture[0])


def test_a_shot_that_begins_within_a_step_shows_what_the_next_step_shows(model: SimilarityModel) -> None:
    """Both halves of the video are constant, so every tick of the second must be as strong as it is."""
    calm = made(model, 1).vectors
    classifier = model.extractor.space.classifier
    assert classifier is not None
    named = classifier.weights[named_classes("a taxi")[0]]
    taxi = calm.astype(np.float32)
    taxi[:, : 3 * CHANNELS] = np.clip(taxi[:, : 3 * CHANNELS] + np.tile(3 * named / np.abs(named).max(), 3), 0, 6)
    # The cut is at tick 11: tick 10, and with it step 5, still shows what was before.
    vectors = np.concatenate([calm.repeat(6, axis=0), taxi.astype(np.float16).repeat(6, axis=0)])
    features = asst.Features(vectors, 0.0, 0.5, model.extractor.name, np.array([2.75]))
    ranking = model.rank(features, ["a taxi"], top=1)[0]
    assert spans(ranking) == [(2.75, 6.0)]
    assert ranking.curve is not None
    assert ranking.curve.scores[-1] == pytest.approx(ranking.ranked[0].score)


@pytest.mark.parametrize("steps", [1, 2])
def test_the_shortest_video_is_one_moment(model: SimilarityModel, steps: int) -> None:
    for ranking in model.rank(made(model, steps), QUERIES, top=5):
        assert spans(ranking) == [(0.0, steps * 0.5)]


def test_a_video_that_never_changes_has_a_flat_curve_and_finite_scores(model: SimilarityModel) -> None:
    vectors = made(model, 1).vectors.repeat(20, axis=0)
    for ranking in model.rank(asst.Features(vectors, 0.0, 0.5, model.extractor.name), QUERIES, top=5):
        assert ranking.ranked
        assert all(math.isfinite(moment.score) for moment in ranking.ranked)
        assert ranking.curve is not None
        assert np.ptp(ranking.curve.scores) == 0


def test_features_of_another_extractor_or_clock_are_refused(model: SimilarityModel) -> None:
    other = asst.Features(made(model, 4).vectors, 0.0, 0.5, "vgg16")
    with pytest.raises(InputError, match=r"^similarity reads features of captions, not of vgg16; extract"):
        model.rank(other, QUERIES, top=1)
    older = asst.Features(made(model, 4).vectors[:, : 3 * CHANNELS], 0.0, 0.5, "captions")
    with pytest.raises(InputError, match=r"^similarity reads captions of dimension 3875, not 3840 as another ver"):
        model.rank(older, QUERIES, top=1)
    with pytest.raises(
        InputError, match=r"^similarity reads a vector every 0\.5 s, not every 1 s; extract them again$"
    ):
        model.rank(made(model, 4).resampled(1.0), QUERIES, top=1)


def test_what_is_kept_of_a_video_does_not_keep_its_features(model: SimilarityModel) -> None:
    features = made(model, 4)
    model.rank(features, QUERIES, top=1)
    alive = weakref.ref(features)
    del features
    assert alive() is None


def test_the_table_names_its_models() -> None:
    packaged = ["default", "similarity", "similarity-fast"]
    assert list(MODELS) == [*packaged, "clip", *IMAGE_TEXT]
    assert all(entry.name == name and "\n" not in entry.summary for name, entry in MODELS.items())
    for name in packaged:
        assert MODELS[name].build().name == name


def test_clip_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASST_WEIGHTS", raising=False)
    with pytest.raises(InputError, match=r"^clip needs weights; .*ASST_WEIGHTS"):
        MODELS["clip"].build()
    with pytest.raises(InputError, match=r"^own is of features of vgg16, not of captions, clip-crops or a model of"):
        zeroshot_of("vgg16", "own")
