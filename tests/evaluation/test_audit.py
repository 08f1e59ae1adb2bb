"""The audit of a data set: each figure by hand on a few records, and the priors of real data sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asst.data import read_dataset
from asst.data.record import Dataset, Problem, Record
from asst.evaluation.audit import audit, audit_split, leak

Span = tuple[float, float]


def record(video: str, sentence: str, *spans: Span, duration_s: float = 20.0) -> Record:
    return Record(f"{video}-{sentence}", video, "train", sentence, duration_s, spans, spans)


FEW = (
    record("a", "A dog jumps.", (0.0, 4.0)),
    record("a", "a dog jumps", (8.0, 12.0), (12.0, 20.0)),
    record("a", "the dog leaps high", (0.0, 4.0)),
    record("b", "a dog jumps", (0.0, 10.0), duration_s=10.0),
    record("b", "qwertyzzz sleeps", (5.0, 10.0), duration_s=10.0),
)


def test_a_splits_figures_by_hand() -> None:
    problems = (Problem(Path("f"), "line 1", "odd", dropped=True), Problem(Path("f"), "line 2", "odd", dropped=False))
    found = audit_split(Dataset(FEW, problems))
    assert (found.queries, found.videos, found.repaired, found.dropped) == (5, 2, 1, 1)
    assert (found.duration_s.least, found.duration_s.mean, found.duration_s.greatest) == (10.0, 15.0, 20.0)
    assert (found.moment_s.least, found.moment_s.median, found.moment_s.greatest) == (4.0, 4.5, 10.0)
    assert found.moment_share.mean == pytest.approx((0.2 + 0.2 + 0.4 + 0.2 + 1.0 + 0.5) / 6)
    assert (found.moments_a_query.mean, found.words.greatest) == (1.2, 4.0)
    assert (found.vocabulary, found.unknown_words) == (8, 1)
    assert found.whole == pytest.approx(1 / 6)
    assert found.distinct_sentences == pytest.approx(3 / 5)
    assert found.duplicates == 1
    assert found.same_span == 2
    assert sum(map(sum, found.grid)) == pytest.approx(1)
    # Two of six moments are the first fifth; one is the third; one goes from the fourth to the last.
    assert [found.grid[0][0], found.grid[2][2], found.grid[3][4]] == pytest.approx([2 / 6, 1 / 6, 1 / 6])
    assert [found.grid[0][4], found.grid[2][4]] == pytest.approx([1 / 6, 1 / 6])


def test_a_leak_is_a_video_or_the_words_of_a_sentence() -> None:
    theirs = (record("b", "A dog, jumps", (0.0, 5.0)), record("c", "a cat sits", (0.0, 5.0)))
    found = leak("train", FEW, "test", theirs)
    assert (found.videos, found.named, found.sentences) == (1, ("b",), 0.5)


def test_the_prior_of_didemo_is_the_published_one(shared_data: Path) -> None:
    splits = {split: read_dataset("didemo", shared_data / "didemo", split) for split in ("val", "test")}
    found = audit("didemo", splits)
    assert json.loads(json.dumps(found.as_json()))["splits"]["val"]["queries"] == 4180
    (prior,) = found.as_json()["prior"]
    assert (prior["fitted"], prior["split"]) == ("val", "test")
    assert (round(prior["rank@1"], 2), round(prior["miou"], 2)) == (19.40, 25.42)
    alone = audit("didemo", {"val": splits["val"]}).as_json()["prior"][0]
    assert (round(alone["rank@1"], 2), round(alone["miou"], 2)) == (18.68, 25.22)
