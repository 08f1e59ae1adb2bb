"""``asst compare``: two systems' predictions, or all runs of both, on the same sentences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app

QUERIES = 8


def save(path: Path, right: int) -> Path:
    """Predictions of which the first ``right`` hit."""
    lines = []
    for number in range(QUERIES):
        start_s = 0 if number < right else 6
        moments = [{"start_s": start_s, "end_s": start_s + 4, "score": 1}]
        answer = {"video": f"v{number}", "query": "a dog", "duration_s": 10, "model": "m", "moments": moments}
        lines.append(json.dumps(answer) + "\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))
    return path


@pytest.fixture(autouse=True)
def annotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [{"video": f"v{n}", "duration": 10, "sentence": "a dog", "moments": [[0, 4]]} for n in range(QUERIES)]
    Path("test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(*words: str | Path) -> Result:
    given = ["--dataset", "jsonlines", "--split", "test", "--data", "."]
    return CliRunner().invoke(app, ["compare", *map(str, words), *given])


def test_the_difference_is_paired_over_videos() -> None:
    same = json.loads(run(save(Path("a.jsonl"), 6), save(Path("b.jsonl"), 6), "--json").stdout)
    assert same["differences"]["r@1,iou=0.5"] == {"a": 75.0, "b": 75.0, "mean": 0.0, "low": 0.0, "high": 0.0}
    found = json.loads(run("a.jsonl", save(Path("b.jsonl"), 2), "--json").stdout)["differences"]["miou"]
    assert (found["a"], found["b"], found["mean"]) == (75.0, 25.0, 50.0)
    assert 0 < found["low"] < 50 < found["high"] <= 100
    lines = run("a.jsonl", "b.jsonl").stdout.splitlines()
    assert lines[0] == "jsonlines test: 8 queries, 8 videos"
    assert any(line.split()[:4] == ["miou", "75.00", "25.00", "50.00"] for line in lines)


def test_a_folder_stands_for_the_runs_in_it() -> None:
    for seed, right in enumerate((4, 8)):
        save(Path(f"ours/seed{seed}/predictions/test.jsonl"), right)
    theirs = save(Path("theirs/predictions/test.jsonl"), 4)
    found = json.loads(run("ours", "theirs", "--json").stdout)
    assert found["runs"] == {"a": 2, "b": 1}
    one = found["differences"]["r@5,iou=0.5"]
    assert (one["a"], one["b"], one["mean"], one["low"]) == (75.0, 50.0, 25.0, 0.0)
    assert "dr@5,iou=0.7" in found["differences"]
    assert theirs.exists()


def test_runs_of_several_systems_are_no_one_system() -> None:
    for name, seed, rate in (("a", 0, 1), ("a", 1, 1), ("b", 0, 2)):
        run_folder = save(Path(f"all/{name}/seed{seed}/predictions/test.jsonl"), 4).parents[1]
        recipe = f"{{name: own, training: {{seed: {seed}}}, optimizer: {{learning_rate: {rate}}}}}"
        (run_folder / "recipe.yaml").write_text(recipe)
    assert json.loads(run("all/a", "all/b", "--json").stdout)["runs"] == {"a": 2, "b": 1}
    refused = run("all", "all/b")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "all holds runs of several systems, all/a/seed0 and all/b/seed0; name one" in refused.stderr


def test_highlights_are_compared_by_all_that_their_kit_has() -> None:
    row = {"qid": 1, "vid": "v", "query": "a dog", "duration": 150, "relevant_windows": [[0, 8]]}
    long = {**row, "qid": 2, "query": "a cat", "relevant_windows": [[0, 60]]}
    for one in (row, long):
        one |= {"relevant_clip_ids": [0, 1], "saliency_scores": [[4, 4, 4], [0, 0, 0]]}
    Path("highlight_val_release.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (row, long)))
    for name, end_s in (("a", 8), ("b", 60)):
        moments = [{"start_s": 0, "end_s": end_s, "score": 1}]
        answers = [{"video": "v", "query": query, "moments": moments} for query in ("a dog", "a cat")]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    words = ["compare", "a.jsonl", "b.jsonl", "--dataset", "qvhighlights", "--split", "val", "--data", ".", "--json"]
    found = json.loads(CliRunner().invoke(app, words).stdout)["differences"]
    assert (found["map,short"]["a"], found["map,short"]["b"]) == (100.0, 0.0)
    assert (found["map,long"]["mean"], found["map"]["mean"]) == (-100.0, 0.0)


def test_what_cannot_be_compared_is_said_in_a_line() -> None:
    save(Path("a.jsonl"), 4)
    Path("empty").mkdir()
    for words, message in (
        (["a.jsonl", "empty"], "run 'asst evaluate empty --split test'"),
        (["a.jsonl", "b"], "cannot"),
    ):
        done = run(*words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert message in done.stderr
    detections = CliRunner().invoke(app, ["compare", "a", "b", "--dataset", "thumos14", "--split", "test"])
    assert "detections have no value a sentence" in detections.stderr
