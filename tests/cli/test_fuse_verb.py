"""``asst fuse`` from files to a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.outputs.json_lines import read_answers

SPANS = [(0.0, 5.0), (5.0, 10.0)]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["fuse", *map(str, words)])


def save(path: Path, *scores: tuple[float, float]) -> Path:
    """One video a pair of scores."""
    lines = []
    for number, pair in enumerate(scores):
        moments = [{"start_s": a, "end_s": b, "score": s} for (a, b), s in zip(SPANS, pair, strict=True)]
        moments.sort(key=lambda moment: -moment["score"])
        line = {"video": f"v{number}", "query": "a dog", "duration_s": 10.0, "model": path.stem, "moments": moments}
        lines.append(json.dumps(line) + "\n")
    path.write_text("".join(lines))
    return path


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a.jsonl", (0.6, 0.4), (0.3, 0.7))
    save(tmp_path / "b.jsonl", (0.1, 0.9), (0.8, 0.2))
    save(tmp_path / "c.jsonl", (0.5, 0.5), (0.4, 0.6))
    rows = [{"video": f"v{n}", "duration": 10, "sentence": "a dog", "moments": [SPANS[1 - n]]} for n in range(2)]
    (tmp_path / "val.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_weights_are_written_as_in_the_paper(files: Path) -> None:
    result = run("a.jsonl", "b.jsonl", "c.jsonl", "--weights", "1", "2", "2.3", "--out", "f.jsonl")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "wrote f.jsonl\n")
    first, second = read_answers(files / "f.jsonl")
    assert (first.video, first.model) == ("v0", "fusion")
    assert [moment.score for moment in first.moments] == pytest.approx([0.4 + 1.8 + 1.15, 0.6 + 0.2 + 1.15])
    assert first.moments[0].start_s == 5.0
    assert second.moments[0].start_s == 0.0


@pytest.mark.parametrize(
    "words",
    [
        ["--weights", "1", "2", "a.jsonl", "b.jsonl", "--out", "f.jsonl", "--json"],
        ["--json", "a.jsonl", "b.jsonl", "--out", "f.jsonl", "--weights", "1", "--weights", "2"],
    ],
)
def test_weights_may_stand_anywhere(files: Path, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"weights": [1.0, 2.0]}


def test_weights_are_found_on_a_validation_split(files: Path) -> None:
    found = ["--fit", "--dataset", "jsonlines", "--split", "val", "--data", "."]
    result = run("a.jsonl", "b.jsonl", *found, "--json", "--out", "f.jsonl")
    figures = json.loads(result.stdout)
    assert figures["metric"] == "r@1,iou=0.5"
    assert figures["alone"] == [0.0, 100.0]
    assert figures["cross_validated"]["mean"] == 100.0
    assert figures["weights"] == [0.5, 0.5]
    assert [answer.moments[0].start_s for answer in read_answers(files / "f.jsonl")] == [5.0, 0.0]
    text = run("a.jsonl", "b.jsonl", *found).stdout
    assert ["b.jsonl", "0.5", "100.00"] in [line.split() for line in text.splitlines()]
    assert "fused, cross-validated: 100.00" in text


def test_bad_input_is_one_line_and_writes_nothing(files: Path) -> None:
    save(files / "short.jsonl", (0.6, 0.4))
    (files / "moved.jsonl").write_text((files / "b.jsonl").read_text().replace("10.0, ", "9.0, "))
    for message, words in {
        "either --weights": ["a.jsonl", "b.jsonl", "--out", "f.jsonl"],
        "or --fit": ["a.jsonl", "b.jsonl", "--fit", "--weights", "1", "1"],
        "give --out": ["a.jsonl", "b.jsonl", "--weights", "1", "1"],
        "2 predictions to fuse and 3 weights": ["a.jsonl", "b.jsonl", "--weights", "1", "2", "3", "--out", "f.jsonl"],
        "have different spans": ["a.jsonl", "moved.jsonl", "--weights", "1", "2", "--out", "f.jsonl"],
        "not about the same sentences": ["a.jsonl", "short.jsonl", "--weights", "1", "2", "--out", "f.jsonl"],
        "must end in .jsonl": ["a.jsonl", "b.jsonl", "--weights", "1", "2", "--out", "f.json"],
        "give --dataset NAME": ["a.jsonl", "b.jsonl", "--fit"],
        "cannot read none.jsonl": ["none.jsonl", "b.jsonl", "--weights", "1", "2", "--out", "f.jsonl"],
    }.items():
        result = run(*words)
        assert (result.exit_code, result.stdout) == (2, ""), words
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
    assert not (files / "f.jsonl").exists()


@pytest.mark.parametrize("protocol", ["standard", "tall"])
def test_runs_fill_a_row_in_one_go(protocol: str, toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = {"dataset": "jsonlines", "root": str(toy / "annotation"), "streams": []}
    recipe = {"method": "prior", "data": data, "observation": {"kind": "whole"}, "network": {"grid": 4}}
    recipe["protocol"] = protocol
    Path("prior.yaml").write_text(json.dumps(recipe))
    for name in ("a", "b"):
        done = CliRunner().invoke(app, ["train", "prior.yaml", "--run", name])
        assert done.exit_code == 0, done.output
    done = run("a", "b", "--weights", "1", "2", "--split", "val", "--recipe", "own/fused", "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(Path("runs/own/fused/results/val.json").read_text())
    alone = json.loads(Path("a/results/val.json").read_text())
    assert result["metrics"] == alone["metrics"]
    assert (result["recipe"], result["model"]) == ("own/fused", "1 prior, seed 0 + 2 prior, seed 0")
    assert len(read_answers(Path("runs/own/fused/predictions/val.jsonl"))) == 16
    assert "a weight for each run" in run("a", "b", "--weights", "1", "--split", "val", "--recipe", "own/fused").stderr
