"""``asst evaluate`` of detected actions, on the published THUMOS14 and on small files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.data import read_actions
from asst.evaluation.results import read_result


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, words)])


def save(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def moment(label: str, start_s: float, end_s: float, score: float = 1.0) -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "score": score, "label": label}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    actions = [{"label": "jump", "start_s": 1.0, "end_s": 3.0}, {"label": "run", "start_s": 5.0, "end_s": 9.0}]
    save(tmp_path / "test.jsonl", [{"video": v, "duration": 10.0, "actions": actions} for v in ("a", "b")])
    save(tmp_path / "p.jsonl", [{"video": "a", "moments": [moment("run", 5, 9, 0.3), moment("jump", 1, 2, 0.9)]}])
    return tmp_path


def test_the_files_own_spans_are_a_perfect_score_on_thumos14(shared_data: Path, tmp_path: Path) -> None:
    videos = read_actions("thumos14", shared_data / "thumos14", "test").videos
    rows = [
        {"video": video.video, "moments": [moment(a.label, a.start_s, a.end_s) for a in video.annotated]}
        for video in videos
    ]
    words = ["--dataset", "thumos14", "--split", "test", "--data", str(shared_data / "thumos14"), "--json"]
    result = run(save(tmp_path / "truth.jsonl", rows), *words)
    assert result.exit_code == 0, result.stderr
    content = json.loads(result.stdout)
    assert {key: content[key] for key in content if key.startswith("map")} == {
        **{f"map,iou={iou}": 100.0 for iou in (0.3, 0.4, 0.5, 0.6, 0.7)},
        "map": 100.0,
    }
    assert (content["videos"], len(content["classes"])) == (213, 20)
    assert "1 annotation rows were repaired and 26 left out" in result.stderr


def test_a_file_of_detections_is_scored_and_kept(own: Path) -> None:
    words = ["--dataset", "actions", "--split", "test", "--data", str(own)]
    result = run(own / "p.jsonl", *words, "--json")
    content = json.loads(result.stdout)
    # Of two runs one is found; of two jumps one at an IoU of exactly 0.5, which does not exceed 0.5.
    assert (content["map,iou=0.4"], content["map,iou=0.5"]) == (50.0, 25.0)
    assert content["classes"]["run"]["map,iou=0.7"] == 50.0
    assert "no line for 1 of 2 videos" in result.stderr
    kept = own / "results" / "r.json"
    result = run(own / "p.jsonl", *words, "--result", kept, "--recipe", "own/r", "--features", "f")
    assert "map,iou=0.7" in result.stdout
    assert read_result(kept).metrics["map,iou=0.5"].mean == 25.0
    other = ["--protocol", "activitynet"]
    refused = run(own / "p.jsonl", *words, "--result", kept, "--recipe", "r", "--features", "f", *other)
    assert (refused.exit_code, "holds figures of thumos14's protocol" in refused.stderr) == (2, True)
    (own / "recipe.yaml").touch()
    refused = run(own, "--split", "test", *other)
    assert (refused.exit_code, "goes with a file of predictions" in refused.stderr) == (2, True)
    wide = json.loads(run(own / "p.jsonl", *words, "--json", *other).stdout)
    assert [wide["map,iou=0.5"], wide["map,iou=0.55"]] == [50.0, 25.0]


@pytest.mark.parametrize(
    ("line", "words", "message"),
    [
        ({"video": "a", "moments": [{"start_s": 1, "end_s": 3, "score": 1}]}, [], 'needs its "label"'),
        ({"video": "a"}, [], "moments is missing or no list"),
        ({"video": "c", "moments": []}, [], "no annotation for 1 video: c"),
        ({"video": "a", "moments": []}, ["--protocol", "coco"], "no protocol of detection 'coco'"),
    ],
)
def test_what_is_wrong_with_detections_is_one_line(own: Path, line: Any, words: list[str], message: str) -> None:
    result = run(save(own / "bad.jsonl", [line]), "--dataset", "actions", "--split", "test", "--data", own, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
