"""``asst tables --simulated``: what is trained and what is left, and what is printed of it; training itself is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from asst.cli import simulated_tables
from asst.cli.app import app
from asst.errors import InputError

RECIPES = Path(__file__).parents[2] / "recipes"
CLIPS = [(first, last) for first in range(6) for last in range(first, 6)]


class FakeCommand:
    """Stands for ``asst train`` and ``asst evaluate``: every query's right clip stands where ``places`` says."""

    def __init__(self) -> None:
        self.said: list[list[str]] = []
        self.places = {"didemo/two_stream": 0, "didemo/tef": 2}
        self.fails = ""

    def __call__(self, *words: str, log: Path) -> None:
        self.said.append(list(words))
        run = Path(words[words.index("--run") + 1] if words[0] == "train" else words[1])
        if self.fails and self.fails in str(run):
            raise InputError("asst train: no")
        run.mkdir(parents=True, exist_ok=True)
        if words[0] == "train":
            lines = [{"step": n, "processor_s": {"training": 8.0 * n, "validation": n}} for n in (1, 2)]
            (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
            return
        place = self.places[f"{run.parts[-3]}/{run.parts[-2]}"]
        answers = []
        for entry in json.loads(Path("data/didemo/test_data.json").read_text()):
            right = tuple(entry["times"][0])
            clips = [clip for clip in CLIPS if clip != right]
            clips.insert(place, right)
            moments = [{"start_s": 5 * a, "end_s": 5 * b + 5, "score": -n} for n, (a, b) in enumerate(clips)]
            moment = {"duration_s": 30, "model": "fake", "moments": moments}
            answers.append({"video": entry["video"], "query": entry["description"], **moment})
        for folder in ("predictions", "results"):
            (run / folder).mkdir()
        (run / "predictions" / "test.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        (run / "results" / "test.json").write_text("{}")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCommand:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASST_DATA", str(tmp_path / "data"))
    Path("recipes").symlink_to(RECIPES)
    Path("data/didemo").mkdir(parents=True)
    for split, names in (("val", "abcdefghij"), ("test", "klm")):
        entries = [
            {
                "video": name,
                "description": f"a dog {verb}",
                "times": [[n, n]] * 4,
                "num_segments": 6,
                "annotation_id": ord(name) * 10 + n,
            }
            for name in names
            for n, verb in enumerate(("runs", "sits"))
        ]
        Path(f"data/didemo/{split}_data.json").write_text(json.dumps(entries))
    command = FakeCommand()
    monkeypatch.setattr(simulated_tables, "_asst", command)
    return command


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["tables", "7", "--simulated", *words])


def test_rows_are_timed_trained_and_asked_once_and_printed_beside_references(fake: FakeCommand) -> None:
    done = run("--minutes", "1", "--seeds", "0,1")
    assert done.exit_code == 0, done.output
    recipes = ["didemo/two_stream", "didemo/tef"]
    assert [words[0] for words in fake.said] == ["train"] * 2 + ["train", "evaluate"] * 4
    assert [words[-1] for words in fake.said[:2]] == [f"runs/simulated/speed/{recipe}" for recipe in recipes]
    train, evaluate = fake.said[2:4]
    assert train[1:5] == [
        "didemo/two_stream",
        "simulated/small",
        "simulated/didemo",
        "data.simulated.level=crowded",
    ]
    # A minute without six validations of a second has 540 steps of a tenth of one.
    assert {"training.seed=0", "training.steps=540", "training.interval=90", "average=3"} <= set(train)
    assert evaluate == ["evaluate", "runs/simulated/didemo/two_stream/seed0", "--split", "test"]
    rows = [line for line in done.stdout.splitlines() if "didemo/" in line and "seed" not in line]
    assert rows[0].split()[:6] == ["Ours", "didemo/two_stream", "2", "2", "100.0", "[100.0,"]
    assert rows[1].split()[:7] == ["Ours", "w/", "TEF", "didemo/tef", "2", "2", "0.0"]
    assert "+100.0 [+100.0, +100.0]" in rows[1]
    assert done.stdout.startswith("simulated: Table 7.")
    assert all(name in done.stdout for name in ("Frequency prior", "Salience, no language", "Oracle, prior of place"))
    assert "30.91" not in done.stdout
    said = len(fake.said)
    again = run("--minutes", "1", "--seeds", "0,1")
    assert (len(fake.said), again.stdout) == (said, done.stdout)
    run("--minutes", "1", "--seeds", "2")
    assert [words[0] for words in fake.said[said:]] == ["train", "evaluate"] * 2


def test_json_has_every_row_in_per_cent(fake: FakeCommand) -> None:
    run("--minutes", "1", "--seeds", "0")
    content = json.loads(run("--json").stdout)
    assert (content["table"], content["level"], content["minutes"]) == (7, "crowded", 1.0)
    assert [row["recipe"] for row in content["simulated"]] == [None, None, None, "didemo/two_stream", "didemo/tef"]
    tef = content["simulated"][-1]
    assert tef["metrics"]["rank@5"]["mean"] == 100.0
    assert tef["ahead"]["rank@1"] == {"mean": 100.0, "low": 100.0, "high": 100.0}


def test_a_folder_has_one_budget_and_a_run_that_fails_says_so(fake: FakeCommand) -> None:
    assert "holds no runs on simulated features" in run().stderr
    fake.fails = "tef/seed0"
    failed = run("--minutes", "1", "--seeds", "0")
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr.splitlines()[-1] == "asst: asst train: no"
    fake.fails = ""
    assert "name another folder" in run("--minutes", "2").stderr
    assert "name another folder" in run("--minutes", "1", "--level", "hard").stderr
    assert "whole numbers with commas" in run("--minutes", "1", "--seeds", "a").stderr
    assert "no simulated level 'odd'" in run("--minutes", "1", "--level", "odd", "--results", "o").stderr
    assert run("--minutes", "1", "--seeds", "0").exit_code == 0
