"""Each reader on small files with the faults that real ones have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from asst.cli.app import app
from asst.data import read_dataset, validation_videos
from asst.data.readers import didemo, jsonlines, qvhighlights
from asst.data.readers.charades import read_classes, read_sta, read_videos
from asst.data.readers.video_captions import read_activitynet, read_tacos
from asst.data.record import Dataset, Record
from asst.data.rows import clean_span
from asst.errors import InputError


def told(dataset: Dataset) -> list[tuple[str, str, bool]]:
    return [(problem.where, problem.reason, problem.dropped) for problem in dataset.problems]


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def own(**changes: Any) -> dict[str, Any]:
    return {"video": "a.mp4", "duration": 10, "sentence": "a door opens", "moments": [[1, 2]]} | changes


def test_every_bad_line_is_reported_with_its_line_and_the_good_ones_are_kept(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "mine.jsonl",
        own(),
        "{broken",
        "[1]",
        "",
        own(sentence="  ...  "),
        own(video=7),
        own(duration="10"),
        own(duration=-1),
        own(moments=[[1, 2, 3]]),
        own(moments=[[1, True]]),
        own(moments=[]),
        own(moments=[[3, 3]]),
        own(sentence="  two\twords "),
    )
    dataset = jsonlines.read(path, "train")
    assert [(record.id, record.sentence) for record in dataset.records] == [
        ("mine-1", "a door opens"),
        ("mine-13", "two words"),
    ]
    assert [(where, reason.split(":")[0]) for where, reason, _ in told(dataset)] == [
        ("line 2", "not JSON (Expecting property name enclosed in double quotes"),
        ("line 3", "the line is no object"),
        ("line 5", "the sentence has no word"),
        ("line 6", "video is missing or no text"),
        ("line 7", "duration is missing or no number"),
        ("line 8", "duration must lie between 0.001 and 1e+07 s, not -1"),
        ("line 9", "a moment is no pair of start and end"),
        ("line 10", "a moment is missing or no number"),
        ("line 11", "no moment"),
        ("line 12", "3-3 s has no length"),
    ]
    assert all(problem.dropped for problem in dataset.problems)
    with pytest.raises(InputError, match=r"mine\.jsonl, line 2: not JSON .*9 more like it"):
        dataset.strict()


HUGE = "1" + "0" * 400


@pytest.mark.parametrize(
    ("video", "duration", "moments", "reason"),
    [
        ("v", HUGE, "[[1, 2]]", "duration is missing or no number"),
        ("v", "-" + "9" * 5000, "[[1, 2]]", "duration is missing or no number"),
        ("v", "1e400", "[[1, 2]]", "duration is missing or no number"),
        ("v", "NaN", "[[1, 2]]", "duration is missing or no number"),
        ("v", "1e300", "[[1, 2]]", "duration must lie between"),
        ("v", "5e-324", "[[0, 1]]", "duration must lie between"),
        ("v", "9", f"[[1, {HUGE}]]", "a moment is missing or no number"),
        ("v", "9", "[[1, 1e308]]", "1-1e+308 s are no times of a video"),
        ("v", "9", "[" * 3000, "not JSON (brackets nested too deep to be read)"),
        ("v", '{"a":' * 100_000, "[]", "not JSON (brackets nested too deep to be read)"),
        ("v", "9", "[" * 900 + "]" * 900, "a moment is no pair"),
        ("\\ud800", "9", "[[1, 2]]", "video holds half of a character"),
    ],
)
def test_absurd_numbers_and_nesting_are_a_lines_own_problem(
    tmp_path: Path, video: str, duration: str, moments: str, reason: str
) -> None:
    line = f'{{"video": "{video}", "duration": {duration}, "sentence": "x", "moments": {moments}}}'
    dataset = jsonlines.read(lines(tmp_path / "mine.jsonl", own(), line, own()), "train")
    assert [record.id for record in dataset.records] == ["mine-1", "mine-3"]
    ((where, found, dropped),) = told(dataset)
    assert (where, dropped) == ("line 2", True)
    assert found.startswith(reason)
    assert len(found) < 120


def test_a_data_set_of_which_nothing_is_usable_says_why(tmp_path: Path) -> None:
    for split, line in (("train", "[" * 3000), ("val", json.dumps(own(duration=-1)))):
        lines(tmp_path / f"{split}.jsonl", line, "", line)
    done = CliRunner().invoke(app, ["audit", "jsonlines", "--data", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (2, "")
    place = f"{tmp_path / 'train.jsonl'}, line 1: not JSON (brackets nested too deep to be read) (left out); 3 more"
    told = f"asst: jsonlines: no annotation with a usable record in {tmp_path} ({place} like it)"
    assert done.stderr == f"{told}; name its folder with --data\n"


def test_absurd_numbers_and_nesting_of_a_whole_file_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text('{"v": {"sentences": ["a [ {"],\n "timestamps":\n' + "[" * 3000)
    with pytest.raises(InputError, match=r"train\.json: not JSON \(brackets nested too deep to be read\); fetch"):
        read_activitynet(path, "train")
    entry = {"sentences": ["a cat", "a dog"], "timestamps": [[1, 2], "AT"], "num_frames": 100, "fps": 5, "duration": 9}
    path.write_text(json.dumps({"v": entry}).replace('"AT"', f"[0, {HUGE}]"))
    for reader in (read_activitynet, read_tacos):
        dataset = reader(path, "train")
        assert [record.id for record in dataset.records] == ["v-0"]
        assert told(dataset) == [("v, sentence 1", "a timestamp is missing or no number: inf", True)]
    path.write_text(json.dumps({"v": entry | {"timestamps": [[1, 2], [1, 3]], "num_frames": 1e308, "fps": 1e-300}}))
    assert told(read_tacos(path, "train")) == [("v", "num_frames / fps is missing or no number: inf", True)]


def test_a_field_that_is_too_long_for_csv_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "Charades_v1_train.csv"
    path.write_text(f"id,scene,objects,actions,length\nA,Kitchen,cup,,30\nB,{'x' * 200_000},cup,,30\n")
    with pytest.raises(InputError, match=r"Charades_v1_train\.csv, line 3: not CSV \(field larger"):
        read_videos(path)


def test_spans_are_repaired_and_the_repair_is_told(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "mine.jsonl",
        own(moments=[[6, 4], [8, 11], [12, 13], [-1, 1]]),
        own(id="x"),
        own(id="x"),
        own(duration=10.005),
        own(duration=12, moments=[[9, 12]]),
    )
    dataset = jsonlines.read(path, "train")
    assert dataset.records[0].moments == ((4.0, 6.0), (8.0, 10.0), (0.0, 1.0))
    assert dataset.records[0].annotated == ((6.0, 4.0), (8.0, 11.0), (12.0, 13.0), (-1.0, 1.0))
    assert [record.duration_s for record in dataset.records] == [10.0] * 4
    assert dataset.records[3].moments == ((9.0, 10.0),)
    assert told(dataset) == [
        (
            "line 1",
            "6-4 s runs backwards; turned round; 8-11 s ends after the video (10 s); cut; "
            "12-13 s lies outside the video (10 s); -1-1 s starts before the video; cut",
            False,
        ),
        ("line 3", "a second row with id x", True),
        ("line 5", "a.mp4 lasts 12 s here and 10 s before; took 10 s; 9-12 s ends after the video (10 s); cut", False),
    ]


@given(st.floats(-50, 150), st.floats(-50, 150), st.floats(0.5, 100))
def test_a_repaired_span_lies_in_the_video_and_covers_what_the_old_one_did(a: float, b: float, length: float) -> None:
    span, faults = clean_span((a, b), length)
    covered = max(0.0, min(max(a, b), length) - max(min(a, b), 0.0))
    if span is None:
        assert covered == 0
        assert faults
    else:
        assert 0 <= span[0] < span[1] <= length
        assert span[1] - span[0] == covered
        assert bool(faults) == (span != (a, b))


def test_a_line_separator_inside_a_sentence_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(own(sentence="a door\u2028opens"), ensure_ascii=False), encoding="utf-8")
    assert jsonlines.read(path, "train").strict().records[0].sentence == "a door opens"


def test_didemos_entries_are_reported_by_their_place(tmp_path: Path) -> None:
    def entry(**changes: Any) -> dict[str, Any]:
        good = {"num_segments": 6, "description": "it moves", "times": [[0, 0]] * 4, "video": "v", "annotation_id": 1}
        return good | changes

    path = tmp_path / "val_data.json"
    path.write_text(
        json.dumps([entry(), entry(), entry(annotation_id=2, times=[[0, 5]], num_segments=5), entry(times=[[2, 1]])])
    )
    dataset = didemo.read(path, "val")
    assert len(dataset.records) == 1
    assert told(dataset) == [
        ("entry 1", "a second row with id 1", True),
        ("entry 2", "clip [0, 5] is not within 5 pieces", True),
        ("entry 3", "clip [2, 1] is not within 6 pieces", True),
    ]


CHARADES = "id,scene,objects,actions,length\nAAAAA,Kitchen,cup;dish,c001 1.00 9.50;c002 3.00 2.00,8.00\n"


def test_charades_sta_reports_lines_and_videos_without_length(tmp_path: Path) -> None:
    videos = tmp_path / "Charades_v1_train.csv"
    videos.write_text(CHARADES + "BBBBB,Kitchen,,c1 2,8\nCCCCC,Kitchen,,,soon\nAAAAA,Hall,,,5\n")
    path = lines(
        tmp_path / "charades_sta_train.txt",
        "AAAAA 1.0 9.5##a person eats.",
        "AAAAA 1.0 9.5 a person eats.",
        "BBBBB 1.0 2.0##a person sits.",
        "AAAAA 1.0 x##a person sits.",
        "AAAAA 3.0 2.0##a person drinks ## coffee.",
        "",
    )
    dataset = read_sta(path, videos, "train")
    assert [(record.id, record.moments, record.sentence) for record in dataset.records] == [
        ("charades_sta_train-1", ((1.0, 8.0),), "a person eats."),
        ("charades_sta_train-5", ((2.0, 3.0),), "a person drinks ## coffee."),
    ]
    assert [(where, reason) for where, reason, gone in told(dataset) if gone] == [
        ("line 2", "expected 'VIDEO START END##sentence'"),
        ("line 3", "BBBBB has no length in Charades_v1_train.csv"),
        ("line 4", "end is no number: 'x'"),
    ]
    charades = read_videos(videos)
    assert [(action.label, action.start_s, action.end_s) for action in charades.videos["AAAAA"].actions] == [
        ("c001", 1.0, 8.0),
        ("c002", 2.0, 3.0),
    ]
    assert [(problem.where, problem.dropped) for problem in charades.problems] == [
        ("line 2", False),
        ("line 3", True),
        ("line 4", True),
        ("line 5", True),
    ]


def test_charades_files_of_another_form_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks the column scene"):
        read_videos(lines(tmp_path / "a.csv", "id,length", "AAAAA,3"))
    with pytest.raises(InputError, match="line 2: expected a class"):
        read_classes(lines(tmp_path / "classes.txt", "c000 Holding some clothes", "001 Putting"))


@pytest.mark.parametrize(("reader", "extra"), [(read_activitynet, {"duration": 8}), (read_tacos, {})])
def test_parallel_lists_are_checked_by_video_and_sentence(tmp_path: Path, reader: Any, extra: dict[str, Any]) -> None:
    base = {"fps": 25.0, "num_frames": 200} | extra
    path = tmp_path / "train.json"
    path.write_text(
        json.dumps(
            {
                "a": base | {"sentences": ["one", None, "three"], "timestamps": [[0, 3], [0, 2], [1]]},
                "b": base | {"sentences": ["one"], "timestamps": []},
                "c": {"sentences": ["one"], "timestamps": [[0, 1]]},
                "d": 3,
            }
        )
    )
    dataset = reader(path, "train")
    assert [(record.id, record.duration_s) for record in dataset.records] == [("a-0", 8.0)]
    assert [where for where, _, _ in told(dataset)] == ["a, sentence 1", "a, sentence 2", "b", "c", "d"]
    assert told(dataset)[2][1] == "1 sentences and 0 timestamps"


def test_qvhighlights_without_spans_gives_problems_and_no_records(tmp_path: Path) -> None:
    path = lines(tmp_path / "highlight_test_release.jsonl", {"qid": 1, "query": "a cat", "duration": 150, "vid": "v"})
    assert told(qvhighlights.read(path, "test")) == [("line 1", "relevant_windows is missing or no list: None", True)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[1, 2", r"val_data\.json: not JSON \(Expecting ',' delimiter: line 1"),
        (b"{}", "holds no JSON list"),
        (b"\xff\xfe", "is not UTF-8"),
        (None, "cannot read .*No such file"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_an_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "val_data.json").write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_dataset("didemo", tmp_path, "val")
    assert "\n" not in str(caught.value)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=40), st.randoms())
def test_held_out_videos_depend_on_names_alone(videos: list[str], random: Any) -> None:
    chosen = validation_videos(videos)
    shuffled = videos * 2
    random.shuffle(shuffled)
    assert validation_videos(shuffled) == chosen
    assert chosen <= set(videos)
    assert 0 <= len(chosen) - len(set(videos)) / 10 < 1


def test_held_out_videos_are_fixed_for_ever() -> None:
    videos = [f"v{index}" for index in range(20)]
    assert sorted(validation_videos(videos)) == ["v3", "v9"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sentence": " "}, "needs an id"),
        ({"duration_s": 0.0}, "positive"),
        ({"moments": ()}, "no moment"),
        ({"moments": ((2.0, 11.0),)}, "no span"),
        ({"moments": ((2.0, float("nan")),)}, "no span"),
    ],
)
def test_a_record_checks_itself(changes: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"id": "1", "video": "v", "split": "val", "sentence": "a cat", "duration_s": 10.0}
    good |= {"moments": ((1.0, 2.0),), "annotated": ((1.0, 2.0),)}
    assert hash(Record(**good, extra={"kind": []})) == hash(Record(**good))
    with pytest.raises(ValueError, match=message):
        Record(**(good | changes))


def test_the_splits_under_changing_distributions_are_read_as_published(tmp_path: Path) -> None:
    lists = {"sentences": ["A dog."], "timestamps": [[1, 4]]}
    (tmp_path / "charades_test_ood.json").write_text(
        json.dumps({"V": {**lists, "video_duration": 9.5, "decode_fps": 24}})
    )
    (tmp_path / "anet_train.json").write_text(json.dumps({"v_1": {**lists, "duration": 9.5}}))
    for name, split in (("charades_cd", "test_ood"), ("activitynet_cd", "train")):
        (record,) = read_dataset(name, tmp_path, split).records
        assert (record.split, record.duration_s, record.moments) == (split, 9.5, ((1.0, 4.0),))
