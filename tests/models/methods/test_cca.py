"""Canonical correlation against a dense eigen-solution, and ranking by it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asst.data.batch import Batch, Collate
from asst.data.sample import Sample, Window
from asst.errors import InputError
from asst.models.methods.cca import CCAMethod, canonical_correlation
from asst.models.methods.clips import in_context, sentence_mean

SETTINGS = {"feature_channels": 12, "word_channels": 6, "steps": 12, "components": 6, "lengths": [3.0]}


def test_correlations_are_those_of_the_dense_eigenproblem() -> None:
    """``L^-1 C R^-1 C' a = rho^2 a``, the textbook form, with regularised sides."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((60, 5)) @ draw.standard_normal((5, 5))
    y = x @ draw.standard_normal((5, 3)) + draw.standard_normal((60, 3))
    both = np.cov(np.hstack([x, y]).T, bias=True)
    left, right, between = both[:5, :5], both[5:, 5:], both[:5, 5:]
    for r in (0.01, 1.0):
        found = canonical_correlation(torch.tensor(left), torch.tensor(right), torch.tensor(between), r)
        inverse_left = np.linalg.inv(left + r * np.eye(5))
        inverse_right = np.linalg.inv(right + r * np.eye(3))
        eigenvalues, vectors = np.linalg.eig(inverse_left @ between @ inverse_right @ between.T)
        order = np.argsort(-eigenvalues.real)[:3]
        np.testing.assert_allclose(found.correlations**2, eigenvalues.real[order], atol=1e-10)
        for place in range(3):
            ours, theirs = found.left[:, place].numpy(), vectors[:, order[place]].real
            cosine = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
            assert abs(cosine) == pytest.approx(1, abs=1e-8)
        white = found.left.mT @ (torch.tensor(left) + r * torch.eye(5, dtype=torch.float64)) @ found.left
        torch.testing.assert_close(white, torch.eye(3, dtype=torch.float64), atol=1e-8, rtol=0)


def batches(count: int = 80) -> list[Batch]:
    """Videos whose moment shows, through a fixed map, what the sentence says."""
    draw = np.random.default_rng(1)
    shown = draw.standard_normal((6, 12))
    found = []
    for first in range(0, count, 8):
        samples = []
        for index in range(first, first + 8):
            features = 0.3 * draw.standard_normal((12, 12))
            start = int(draw.integers(0, 9))
            word = draw.standard_normal((1, 6)).astype(np.float32)
            features[start : start + 3] += (word @ shown)[0]
            moments = np.array([[start, start + 3.0]])
            samples.append(Sample(index, Window(0.0, 0.5, 12), features.astype(np.float32), word, moments))
        found.append(Collate(12)(samples))
    return found


def test_the_projections_correlate_as_it_says() -> None:
    """The variates of the training data have the correlations of a plain computation, up to the regularisation."""
    method = CCAMethod({**SETTINGS, "regularization": 1e-6, "power": 0})
    given = batches()
    method.fit((), given)
    x = torch.cat([in_context(b.features, b.feature_mask, b.moments[:, :1]).squeeze(1) for b in given])
    y = torch.cat([sentence_mean(b.words, b.word_mask) for b in given])
    seen, said = (x - method.seen_mean) @ method.seen_map, (y - method.said_mean) @ method.said_map
    for place, expected in enumerate(method.correlations.tolist()):
        ours = np.corrcoef(seen[:, place].numpy(), said[:, place].numpy())[0, 1]
        assert ours == pytest.approx(expected, abs=1e-3)
    assert method.correlations[0] > 0.8


def test_it_finds_the_moment_that_shows_what_is_said() -> None:
    method = CCAMethod({**SETTINGS, "regularization": 0.01})
    given = batches(160)
    method.fit((), given[:16])
    hits = 0
    for batch in given[16:]:
        found = method.answers(batch)
        best = found.scores.argmax(axis=1)
        for row, clip in enumerate(best):
            start, end = batch.moments[row, 0].tolist()
            hits += bool(start <= found.spans[row, clip].mean() <= end)
        assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert hits >= 18  # of 32; a moment takes a quarter of its video


def test_didemos_pieces_are_candidates_too() -> None:
    method = CCAMethod({**SETTINGS, "clips": "pieces"})
    method.fit((), batches())
    assert method.answers(batches()[0]).scores.shape == (8, 21)


def test_it_refuses_too_little_and_settings_it_cannot_have() -> None:
    with pytest.raises(InputError, match="at least two records, not 0"):
        CCAMethod(SETTINGS).fit((), [])
    with pytest.raises(InputError, match="regularization: Input should be greater than 0, not 0"):
        CCAMethod({**SETTINGS, "regularization": 0})
    with pytest.raises(InputError, match="cca: word_channels: Field required"):
        CCAMethod({"feature_channels": 3})
