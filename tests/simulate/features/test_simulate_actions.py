"""Simulated features of labelled spans: what they depend on, and that they hold what they should."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from asst.cli.app import app
from asst.data.actions import ActionVideo, LabelledSpan
from asst.data.record import Span
from asst.features.stores.native import Store
from asst.moments import FloatArray
from asst.simulate.features.actions import ACTION_MODALITIES, FAMILY, KINDS, ActionSimulator
from asst.simulate.features.painting import ar1_noise, long_ar1_noise
from asst.simulate.features.settings import LEVELS, Level, Settings

LABELS = ("CliffDiving", "Diving", "HighJump", "LongJump", "CleanAndJerk")
INCLUDES = {"Diving": ("CliffDiving",)}
SILENT = replace(LEVELS["easy"], noise=0.0, missed=0.0, confused=0.0, jitter_s=0.0)


def example(name: str, *actions: tuple[str, float, float], ignored: tuple[Span, ...] = ()) -> ActionVideo:
    spans = tuple(LabelledSpan(*action) for action in actions)
    return ActionVideo(name, "train", 60.0, spans, spans, ignored)


def vectors(video: ActionVideo, modality: str = "flow", level: Level = SILENT, seed: int = 0) -> FloatArray:
    settings = Settings(family=FAMILY, modality=ACTION_MODALITIES[modality], level=level, seed=seed, dimension=32)
    made: FloatArray = ActionSimulator(LABELS, INCLUDES, settings).features(video).vectors.astype(np.float64)
    return made


def test_features_last_as_long_as_the_video_and_name_their_origin() -> None:
    settings = Settings(family=FAMILY, modality=ACTION_MODALITIES["rgb"], level=LEVELS["standard"], dimension=16)
    features = ActionSimulator(LABELS, INCLUDES, settings).features(example("v", ("HighJump", 10, 14)))
    assert features.vectors.shape == (240, 16)
    assert (features.step_s, features.extractor) == (0.25, "simulated-thumos14-rgb-standard")


def test_they_depend_on_video_seed_and_modality_and_on_nothing_else() -> None:
    video = example("v", ("HighJump", 10, 14))
    first = vectors(video, level=LEVELS["standard"])
    assert (first == vectors(video, level=LEVELS["standard"])).all()
    assert (first == vectors(replace(video, split="test"), level=LEVELS["standard"])).all()
    for other in (
        vectors(replace(video, video="w"), level=LEVELS["standard"]),
        vectors(video, level=LEVELS["standard"], seed=1),
        vectors(video, "rgb", LEVELS["standard"]),
    ):
        assert not np.allclose(first, other)


def test_without_noise_a_step_tells_its_action_and_classes_of_a_kind_look_alike() -> None:
    """Videos of one name have one subject: what differs between them is the action."""
    shown = {label: vectors(example("v", (label, 20, 40), ("CleanAndJerk", 1, 3)))[110:130] for label in LABELS}
    means = {label: own.mean(axis=0) for label, own in shown.items()}
    assert all(np.ptp(own, axis=0).max() < 0.2 for own in shown.values())

    def apart(a: str, b: str) -> float:
        return float(np.linalg.norm(means[a] - means[b]))

    assert 0 < apart("HighJump", "LongJump") < apart("HighJump", "CleanAndJerk")
    assert 0 < apart("CliffDiving", "Diving") < apart("Diving", "HighJump")


def test_a_cliff_dive_that_is_a_dive_too_looks_like_a_cliff_dive_alone() -> None:
    both = vectors(example("v", ("CliffDiving", 20, 40), ("Diving", 20, 40)))
    assert (both == vectors(example("v", ("CliffDiving", 20, 40)))).all()


def test_an_open_stretch_alone_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asst.simulate.features.actions.EVERY_S", 1e12)
    plain = vectors(example("v", ("HighJump", 50, 55)))
    open_stretch = vectors(example("v", ("HighJump", 50, 55), ignored=((5.0, 15.0),)))
    changed = np.abs(plain - open_stretch).max(axis=1) > 1e-3
    assert changed[24:56].all()
    assert not changed[64:180].any()


def test_levels_miss_and_confuse_as_many_actions_as_they_say() -> None:
    settings = Settings(family=FAMILY, modality=ACTION_MODALITIES["flow"], level=LEVELS["hard"], dimension=8)
    mistaken = {"HighJump": ["LongJump"]}
    seen = ActionSimulator([], {}, settings).perceived(np.random.default_rng(0), ["HighJump"] * 4000, mistaken)
    assert set(seen) == {"HighJump", "LongJump", ""}
    assert seen.count("") / 4000 == pytest.approx(LEVELS["hard"].missed, abs=0.02)
    assert seen.count("LongJump") / 4000 == pytest.approx(LEVELS["hard"].confused, abs=0.02)


def test_every_class_of_thumos14_is_of_one_kind(shared_data: Path) -> None:
    files = (shared_data / "thumos14" / "annotations_test").glob("*_test.txt")
    labels = sorted(path.stem.removesuffix("_test") for path in files if "Ambiguous" not in path.name)
    assert sorted(label for members in KINDS.values() for label in members) == labels


def test_noise_of_a_long_video_is_the_same_process() -> None:
    whole = ar1_noise(np.random.default_rng(0), 700, 4, 0.85)
    parts = long_ar1_noise(np.random.default_rng(0), 700, 4, 0.85)
    np.testing.assert_allclose(parts, whole, atol=1e-4)
    short = long_ar1_noise(np.random.default_rng(0), 90, 4, 0.85)
    np.testing.assert_allclose(short, whole[:90], atol=1e-5)


def test_the_command_makes_those_of_every_video_once(tmp_path: Path) -> None:
    lengths = {}
    for part, video in (("val", "v1"), ("test", "t1")):
        (tmp_path / f"annotations_{part}").mkdir()
        (tmp_path / f"annotations_{part}" / f"HighJump_{part}.txt").write_text(f"{video}  2.0 4.0\n")
        lengths[video] = {"duration": 8.0}
    (tmp_path / "video_info.json").write_text(json.dumps(lengths))
    words = ["simulate", str(tmp_path / "s"), "--dataset", "thumos14", "--data", str(tmp_path), "--modality", "rgb"]
    first = CliRunner().invoke(app, words)
    assert "of 2 videos" in first.stdout, first.output
    assert Store(tmp_path / "s").videos() == ("t1", "v1")
    assert "of 0 videos" in CliRunner().invoke(app, words).stdout
    wrong = CliRunner().invoke(app, [*words[:-1], "c3d"])
    assert (wrong.exit_code, "of thumos14; choose one of rgb, flow" in wrong.stderr) == (2, True)
    other = CliRunner().invoke(app, ["simulate", str(tmp_path / "x"), "--dataset", "tacos", "--data", str(tmp_path)])
    assert (other.exit_code, "can be simulated for charades_sta, didemo, thumos14" in other.stderr) == (2, True)
