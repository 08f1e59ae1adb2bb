"""Every reader on the files as their authors publish them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from asst.data import DATASETS, read_dataset
from asst.data.readers.charades import read_classes, read_videos
from asst.data.readers.didemo import clip_span, span_clip
from asst.data.record import Dataset
from asst.data.rows import clean_span
from asst.errors import InputError
from asst.moments import piece_clips

# What several tests look at is read once.
read = cache(read_dataset)


def dropped(dataset: Dataset) -> list[str]:
    return [problem.where for problem in dataset.problems if problem.dropped]


@pytest.mark.parametrize(("split", "pairs", "videos"), [("val", 4180, 1094), ("test", 4021, 1037)])
def test_didemo(shared_data: Path, split: str, pairs: int, videos: int) -> None:
    dataset = read_dataset("didemo", shared_data / "didemo", split).strict()
    assert (len(dataset.records), len(dataset.video_names)) == (pairs, videos)
    published = json.loads((shared_data / "didemo" / f"{split}_data.json").read_text())
    for record, entry in zip(dataset.records, published, strict=True):
        assert record.duration_s == 30  # all 21 clips are ranked in videos of five pieces too
        assert record.annotated == tuple((5.0 * i, 5.0 * j + 5) for i, j in entry["times"])
        pieces = [set(range(i, j + 1)) for i, j in entry["times"]]
        overlapping = [a for n, a in enumerate(pieces) if any(a & b for m, b in enumerate(pieces) if m != n)]
        kept = [(5.0 * min(clip), 5.0 * max(clip) + 5) for clip in overlapping or pieces]
        assert record.moments == tuple(kept)


def test_didemo_without_its_training_file_says_which_file_is_missing(shared_data: Path) -> None:
    with pytest.raises(InputError, match=r"train_data\.json"):
        read_dataset("didemo", shared_data / "didemo", "train")


def test_didemos_clips_survive_the_way_through_seconds() -> None:
    clips = piece_clips()
    assert len(set(clips)) == 21
    assert [span_clip(clip_span(clip)) for clip in clips] == list(clips)
    assert max(clip_span(clip)[1] for clip in clips) == 30


@pytest.mark.parametrize(
    ("split", "csv_name", "rows", "lost", "past_the_end"),
    [
        ("trainval", "Charades_v1_train.csv", 12408, ["line 8252", "line 9623", "line 9624"], 1805 - 3),
        ("test", "Charades_v1_test.csv", 3720, [], 562),
    ],
)
def test_charades_sta(
    shared_data: Path, split: str, csv_name: str, rows: int, lost: list[str], past_the_end: int
) -> None:
    """Three published rows lie after the end of their video; all others are used."""
    folder = shared_data / "charades_sta"
    dataset = read("charades_sta", folder, split)
    assert dropped(dataset) == lost
    assert len(dataset.records) + len(lost) == rows
    assert sum(record.annotated[0][1] > record.duration_s for record in dataset.records) == past_the_end
    with (folder / csv_name).open(newline="") as file:
        intervals = {
            row["id"]: {tuple(map(float, action.split()[1:])) for action in row["actions"].split(";") if action}
            for row in csv.DictReader(file)
        }
    assert all(record.annotated[0] in intervals[record.video] for record in dataset.records)


def test_charades_sta_moments_are_actions_of_the_video(shared_data: Path) -> None:
    """Both readers cut and turn spans by one rule, so the equality outlives the repairs."""
    folder = shared_data / "charades_sta"
    videos = read_videos(folder / "Charades_v1_train.csv").videos
    for record in read("charades_sta", folder, "trainval").records:
        assert record.moments[0] in {(action.start_s, action.end_s) for action in videos[record.video].actions}
        assert record.duration_s == videos[record.video].duration_s


def test_charades_sta_validation_shares_no_video_with_training(shared_data: Path) -> None:
    folder = shared_data / "charades_sta"
    train, val, both = (read("charades_sta", folder, split) for split in ("train", "val", "trainval"))
    assert not set(train.video_names) & set(val.video_names)
    assert Counter(r.id for r in train.records + val.records) == Counter(r.id for r in both.records)
    assert (len(both.video_names), len(val.video_names), len(val.records)) == (5336, 534, 1258)
    assert {record.split for record in val.records} == {"val"}
    assert not set(both.video_names) & set(read("charades_sta", folder, "test").video_names)


@pytest.mark.parametrize(
    ("name", "split", "videos", "sentences", "lost"),
    [
        ("activitynet_captions", "train", 10009, 37421, ["v_N7ppHQNikv8", "v_4rKTw99bM8g"]),
        ("activitynet_captions", "val", 4917, 17505, []),
        ("activitynet_captions", "test", 4885, 17031, []),
        ("tacos", "train", 75, 9790, []),
        ("tacos", "val", 27, 4436, []),
        ("tacos", "test", 25, 4001, []),
        ("qvhighlights", "train", 7100, 7218, []),
        ("qvhighlights", "val", 1519, 1550, []),
    ],
)
def test_published_counts(
    shared_data: Path, name: str, split: str, videos: int, sentences: int, lost: list[str]
) -> None:
    dataset = read(name, shared_data / name, split)
    assert [where.split(",")[0] for where in dropped(dataset)] == lost
    assert (len(dataset.video_names), len(dataset.records) + len(lost)) == (videos, sentences)


def test_tacos_frames_become_seconds(shared_data: Path) -> None:
    record = read("tacos", shared_data / "tacos", "train").records[0]
    assert record.video == "s17-d69.avi"
    assert record.moments == ((224 / 29.4, 358 / 29.4),)
    assert record.duration_s == 12438 / 29.4


def test_qvhighlights_keeps_every_span_and_the_saliency(shared_data: Path) -> None:
    dataset = read_dataset("qvhighlights", shared_data / "qvhighlights", "val").strict()
    spans = Counter(len(record.moments) for record in dataset.records)
    assert (spans[1], spans[2], max(spans)) == (1020, 278, 25)
    for record in dataset.records:
        seconds = {second for start, end in record.moments for second in range(int(start), int(end))}
        assert seconds == {s for clip in record.extra["relevant_clip_ids"] for s in (2 * clip, 2 * clip + 1)}


def test_own_annotation_keeps_other_keys(shared_data: Path) -> None:
    dataset = read_dataset("jsonlines", shared_data / "real", "all").strict()
    assert (len(dataset.records), len(dataset.video_names)) == (57, 12)
    assert all(set(record.extra) == {"kind", "whole"} for record in dataset.records)
    assert all((shared_data / "real" / video).is_file() for video in dataset.video_names)


def test_charades_rows_and_classes(shared_data: Path) -> None:
    folder = shared_data / "charades_sta"
    classes = read_classes(folder / "classes.txt")
    assert (len(classes), classes["c008"]) == (157, "Opening a door")
    counts = {"train": (7985, 174), "test": (1863, 49)}
    for split, (rows, idle) in counts.items():
        charades = read_videos(folder / f"Charades_v1_{split}.csv")
        assert len(charades.videos) == rows
        assert sum(not video.actions for video in charades.videos.values()) == idle
        assert {a.label for video in charades.videos.values() for a in video.actions} == set(classes)
    video = charades.videos["YSKX3"]
    assert (video.scene, video.objects, video.duration_s) == (
        "Bedroom",
        ("bed", "blanket", "mattress", "pillow"),
        16.62,
    )
    assert next((a.label, a.start_s, a.end_s) for a in video.actions) == ("c077", 12.1, 16.62)


def test_every_data_set_names_its_splits_and_refuses_others() -> None:
    field = {"didemo", "charades_sta", "activitynet_captions", "tacos", "qvhighlights", "charades_cd", "activitynet_cd"}
    assert set(DATASETS) == {*field, "jsonlines"}
    with pytest.raises(InputError, match="no data set 'didem'"):
        read_dataset("didem", Path(), "val")
    with pytest.raises(InputError, match="has no split 'test'; it has train, val"):
        read_dataset("qvhighlights", Path(), "test")


def test_strict_reading_names_the_first_problem(shared_data: Path) -> None:
    with pytest.raises(InputError, match=r"charades_sta_test\.txt, line \d+: .*ends after the video.*561 more"):
        read_dataset("charades_sta", shared_data / "charades_sta", "test").strict()


def test_a_clean_span_is_left_alone() -> None:
    assert clean_span((0.0, 24.0), 24.0) == ((0.0, 24.0), [])
