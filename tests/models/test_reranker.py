"""The reranker: proposals that samples bring with them, their loss, and views of long videos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import asst
from asst.data.batch import Batch, Collate
from asst.data.sample import ProposalRows, Sample, Window
from asst.errors import InputError
from asst.features.zeroshot.crops import STEP_S, TICKS_A_STEP
from asst.features.zeroshot.space import CaptionSentences
from asst.models.methods.base import Share
from asst.models.methods.reranker import RerankerMethod
from asst.models.reranked import RerankedModel, within_shots
from asst.models.reranker_inputs import (
    FACTS,
    STEPS,
    VIEW_STEPS,
    View,
    clause_evidence,
    input_names,
    reranker_inputs,
    samples,
    views_of,
)
from asst.models.zeroshot.model import SimilarityModel, query_scores, step_scores
from asst.models.zeroshot.proposals import proposals

WORDS = 4
NAMES = input_names(CaptionSentences.measures)
SETTINGS = {
    "feature_channels": len(NAMES),
    "word_channels": WORDS,
    "dilation_channels": 16,
    "channels": 16,
    "language_channels": 16,
    "attention_channels": 8,
    "dilation_layers": 2,
    "squeezing_layers": 3,
    "input_dropout": 0.0,
    "dropout": 0.0,
}


@pytest.fixture(scope="module")
def first(similarity: SimilarityModel) -> SimilarityModel:
    return similarity


def made(model: SimilarityModel, steps: int, cuts_s: tuple[float, ...] = ()) -> asst.Features:
    draw = np.random.default_rng(steps)
    drift = np.cumsum(draw.normal(size=(steps, 3 * 1280)), axis=0) * 0.2
    vectors = np.zeros((steps, model.extractor.dimension), dtype=np.float16)
    vectors[:, : 3 * 1280] = np.clip(np.tile(model.extractor.space.mean, 3) + drift, 0, 6)
    return asst.Features(vectors, 0.0, STEP_S, model.extractor.name, np.array(cuts_s))


def questions(count: int, proposals: int = 9) -> list[Sample]:
    """Noise, in which the true proposal is where the first channel is high."""
    draw = np.random.default_rng(1)
    found = []
    for index in range(count):
        starts = draw.permutation(np.arange(proposals)) * 6.0
        clips = np.stack([starts, starts + 6], axis=1).astype(np.float32)
        channels = draw.normal(size=(60, len(NAMES))).astype(np.float32)
        true = int(draw.integers(proposals))
        channels[int(clips[true, 0]) : int(clips[true, 1]), 0] += 3
        facts = draw.normal(size=(proposals, len(FACTS))).astype(np.float32)
        overlaps = (np.arange(proposals) == true).astype(np.float32)
        words = draw.normal(size=(3, WORDS)).astype(np.float32)
        rows = ProposalRows(clips, facts, overlaps)
        found.append(Sample(index, Window(0.0, 0.5, 60), channels, words, np.zeros((0, 2)), proposals=rows))
    return found


def batch_of(found: list[Sample]) -> Batch:
    return Collate(STEPS)(found)


def test_it_learns_where_the_sentence_fits(share: Callable[[], Share], one_thread: None) -> None:
    torch.manual_seed(0)
    method = RerankerMethod(SETTINGS)
    batch, held = batch_of(questions(48)[:32]), batch_of(questions(48)[32:])
    optimizer = torch.optim.Adam(method.parameters(), 3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        torch.autograd.backward(method.loss(batch, share()).total)
        optimizer.step()
    method.eval()
    assert held.proposals is not None
    assert held.proposals.overlaps is not None
    right = method.answers(held).scores.argmax(axis=1) == held.proposals.overlaps.argmax(dim=1).numpy()
    # One in nine by chance.
    assert right.mean() > 0.6


def test_padding_candidates_changes_nothing(share: Callable[[], Share], one_thread: None) -> None:
    torch.manual_seed(0)
    method = RerankerMethod(SETTINGS).eval()
    few, many = questions(1, proposals=5), questions(1, proposals=9)
    alone, together = batch_of(few), batch_of([*few, *many])
    answers = method.answers(together)
    assert answers.kept.sum(axis=1).tolist() == [5, 9]
    np.testing.assert_allclose(method.answers(alone).scores[0], answers.scores[0, :5], atol=1e-4)


def test_the_truth_counts_by_its_overlap(share: Callable[[], Share], one_thread: None) -> None:
    method = RerankerMethod(SETTINGS).eval()
    batch = batch_of(questions(4))
    assert batch.proposals is not None
    overlaps = torch.zeros(4, 9)
    overlaps[:, 0], overlaps[:, 1], overlaps[:, 2] = 1.0, 0.5, 0.4
    given = replace(batch, proposals=replace(batch.proposals, overlaps=overlaps))
    logs = method.logits(batch).log_softmax(dim=1)
    expected = -(0.8 * logs[:, 0] + 0.2 * logs[:, 1]).mean()
    torch.testing.assert_close(method.loss(given, share()).total, expected)
    # Where nothing reaches a half, the nearest stands for the truth.
    far = replace(batch, proposals=replace(batch.proposals, overlaps=overlaps * 0.3))
    torch.testing.assert_close(method.loss(far, share()).total, -logs[:, 0].mean())


def test_samples_without_candidates_are_refused(seen: Batch) -> None:
    with pytest.raises(InputError, match="chooses among proposals"):
        RerankerMethod(SETTINGS).answers(seen)
    with pytest.raises(InputError, match="a reranker: head: Input should be"):
        RerankerMethod({**SETTINGS, "head": "detection"})


def test_a_view_of_a_long_video_shows_means() -> None:
    rows = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    view = View(20, 180)
    np.testing.assert_allclose(
        view.read(rows), rows[20:180].repeat(2, axis=0).reshape(64, 5, 2).mean(axis=1), atol=1e-5
    )
    short = View(3, 40)
    np.testing.assert_array_equal(short.read(rows), rows[3:40])
    assert view.clips(np.array([[40, 360], [90, 140]])).tolist() == [[0.0, 64.0], [10.0, 20.0]]


@pytest.mark.parametrize("steps", [1, 256, 257, 900])
def test_views_cover_the_video(steps: int) -> None:
    views = views_of(steps)
    seen = np.zeros(steps, dtype=bool)
    for view in views:
        assert view.stop - view.first <= VIEW_STEPS
        seen[view.first : view.stop] = True
    assert seen.all()


def test_each_candidate_is_judged_once_and_inside_its_view(first: SimilarityModel) -> None:
    context = first.context(made(first, 700, (40.0, 90.5, 200.0, 300.0)))
    (evidence,) = first.reader(context.features, ["a dog jumps"])
    scores = query_scores(context, evidence)
    judged = []
    channels, words = np.zeros((700, len(NAMES)), np.float32), np.zeros((1, WORDS), np.float32)
    window = View(20, 180).sample(context, channels, words, 0).window
    assert (window.start_s, window.end_s, window.steps) == (10.0, 90.0, 64)
    for sample, own in samples(context, scores, channels, words, 0):
        assert sample.proposals is not None
        judged += own.tolist()
        lengths = np.diff(sample.proposals.clips, axis=1)[:, 0] * sample.window.step_s / STEP_S * TICKS_A_STEP
        whole = np.diff(context.proposals.spans[own], axis=1)[:, 0]
        assert np.quantile(lengths / whole, 0.1) > 0.9
    assert len(judged) == len(set(judged))
    assert set(np.argsort(-scores.proposals)[:100]) - set(judged) <= set(
        np.flatnonzero(np.diff(context.proposals.spans, axis=1)[:, 0] > VIEW_STEPS * TICKS_A_STEP)
    )


def test_inputs_tell_the_clauses_apart(first: SimilarityModel) -> None:
    context = first.context(made(first, 50, (10.0,)))
    queries = ["a dog jumps before a man plays the piano", "a dog jumps", "a dog jumps for the second time"]
    both, plain, second = (
        reranker_inputs(context, own, step_scores(context, own.whole), CaptionSentences.measures)
        for own in clause_evidence(first.reader, context.features, queries)
    )

    def column(channels: np.ndarray, name: str) -> np.ndarray:
        return channels[:, NAMES.index(name)]

    np.testing.assert_allclose(column(both, "main clause"), column(plain, "all measures"), atol=1e-4)
    np.testing.assert_allclose(column(second, "main clause"), column(plain, "main clause"), atol=1e-4)
    assert column(both, "asks for before").all()
    assert not column(both, "asks for after").any()
    assert column(second, "asks for second").all()
    assert column(both, "related clause").any()
    assert not column(plain, "related clause").any()
    before = column(plain, "main clause before")
    assert (np.diff(before) >= 0).all()
    assert before[0] < 0.2 < 0.8 < before[-1]


@pytest.fixture(scope="module")
def checkpoint(untrained_reranker: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reranker") / "own.safetensors"
    return untrained_reranker(path, SETTINGS)


def test_it_chooses_windows_and_leaves_shots_to_the_model_below(checkpoint: Path, first: SimilarityModel) -> None:
    model = RerankedModel.load(checkpoint)
    features = made(first, 60, (8.0, 20.5))
    shots = {(0.0, 8.0), (8.0, 20.5), (20.5, 30.0), (0.0, 20.5), (8.0, 30.0), (0.0, 30.0)}
    queries = ["a dog jumps", "the camera pans left", "?!"]
    changed = False
    for own, below in zip(model.rank(features, queries, top=100), first.rank(features, queries, top=100), strict=True):
        scores = [
            {(m.start_s, m.end_s): m.score - ranking.ranked[0].score for m in ranking.ranked}
            for ranking in (own, below)
        ]
        for span in shots & scores[0].keys() & scores[1].keys():
            assert scores[0][span] == pytest.approx(scores[1][span], abs=1e-6)
        changed |= list(scores[0]) != list(scores[1])
    assert changed


@given(data=st.data())
def test_the_best_window_of_each_shot_is_as_strong_as_before(data: st.DataObject) -> None:
    cuts = np.array(sorted(data.draw(st.sets(st.integers(4, 56), max_size=4))), dtype=np.int64)
    found = proposals(60, cuts)
    draw = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    before, after = draw.normal(size=(2, len(found.spans)))
    result = within_shots(found, before, after)
    np.testing.assert_array_equal(result[~found.inside], before[~found.inside])
    for whole in np.unique(found.wholes[found.inside], axis=0):
        own = np.flatnonzero(found.inside & (found.wholes == whole).all(axis=1))
        assert result[own].max() == pytest.approx(before[own].max())
        assert np.argsort(result[own]).tolist() == np.argsort(after[own]).tolist()


def test_it_judges_what_tells_order_and_explains_a_video_longer_than_a_view(
    checkpoint: Path, first: SimilarityModel
) -> None:
    localizer = asst.load(checkpoint)
    features = made(first, 600, (40.0, 90.5, 200.0))
    (answer,) = localizer.answer(features, ["a dog jumps on the sofa"], attention=True)
    assert answer.attention is not None
    assert answer.attention.words == ("a", "dog", "jumps", "on", "the", "sofa")
    assert len(answer.attention.times_s) >= 64
    np.testing.assert_allclose(answer.attention.weights.sum(axis=0), 1, atol=1e-3)
    ordered = "a dog jumps on the sofa for the second time"
    shots = {(0.0, 40.0), (40.0, 90.5), (90.5, 200.0), (200.0, 300.0)}
    scores = []
    for model in (localizer.model, first):
        (ranking,) = model.rank(features, [ordered], top=1000)
        scores.append([m.score for m in ranking.ranked if (m.start_s, m.end_s) in shots])
    assert scores[0] != scores[1]


def test_features_of_another_extractor_are_refused(checkpoint: Path, first: SimilarityModel) -> None:
    with pytest.raises(InputError, match="reads features of captions"):
        asst.load(checkpoint).model.rank(replace(made(first, 4), extractor="other"), ["a dog"], top=5)
