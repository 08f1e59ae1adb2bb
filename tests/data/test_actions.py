"""Labelled spans: THUMOS14 as its authors publish it, and the form of our own."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from asst.data import read_actions
from asst.data.actions import ActionDataset, LabelledSpan
from asst.errors import InputError


def outside(dataset: ActionDataset) -> Counter[str]:
    return Counter(problem.path.stem.split("_")[0] for problem in dataset.problems if problem.dropped)


def test_the_validation_part_of_thumos14(shared_data: Path) -> None:
    dataset = read_actions("thumos14", shared_data / "thumos14", "trainval")
    assert (len(dataset.videos), len(dataset.labels)) == (200, 20)
    assert sum(len(video.annotated) for video in dataset.videos) == 3007
    assert sum(len(video.actions) for video in dataset.videos) == 3003
    assert sum(len(video.ignored) for video in dataset.videos) == 89
    assert outside(dataset) == {"HighJump": 2, "SoccerPenalty": 2}


def test_the_test_part_of_thumos14(shared_data: Path) -> None:
    dataset = read_actions("thumos14", shared_data / "thumos14", "test")
    assert (len(dataset.videos), len(dataset.labels)) == (213, 20)
    assert sum(len(video.annotated) for video in dataset.videos) == 3358
    assert outside(dataset) == {"HammerThrow": 22, "ThrowDiscus": 3, "Diving": 1}
    (repaired,) = (problem for problem in dataset.problems if not problem.dropped)
    assert repaired.where == "video_test_0001292"
    (alone,) = (video for video in dataset.videos if video.video == repaired.where)
    assert not alone.actions
    assert len(alone.ignored) == 3
    by_label = {
        label: {(v.video, a.start_s) for v in dataset.videos for a in v.annotated if a.label == label}
        for label in ("Diving", "CliffDiving")
    }
    assert by_label["CliffDiving"] < by_label["Diving"]


def test_checkpoints_are_chosen_on_videos_that_are_not_learnt_from(shared_data: Path) -> None:
    parts = {split: read_actions("thumos14", shared_data / "thumos14", split) for split in ("train", "val", "trainval")}
    names = {split: {video.video for video in part.videos} for split, part in parts.items()}
    assert (len(names["train"]), len(names["val"])) == (180, 20)
    assert names["train"] | names["val"] == names["trainval"]
    assert not names["train"] & names["val"]
    assert {video.split for video in parts["val"].videos} == {"val"}


@pytest.mark.parametrize(
    ("end", "reason"), [("1" + "0" * 400, "end_s is missing or no number"), ("1e308", "1-1e+308 s are no times")]
)
def test_an_action_with_an_absurd_time_is_left_out_alone(tmp_path: Path, end: str, reason: str) -> None:
    actions = f'{{"label": "a", "start_s": 1, "end_s": 2}}, {{"label": "b", "start_s": 1, "end_s": {end}}}'
    (tmp_path / "val.jsonl").write_text(f'{{"video": "v", "duration": 9, "actions": [{actions}]}}\n' + "[" * 3000)
    dataset = read_actions("actions", tmp_path, "val")
    assert [action.label for video in dataset.videos for action in video.annotated] == ["a"]
    first, second = dataset.problems
    assert (first.where, second.where) == ("line 1, action 1", "line 2")
    assert first.reason.startswith(reason)


@pytest.fixture
def thumos(tmp_path: Path) -> Path:
    """A folder of THUMOS14's form."""
    (tmp_path / "annotations_test").mkdir()
    files = {
        "CliffDiving": "v1  10.0 14.0\n",
        "Diving": "v1  20.0 32.0\nv1  31.0 33.0\nv1 5.0\nv2 a 3.0\n",
        "Ambiguous": "v1  1.0 2.0\n",
    }
    for label, lines in files.items():
        (tmp_path / "annotations_test" / f"{label}_test.txt").write_text(lines)
    (tmp_path / "annotations_test" / "readme.txt").write_text("not annotation\n")
    (tmp_path / "video_info.json").write_text(json.dumps({"v1": {"duration": 30.0}, "v2": {"duration": 9.0}}))
    return tmp_path


def test_spans_are_cut_and_a_cliff_dive_is_a_dive(thumos: Path) -> None:
    dataset = read_actions("thumos14", thumos, "test")
    video = next(video for video in dataset.videos if video.video == "v1")
    cliff, dive = LabelledSpan("CliffDiving", 10.0, 14.0), LabelledSpan("Diving", 10.0, 14.0)
    assert video.actions == (cliff, LabelledSpan("Diving", 20.0, 30.0), dive)
    assert video.annotated == (cliff, LabelledSpan("Diving", 20.0, 32.0), LabelledSpan("Diving", 31.0, 33.0), dive)
    assert video.ignored == ((1.0, 2.0),)
    assert [(problem.path.name, problem.where, problem.dropped) for problem in dataset.problems] == [
        ("Diving_test.txt", "line 1", False),
        ("Diving_test.txt", "line 2", True),
        ("Diving_test.txt", "line 3", True),
        ("Diving_test.txt", "line 4", True),
    ]
    assert dataset.includes == {"Diving": ("CliffDiving",)}


def test_a_folder_without_annotation_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no annotation such as Diving_test\.txt in .*annotations_test"):
        read_actions("thumos14", tmp_path, "test")
    with pytest.raises(InputError, match="no data set of actions 'thumos15'; there are thumos14, actions"):
        read_actions("thumos15", tmp_path, "test")
    with pytest.raises(InputError, match="THUMOS14 has no split 'dev'"):
        read_actions("thumos14", tmp_path, "dev")


def test_own_annotation_keeps_the_good_actions_of_a_line(tmp_path: Path) -> None:
    good = {"label": "jump", "start_s": 1.0, "end_s": 3.0}
    lines: list[Any] = [
        {"video": "a", "duration": 10.0, "actions": [good, {"label": "jump", "start_s": 9}, {**good, "end_s": 12.0}]},
        {"video": "a", "duration": 10.0, "actions": [good]},
        {"video": "b", "duration": 10.0, "actions": [], "ignored": [[2.0, 4.0], [5.0, 5.0]]},
        {"video": "c", "duration": 0, "actions": [good]},
        7,
    ]
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, lines)))
    dataset = read_actions("actions", tmp_path, "test")
    assert {video.video: video.actions for video in dataset.videos} == {
        "a": (LabelledSpan("jump", 1.0, 3.0), LabelledSpan("jump", 1.0, 10.0)),
        "b": (),
    }
    assert dataset.videos[1].ignored == ((2.0, 4.0),)
    assert [(problem.where, problem.dropped) for problem in dataset.problems] == [
        ("line 1, action 1", True),
        ("line 1, action 2", False),
        ("line 2", True),
        ("line 3, ignored 1", True),
        ("line 4", True),
        ("line 5", True),
    ]
