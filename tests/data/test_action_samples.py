"""What a detector is shown while it learns, and what it is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asst.data.action_samples import ActionSamples, ActionWindows, seen_spans
from asst.data.actions import ActionVideo, LabelledSpan
from asst.data.batch import Collate
from asst.data.observations import CropObservation
from asst.data.record import Span
from asst.data.sample import Window
from asst.errors import InputError
from asst.features.stores.native import Store
from asst.features.values import Features

CROPS = CropObservation(steps=16, step_s=1.0)


def video(name: str, duration_s: float, *actions: LabelledSpan, ignored: tuple[Span, ...] = ()) -> ActionVideo:
    return ActionVideo(name, "train", duration_s, actions, actions, ignored)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Features that tell the time, for a long and a short video."""
    made = Store(tmp_path / "features")
    for name, seconds in (("long", 100), ("short", 10)):
        made.write(name, Features(np.arange(seconds, dtype=np.float32)[:, None] + 0.5, 0.0, 1.0, "clock"))
    return made


LONG = video("long", 100.0, LabelledSpan("a", 20.0, 26.0), LabelledSpan("b", 60.0, 64.0), ignored=((40.0, 43.0),))
SHORT = video("short", 10.0, LabelledSpan("b", 2.0, 5.0))


def samples(store: Store, seed: int = 0) -> ActionSamples:
    return ActionSamples([LONG, SHORT], store, ["a", "b"], {}, CROPS, seed)


def test_an_epoch_shows_every_part_of_every_video(store: Store) -> None:
    made = samples(store)
    seen = np.zeros(100, dtype=bool)
    for index in range(len(made)):
        sample = made[3, index]
        if sample.record == 0:
            middle = sample.window.start_s, sample.window.end_s
            seen[int(np.ceil(middle[0])) : int(middle[1])] = True
    assert len(made) == 13  # 12 half-overlapping windows of 100 s, one of the short video
    assert seen.mean() > 0.85


def test_labels_follow_their_spans_through_stretch_and_crop(store: Store) -> None:
    made = samples(store)
    truths = {1: (20.0, 26.0), 2: (60.0, 64.0)}
    met = set()
    for epoch in range(6):
        for index in range(12):
            sample = made[epoch, index]
            assert sample.labels is not None
            assert 0.99 / 1.25 <= sample.window.step_s <= 1.26
            np.testing.assert_allclose(
                sample.features[:, 0],
                np.clip(sample.window.start_s + (np.arange(16) + 0.5) * sample.window.step_s, 0.5, 99.5),
                atol=1e-3,
            )
            for span, label in zip(sample.window.to_seconds(sample.moments), sample.labels.tolist(), strict=True):
                if label > 0:
                    cut = np.clip(truths[label], sample.window.start_s, sample.window.end_s)
                    assert span == pytest.approx(cut)
                    met.add(label)
    assert met == {1, 2}


def test_what_is_half_outside_or_of_no_class_is_neither_action_nor_background() -> None:
    window = Window(10.0, 0.5, 16)  # 10 s to 18 s
    spans = np.array([[4.0, 13.0], [12.0, 14.0], [17.0, 19.0], [30.0, 31.0], [16.0, 17.0]])
    inside, labels = seen_spans(window, spans, np.array([1, 2, 1, 1, -1]))
    assert inside.tolist() == [[0, 6], [4, 8], [14, 16], [12, 14]]
    assert labels.tolist() == [-1, 2, 1, -1]


def test_a_draw_is_a_function_of_seed_epoch_and_index(store: Store) -> None:
    first, again, other = samples(store), samples(store), samples(store, seed=1)
    starts = [[s[e, 4].window.start_s for e in range(4)] for s in (first, again, other)]
    assert starts[0] == starts[1]
    assert len(set(starts[0])) == 4
    assert set(starts[0]).isdisjoint(starts[2])


def test_classes_are_padded_with_the_moments(store: Store) -> None:
    made = samples(store)
    batch = Collate(16)([made[0, index] for index in range(len(made))])
    assert batch.labels is not None
    assert batch.labels.shape == batch.moment_mask.shape
    assert (batch.labels[~batch.moment_mask] == 0).all()
    assert {-1, 1, 2} <= set(batch.labels[batch.moment_mask].tolist())
    assert batch.to("cpu").labels is not None


def test_questions_are_all_windows_of_all_videos_in_turn(store: Store) -> None:
    windows = ActionWindows([SHORT, LONG], store, CROPS)
    every = [windows[index][0] for index in range(len(windows))]
    assert [sample.record for sample in every] == [0, *[1] * 12]
    assert every[0].window.end_s == 10.0
    assert [sample.window.start_s for sample in every[1:4]] == [0.0, 8.0, 16.0]
    assert every[-1].window.end_s == 100.0
    with pytest.raises(InputError, match="1 video has no features: absent"):
        ActionWindows([video("absent", 5.0)], store, CROPS)
