"""CLIP as a model: its score in a space whose curve nobody has fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asst.features.zeroshot.space import concept_data
from asst.models.zeroshot.model import THRESHOLD, ClipModel, half_way, probability

from ...tiny_clip import WORDS, write


@pytest.mark.parametrize("steps", [1, 20, 2000])
@pytest.mark.parametrize("scale", [0.01, 3.0])
def test_one_negative_sentence_in_five_is_found_in_any_space_and_length(steps: int, scale: float) -> None:
    draw = np.random.default_rng(steps)
    half = half_way(draw.normal(size=(steps, 300)) / scale, scale)
    # That of an infinity of negative sentences: half of the variance.
    best = draw.normal(size=(steps, 3000)).max(axis=0) - 0.5
    assert np.mean(probability(best, half) >= THRESHOLD) == pytest.approx(0.2, abs=0.08)


def test_what_is_found_is_told_by_its_own_negative_sentences(street: Path, tmp_path: Path, one_thread: None) -> None:
    negatives = concept_data()["negatives"]
    words = {word for text in negatives for word in text.split()}
    clip = ClipModel("own", weights=write(tmp_path / "own", "clip", sorted(words - {*WORDS})))
    rankings = clip.rank(clip.extractor.extract(street), negatives, top=1)
    assert np.mean([bool(ranking.moments) for ranking in rankings]) == pytest.approx(0.2, abs=0.1)
    assert {ranking.threshold for ranking in rankings} == {THRESHOLD}
