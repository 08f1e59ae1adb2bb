"""Windows and parts cover a video, and a window's product with a sentence is near the model's score."""

from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asst
from asst.features.stores.native import Store
from asst.library.engine import BASIS, Engine, principal
from asst.library.windows import evenly, parts_of, windows_of
from asst.models.reranked import packaged_default
from asst.models.zeroshot.model import SOFTMAX_SCALE


@given(steps=st.integers(1, 3000), length=st.integers(2, 400), data=st.data())
def test_spans_cover_all_steps_and_share_enough(steps: int, length: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, length - 1))
    spans = evenly(steps, length, overlap)
    assert (spans[0, 0], spans[-1, 1]) == (0, steps)
    assert (np.diff(spans, axis=1) <= length).all()
    assert (spans[:-1, 1] - spans[1:, 0] >= overlap).all()


@given(steps=st.integers(1, 3000), step_s=st.sampled_from([0.25, 0.5, 1.7]))
def test_a_window_goes_to_the_part_whose_middle_is_nearest(steps: int, step_s: float) -> None:
    windows, parts = windows_of(steps, step_s)
    every = parts_of(steps, step_s)
    apart = np.abs(windows.sum(axis=1)[:, None] - every.sum(axis=1))
    np.testing.assert_array_equal(parts, every[apart.argmin(axis=1)])


def test_the_windows_of_a_day_take_little_memory() -> None:
    tracemalloc.start()
    try:
        windows, _ = windows_of(2 * 86_400, 0.5)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 10 * windows.nbytes


@given(steps=st.integers(1, 20_000))
def test_a_window_lies_in_its_part_and_no_part_is_without_one(steps: int) -> None:
    windows, parts = windows_of(steps, 0.5)
    assert (parts[:, 0] <= windows[:, 0]).all()
    assert (windows[:, 1] <= parts[:, 1]).all()
    assert {tuple(part) for part in parts.tolist()} == {tuple(part) for part in parts_of(steps, 0.5).tolist()}


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The packaged model."""
    return Engine(packaged_default())


def test_the_basis_that_ships_is_that_of_the_packaged_space(engine: Engine) -> None:
    np.testing.assert_allclose(np.load(BASIS), principal(engine._sentences.glosses), atol=1e-5)


def test_products_rise_with_scores(engine: Engine, street_features: asst.Features) -> None:
    windows = engine.windows(street_features)
    assert windows.vectors.shape == (len(windows), engine.identity.dimension)
    sentences = ["people ride bikes", "a bus seen from above", "a man plays a piano", "a penguin on the ice"]
    said = np.stack([engine.sentence(sentence) for sentence in sentences])
    products = (windows.vectors.astype(np.float32) @ said.T).max(axis=0)
    scores = np.array([own.ranked[0].score for own in engine.model.rank(street_features, sentences, top=1)])
    assert np.corrcoef(products, np.log(scores / (1 - scores)))[0, 1] > 0.9


def resident_mb() -> float:
    """Megabytes of files that are mapped and in memory."""
    return int(re.findall(r"RssFile:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024


def test_pictures_that_are_held_cost_by_the_pictures_and_no_memory(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    held = draw.integers(1, 4, 60)
    held[::9] = draw.integers(500, 1500, len(held[::9]))
    pictures = draw.random((len(held), engine.model.extractor.dimension), dtype=np.float32).astype(np.float16)
    store = Store(tmp_path)
    store.write("day", asst.Features(np.repeat(pictures, held, axis=0), 0.0, 0.5, engine.model.extractor.name))
    features = store.read("day")
    plain, looked = engine._seen, []

    def counted(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        looked.append(len(rows))
        return plain(rows)

    monkeypatch.setattr(engine, "_seen", counted)
    before_mb = resident_mb()
    windows = engine.windows(features)
    assert resident_mb() - before_mb < 10
    assert len(features) > 4096
    # A picture may be looked at again by the next block of steps.
    assert sum(looked) < 2 * len(held)
    seen = np.repeat(plain(engine._space.crops(pictures)), held, axis=0)
    means = [seen[first:stop].mean(axis=0) for first, stop in windows.spans[::3]]
    slow = np.concatenate(means) * SOFTMAX_SCALE
    fits = np.log(np.exp(slow @ engine._around.T).mean(axis=1, keepdims=True))
    np.testing.assert_allclose(windows.vectors, np.append(slow, -fits, axis=1), rtol=2e-3, atol=2e-3)
