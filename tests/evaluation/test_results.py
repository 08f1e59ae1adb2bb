"""Result files keep what was measured, and are read from folders called results alone."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from asst.errors import InputError
from asst.evaluation.bootstrap import Interval
from asst.evaluation.results import Figure, Result, read_result, read_results, write_result
from asst.evaluation.scoring import Evaluation

from ..kept_result import C3D

RESULT = replace(C3D, metrics={"r@1,iou=0.5": Figure(37.04, 35.0, 39.1), "miou": Figure(30.0)}, seconds=1.5)


def test_what_is_written_is_read_back_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "run" / "results" / "test.json"
    write_result(RESULT, path)
    write_result(RESULT, path)
    assert read_result(path) == RESULT
    assert list(read_result(path).metrics) == list(RESULT.metrics)
    assert [each.name for each in path.parent.iterdir()] == ["test.json"]
    assert json.loads(path.read_text()) == {
        "recipe": "charades_sta/c3d",
        "dataset": "charades_sta",
        "split": "test",
        "data": "real",
        "extractor": "c3d",
        "model": "asst",
        "metrics": {
            "r@1,iou=0.5": {"mean": 37.04, "low": 35.0, "high": 39.1},
            "miou": {"mean": 30.0, "low": None, "high": None},
        },
        "queries": 3720,
        "seconds": 1.5,
    }


def test_an_evaluation_becomes_a_result_in_per_cent() -> None:
    metrics = {"rank@1": Interval(0.194, 0.18, 0.21), "miou": Interval(0.25, math.nan, math.nan)}
    evaluation = Evaluation("didemo", "val", 4180, 1094, metrics)
    found = Result.of(evaluation, recipe="didemo/rgb", data="simulated", extractor="x", model="m", seconds=2.0)
    assert found.metrics == {"rank@1": Figure(19.4, 18.0, 21.0), "miou": Figure(25.0)}
    assert (found.dataset, found.split, found.queries, found.data) == ("didemo", "val", 4180, "simulated")


def test_results_are_looked_for_in_folders_of_that_name_only(tmp_path: Path) -> None:
    for place in ("b/results/1.json", "a/deep/results/2.json", "results/3.json"):
        write_result(RESULT, tmp_path / place)
    (tmp_path / "a" / "config.json").write_text("{}")
    (tmp_path / "results" / "notes.txt").write_text("x")
    assert read_results(tmp_path) == [RESULT] * 3
    assert read_results(tmp_path / "results") == [RESULT]
    assert read_results(tmp_path / "a") == [RESULT]
    with pytest.raises(InputError, match="no such folder of results"):
        read_results(tmp_path / "none")


@pytest.mark.parametrize("place", ["run/test.json", "results/test.txt"])
def test_a_result_is_not_written_where_it_would_not_be_found(tmp_path: Path, place: str) -> None:
    with pytest.raises(InputError, match="a folder called results"):
        write_result(RESULT, tmp_path / place)


@pytest.mark.parametrize(
    "change",
    [
        {"data": "made up"},
        {"metrics": {}},
        {"metrics": {"miou": 3}},
        {"metrics": {"miou": {"mean": "3"}}},
        {"metrics": {"miou": {"mean": float("nan")}}},
        {"queries": 0},
        {"seconds": None},
        {"recipe": ""},
        {"split": 3},
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "results" / "a.json"
    write_result(RESULT, path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "later": 1}))
    assert read_result(path) == RESULT
    path.write_text(json.dumps(content | change))
    with pytest.raises(InputError, match=r"a\.json: not a result"):
        read_results(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in ("", "[]", "{", '{"metrics": 1e999}'):
        path.write_text(content)
        with pytest.raises(InputError, match=r"a\.json: not a result"):
            read_result(path)
    with pytest.raises(InputError, match="cannot read"):
        read_result(tmp_path / "none.json")
