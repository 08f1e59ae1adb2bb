"""``asst tables``: ours beside the paper's, and simulated figures apart."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.cli.judging import _changes
from asst.evaluation.results import Figure, read_result, write_result
from asst.text import WordVectors
from asst.training.recipe import read_recipe

from ..kept_result import C3D

REAL = replace(C3D, metrics={"r@1,iou=0.5": Figure(36.11, 34.0, 38.0), "r@1,iou=0.7": Figure(17.22, 16.0, 19.0)})
SIMULATED = replace(
    REAL,
    recipe="charades_sta/rgb",
    data="simulated",
    extractor="sim",
    metrics={"r@1,iou=0.5": Figure(91.37, 90.0, 93.0)},
)


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["tables", *map(str, words)])


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_result(REAL, tmp_path / "kept" / "c3d" / "results" / "test.json")
    write_result(SIMULATED, tmp_path / "kept" / "rgb" / "results" / "test.json")
    return tmp_path / "kept"


def test_all_eight_are_printed_without_any_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run()
    assert result.exit_code == 0
    assert [f"Table {n}." in result.stdout for n in range(1, 10)] == [True] * 8 + [False]
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["Fusion", "didemo/fusion", "31.89", "80.17", "47.66"] in lines
    assert ["Dai", "et", "al.", "[6]", "-", "-", "33.3", "25.6", "15.9", "9.0"] in lines
    assert "RGB: needs VGG16 features of the real videos: asst train didemo/rgb" in result.stdout
    assert "simulated" not in result.stdout


def test_ours_stands_beside_the_papers(runs: Path) -> None:
    lines = run("4", "--results", runs).stdout.splitlines()
    (row,) = [line for line in lines if line.startswith("C3D ")]
    figures = ["37.04", "36.11", "18.04", "17.22", "68.12", "38.28"]
    assert row.split() == ["C3D", "charades_sta/c3d", "(c3d,", "1", "run)", *figures]
    assert "C3D: needs" not in "".join(lines)


def test_simulated_figures_never_stand_in_the_papers_table(runs: Path) -> None:
    paper = run("4", "--results", runs).stdout
    assert "91.37" not in paper
    assert "RGB: needs VGG16 features" in paper
    (table,) = (json.loads(line) for line in run("4", "--results", runs, "--json").stdout.splitlines())
    assert {row["label"]: len(row["ours"]) for row in table["rows"]} == {"C3D": 1, "RGB": 0, "Flow": 0, "Two-Stream": 0}


def test_several_runs_give_their_mean_and_spread_and_other_features_a_line_below(runs: Path) -> None:
    again = replace(REAL, metrics={"r@1,iou=0.5": Figure(38.11, 36.0, 40.0), "r@1,iou=0.7": Figure(17.22, 16.0, 19.0)})
    write_result(again, runs / "again" / "results" / "test.json")
    write_result(replace(REAL, extractor="clip"), runs / "clip" / "results" / "test.json")
    lines = run("4", "--results", runs).stdout.splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith("C3D ")]
    assert "C3D charades_sta/c3d (c3d, 2 runs) 37.04 37.11 \N{PLUS-MINUS SIGN} 1.41" in " ".join(lines[place].split())
    assert lines[place + 1].split()[:5] == ["charades_sta/c3d", "(clip,", "1", "run)", "36.11"]
    write_result(replace(REAL, changes="network.targets=iou"), runs / "other" / "results" / "test.json")
    lines = run("4", "--results", runs).stdout.splitlines()
    assert sum("charades_sta/c3d (c3d, 1 run, changed 1)" in line for line in lines) == 1
    assert "C3D charades_sta/c3d (c3d, 2 runs) 37.04 37.11 \N{PLUS-MINUS SIGN} 1.41" in " ".join(lines[place].split())
    assert "changed 1: network.targets=iou" in lines


def test_what_a_run_has_otherwise_than_the_row_is_told_but_for_places_and_seeds() -> None:
    places = ["data.root=x", "data.features.c3d=y", "training.seed=3", "data.words=w.txt"]
    assert _changes(read_recipe(["charades_sta/c3d"], [*places, "network.targets=iou"]), "w") == "network.targets=iou"
    packaged = WordVectors.packaged().source
    assert _changes(read_recipe(["charades_sta/c3d"], places), packaged) == "packaged words"
    assert _changes(read_recipe(["charades_sta/c3d", "simulated/small"]), packaged) == ""


def test_the_prior_comes_first_and_tables_go_into_papers_and_sheets(runs: Path) -> None:
    blind = replace(REAL, prior={"r@1,iou=0.5": 30.7, "r@1,iou=0.7": 16.18, "miou": 28.5})
    write_result(blind, runs / "c3d" / "results" / "test.json")
    lines = run("4", "--results", runs).stdout.splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith("prior, reads nothing")]
    assert lines[place].split()[4:] == ["-", "30.70", "-", "16.18", "-", "-"]
    assert lines[place + 1].startswith("C3D ")
    (table, *_) = (json.loads(line) for line in run("4", "--results", runs, "--json").stdout.splitlines())
    assert table["prior"] == {"r@1,iou=0.5": 30.7, "r@1,iou=0.7": 16.18}
    sheet = list(csv.reader(io.StringIO(run("4", "--results", runs, "--csv").stdout)))
    assert sheet[0][:5] == ["table", "method", "recipe", "r@1 iou=0.5 paper", "r@1 iou=0.5 ours"]
    assert len(set(sheet[0])) == len(sheet[0])
    assert sheet[2][:5] == ["Table 4. " + sheet[2][0][9:], "C3D", "charades_sta/c3d (c3d, 1 run)", "37.04", "36.11"]
    paper = run("4", "--results", runs, "--latex").stdout
    assert r"C3D & charades\_sta/c3d (c3d, 1 run) & 37.04 & 36.11 & 18.04 & 17.22 &" in paper
    assert paper.count(r"\begin{tabular}{llrrrrrrrr}") == paper.count(r"\bottomrule") == 1


def test_bad_input_is_one_line(runs: Path) -> None:
    for message, words in {
        "no table 9": ["9"],
        "give --simulated with it": ["2", "--minutes", "3"],
        "no such folder": ["--results", "none"],
        "x.json: not a result": ["--results", str(runs)],
    }.items():
        if message.startswith("x"):
            (runs / "c3d" / "results" / "x.json").write_text("{}")
        result = run(*words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr
        assert result.stderr.count("\n") == 1


def test_scored_predictions_fill_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    annotation = {"video": "v", "description": "a dog", "times": [[0, 0]] * 4, "num_segments": 1, "annotation_id": 1}
    Path("test_data.json").write_text(json.dumps([annotation]))
    spans = [(5 * first, 5 * last + 5) for first in range(6) for last in range(first, 6)]
    moments = [{"start_s": start, "end_s": end, "score": 1} for start, end in spans]
    answer = {"video": "v", "query": "a dog", "duration_s": 5, "model": "fusion", "moments": moments}
    Path("p.jsonl").write_text(json.dumps(answer))
    words = ["evaluate", "p.jsonl", "--dataset", "didemo", "--split", "test", "--data", "."]
    words += ["--recipe", "didemo/fusion"]
    place = ["--result", "runs/fusion/results/test.json"]
    asked = CliRunner().invoke(app, [*words, *place])
    assert (asked.exit_code, asked.stdout) == (2, "")
    assert "give --recipe NAME and --features NAME" in asked.stderr
    done = CliRunner().invoke(app, [*words, *place, "--features", "vgg16+flow"])
    assert (done.exit_code, done.stderr) == (0, "wrote runs/fusion/results/test.json\n")
    kept = read_result(Path("runs/fusion/results/test.json"))
    assert (kept.data, kept.model, kept.queries, kept.metrics["rank@1"].mean) == ("real", "fusion", 1, 100.0)
    lines = [line.split() for line in run("1").stdout.splitlines()]
    filled = ["(vgg16+flow,", "1", "run)", "32.38", "100.00", "78.44", "100.00", "47.49", "100.00"]
    assert ["Ours", "didemo/fusion", *filled] in lines
    CliRunner().invoke(app, [*words, *place, "--features", "made", "--simulated"])
    assert "100.00" not in run("1").stdout
