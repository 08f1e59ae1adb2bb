"""The detector of actions: what its loss counts, what its answers hold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from asst.data.batch import Batch, Collate
from asst.data.sample import Sample, Window
from asst.errors import InputError
from asst.models.methods.base import Share
from asst.models.methods.detector import NEGATIVES, DetectorMethod
from asst.models.methods.table import build_method
from asst.nn.network import ASSTOutput

STEPS, CHANNELS = 16, 4
SETTINGS = {
    "feature_channels": CHANNELS,
    "dilation_layers": 1,
    "squeezing_layers": 2,
    "dilation_channels": 8,
    "channels": 8,
    "steps": STEPS,
    "levels": 3,
    "labels": ["cliff dive", "dive", "throw"],
    "includes": {"dive": ["cliff dive"]},
}


def method(**changes: object) -> DetectorMethod:
    torch.manual_seed(0)
    return DetectorMethod({**SETTINGS, **changes}).eval()


def batch(*spans: list[tuple[float, float, int]], steps: int = STEPS) -> Batch:
    draw = np.random.default_rng(0)
    samples = []
    for index, own in enumerate(spans):
        array = np.array(own, dtype=np.float64).reshape(-1, 3)
        samples.append(
            Sample(
                index,
                Window(0.0, 1.0, steps),
                draw.standard_normal((steps, CHANNELS)).astype(np.float32),
                np.zeros((0, 1), dtype=np.float32),
                array[:, :2],
                labels=array[:, 2].astype(np.int64),
            )
        )
    return Collate(STEPS)(samples)


def share_with(keys: torch.Tensor) -> Share:
    return Share(lambda width: keys[:, :width], lambda value: value)


@pytest.fixture
def keys() -> Callable[[int], torch.Tensor]:
    return lambda count: torch.rand(count, 1000, generator=torch.Generator().manual_seed(3))


def test_the_class_loss_is_the_mean_over_one_positive_to_five_negatives(
    keys: Callable[[int], torch.Tensor],
) -> None:
    """Against a loop over anchors: one span that is an anchor exactly, and the five negatives of the smallest keys."""
    detector, drawn = method(), keys(1)
    seen = batch([(4.0, 8.0, 3)])
    out = detector.network(seen.features, seen.feature_mask)
    logs = out.logits[0].log_softmax(dim=1).detach()
    clips = detector.network.clips.tolist()
    shared = [max(0.0, min(end, 8.0) - max(start, 4.0)) for start, end in clips]
    overlaps = [s / (end - start + 4.0 - s) for s, (start, end) in zip(shared, clips, strict=True)]
    positive = [place for place, value in enumerate(overlaps) if value >= 0.5]
    others = sorted((float(drawn[0, p]), p) for p in range(len(clips)) if p not in positive)
    negative = [place for _, place in others[: NEGATIVES * len(positive)]]
    total = -sum(float(logs[p, 3]) for p in positive) - sum(float(logs[p, 0]) for p in negative)
    loss = detector.loss(seen, share_with(drawn))
    assert float(loss.parts["class"].detach()) == pytest.approx(total / (len(positive) + len(negative)), rel=1e-5)
    assert float(loss.total.detach()) > float(loss.parts["class"].detach())


def test_an_ambiguous_stretch_gives_no_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anchors inside it get no gradient; others do."""
    detector = method()
    seen = batch([(0.0, 8.0, -1), (8.0, 12.0, 1)])
    read = detector.network.forward
    touched: list[torch.Tensor] = []

    def watched(features: torch.Tensor, mask: torch.Tensor, *, clips: torch.Tensor) -> ASSTOutput:
        out = read(features, mask, clips=clips)
        hook = out.logits.register_hook
        hook(lambda grad: touched.append(clips[grad.abs().sum(dim=2) > 0]))  # type: ignore[no-untyped-call]
        return out

    monkeypatch.setattr(detector.network, "forward", watched)
    detector.loss(seen, share_with(torch.full((1, 1000), 0.5))).total.backward()  # type: ignore[no-untyped-call]
    inside = [(min(end, 8.0) - start) / (end - start) for start, end in touched[0].tolist()]
    assert len(inside) > 4
    assert max(inside) <= 0.5


def test_a_batch_without_any_action_teaches_background(keys: Callable[[int], torch.Tensor]) -> None:
    loss = method().loss(batch([], []), share_with(keys(2)))
    assert float(loss.total.detach()) > 0
    assert float(loss.parts["offsets"].detach()) == 0


def test_a_class_has_the_scores_of_its_parts_and_spans_are_the_same_for_all() -> None:
    detector = method()
    seen = batch([], [])
    answers = detector.answers(seen)
    clips, classes = len(detector.network.clips), 3
    assert answers.labels is not None
    assert answers.scores.shape == answers.labels.shape == answers.kept.shape == (2, clips * classes)
    out = detector.network(seen.features, seen.feature_mask)
    shares = out.logits.softmax(dim=2)[..., 1:].detach().numpy()
    scores = answers.scores.reshape(2, clips, classes)
    np.testing.assert_allclose(scores[..., 0], shares[..., 0], atol=1e-6)
    np.testing.assert_allclose(scores[..., 1], shares[..., 0] + shares[..., 1], atol=1e-6)
    np.testing.assert_allclose(scores[..., 2], shares[..., 2], atol=1e-6)
    assert answers.labels.reshape(2, clips, classes)[1, 5].tolist() == [0, 1, 2]
    spans = answers.spans.reshape(2, clips, classes, 2)
    assert (spans == spans[:, :, :1]).all()


def test_anchors_outside_a_short_window_are_not_kept() -> None:
    detector = method()
    answers = detector.answers(batch([], steps=9))
    ends = detector.network.clips[:, 1].numpy().repeat(3)
    assert (answers.kept[0] == (ends <= 9)).all()


def test_it_is_built_again_from_its_settings() -> None:
    detector = method()
    again = build_method("detector", detector.settings)
    again.load_state_dict(detector.state_dict())
    seen = batch([])
    np.testing.assert_array_equal(again.eval().answers(seen).scores, detector.answers(seen).scores)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": []}, "labels: Tuple should have at least 1 item"),
        ({"labels": ["a", "a"], "includes": {}}, "labels must name each class once"),
        ({"includes": {"dive": ["swim"]}}, "includes names 'swim', which is no class"),
        ({"head": "detection", "classes": 0}, "head: Input should be 'action'"),
        ({"feeding": "multiple"}, "feeding: Input should be 'none'"),
        ({"width": 3}, "detector: width: no such setting; there are"),
    ],
)
def test_settings_that_make_no_detector_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        method(**changes)


def test_samples_without_classes_are_refused(seen: Batch, share: Callable[[], Share]) -> None:
    with pytest.raises(InputError, match="learns from labelled spans"):
        method().loss(seen, share())
