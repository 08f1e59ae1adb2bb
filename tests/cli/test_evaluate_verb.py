"""``asst evaluate`` on the published files and on small ones."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, words)])


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("asst: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def save(path: Path, rows: Iterable[tuple[str, str, float, Iterable[tuple[float, float]]]]) -> Path:
    lines = []
    for video, query, duration_s, spans in rows:
        moments = [{"start_s": start, "end_s": end, "score": 1.0} for start, end in spans]
        line = {"video": video, "query": query, "duration_s": duration_s, "model": "m", "moments": moments}
        lines.append(json.dumps(line) + "\n")
    path.write_text("".join(lines))
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with annotation of our own form, one row of which is repaired and one left out."""
    rows = [
        {"video": "a.mp4", "duration": 10.0, "sentence": "a dog", "moments": [[0, 5]]},
        {"video": "b.mp4", "duration": 10.0, "sentence": "a cat", "moments": [[5, 12]]},
        {"video": "b.mp4", "duration": 10.0, "sentence": "a bird", "moments": [[11, 12]]},
    ]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    save(tmp_path / "p.jsonl", [("a.mp4", "a dog", 10.0, [(0, 5)]), ("b.mp4", "a cat", 10.0, [(0, 5)])])
    return tmp_path


def options(folder: Path, dataset: str = "jsonlines") -> list[str]:
    return ["--dataset", dataset, "--split", "test", "--data", str(folder)]


def test_the_prior_of_didemo_scores_as_published(shared_data: Path, tmp_path: Path) -> None:
    """Fitted on the validation part; the 21 clips are ranked for each video, as in the authors' files."""
    fitted, pairs = (
        json.loads((shared_data / "didemo" / f"{split}_data.json").read_text()) for split in ("val", "test")
    )
    counts = Counter(tuple(clip) for pair in fitted for clip in pair["times"])
    order = sorted(((i, j) for i in range(6) for j in range(i, 6)), key=lambda clip: -counts[clip])
    rows, within_five = [], 0
    for pair in pairs:
        ranks = sorted(order.index((i, j)) + 1 for i, j in pair["times"])
        within_five += sum(ranks[:3]) <= 15
        spans = [(5.0 * i, 5.0 * j + 5) for i, j in order]
        rows.append((pair["video"], pair["description"], 5.0 * pair["num_segments"], spans))
    predictions = save(tmp_path / "prior.jsonl", reversed(rows))
    result = run(predictions, *options(shared_data / "didemo", "didemo"), "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (round(found["rank@1"], 2), round(found["miou"], 2)) == (19.40, 25.42)
    assert found["rank@5"] == pytest.approx(100 * within_five / len(pairs), abs=1e-3)
    assert found["intervals"]["rank@1"]["low"] < 19.40 < found["intervals"]["rank@1"]["high"]
    assert (found["queries"], found["videos"], found["dataset"], found["split"]) == (4021, 1037, "didemo", "test")


def test_the_files_own_spans_are_a_perfect_score_on_charades_sta(shared_data: Path, tmp_path: Path) -> None:
    rows = []
    for line in (shared_data / "charades_sta" / "charades_sta_test.txt").read_text().splitlines():
        head, _, sentence = line.partition("##")
        video, start, end = head.split()
        rows.append((video, sentence, 99.0, [(float(start), float(end))]))
    predictions = save(tmp_path / "p.jsonl", rows)
    result = run(predictions, *options(shared_data / "charades_sta", "charades-sta"), "--json")
    found = json.loads(result.stdout)
    assert (found["r@1,iou=0.7"], found["miou"], found["queries"]) == (100.0, 100.0, 3720)
    assert result.stderr == "charades_sta test: of its file 562 annotation rows were repaired and 0 left out\n"


def test_a_table_for_people(own: Path) -> None:
    result = run(own / "p.jsonl", *options(own))
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["jsonlines", "test:", "2", "queries,", "2", "videos"]
    assert ["r@1,iou=0.5", "50.00", "0.00", "100.00"] in lines
    assert result.stderr == "jsonlines test: of its file 1 annotation rows were repaired and 1 left out\n"


def test_each_problem_of_the_annotation_is_named_when_asked(own: Path) -> None:
    result = run(own / "p.jsonl", *options(own), "--problems")
    assert [line.split(": ")[0] for line in result.stderr.splitlines()[1:]] == [
        f"{own / 'test.jsonl'}, line 2",
        f"{own / 'test.jsonl'}, line 3",
    ]


def test_the_environment_alone_says_where_annotation_lies(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = own / "shared" / "data" / "jsonlines"
    place.mkdir(parents=True)
    (own / "test.jsonl").rename(place / "test.jsonl")
    (own / "here").mkdir()
    monkeypatch.chdir(own / "here")
    asked: list[str | Path] = [own / "p.jsonl", "--dataset", "jsonlines", "--split", "test"]
    # A folder beside this one is not looked for.
    monkeypatch.delenv("ASST_DATA", raising=False)
    assert "where is the annotation of jsonlines? name its folder, or set ASST_DATA" in refused(run(*asked))
    monkeypatch.setenv("ASST_DATA", str(own / "nowhere"))
    assert f"no annotation of jsonlines at {own / 'nowhere' / 'jsonlines'}; name its folder" in refused(run(*asked))
    monkeypatch.setenv("ASST_DATA", str(own / "shared" / "data"))
    assert run(*asked).exit_code == 0


def test_bad_input_is_one_line(own: Path) -> None:
    predictions = own / "p.jsonl"
    assert "is no folder of a run" in refused(run(own, *options(own)))
    assert "cannot read" in refused(run(own / "none.jsonl", *options(own)))
    assert "a model is judged by --model best.safetensors" in refused(run(Path("best.safetensors"), *options(own)))
    assert "give --dataset NAME" in refused(run(predictions))
    assert "no data set 'didem'" in refused(run(predictions, *options(own, "didem")))
    assert "has no split 'x'" in refused(run(predictions, *options(own), "--split", "x"))
    assert "Charades_v1_test.csv" in refused(run(predictions, *options(own, "charades-sta")))
    predictions.write_text("{}\n")
    assert "p.jsonl, line 1: not an answer" in refused(run(predictions, *options(own)))


def test_a_pair_too_few_or_too_many_is_named(own: Path) -> None:
    few = save(own / "few.jsonl", [("a.mp4", "a dog", 10.0, [(0, 5)])])
    many = own / "many.jsonl"
    many.write_text((own / "p.jsonl").read_text() + few.read_text().replace("a dog", "a cow"))
    assert "no prediction for 1 pair: b.mp4 'a cat'" in run(few, *options(own)).stderr
    assert "no annotation for 1 pair: a.mp4 'a cow'" in run(many, *options(own)).stderr


def test_what_locate_prints_and_other_systems_write_is_judged_beside_the_prior(own: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"video": "films/a.mp4", "query": "a dog", "moments": [{"start_s": 0, "end_s": 5, "score": 1}]},
        {"video": "b", "query": "a cat", "found": False, "moments": [{"start_s": 5, "end_s": 10, "score": 0.1}]},
    ]
    (own / "ours.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    theirs = [
        {"qid": "x", "vid": line["video"], "query": line["query"], "pred_relevant_windows": [[start, start + 5, 1]]}
        for line, start in zip(lines, (0, 5), strict=True)
    ]
    (own / "theirs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in theirs))
    (own / "train.jsonl").write_text((own / "test.jsonl").read_text().replace(".mp4", ".avi"))
    kept = own / "kept.jsonl"
    other = ["--format", "moment-detr", "--out", kept]
    for words in ([own / "ours.jsonl"], [own / "theirs.jsonl", *other], [kept]):
        done = run(*words, *options(own), "--json")
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert (found["miou"], found["prior"]["fitted"], found["prior"]["r@1,iou=0.7"]) == (100.0, "train", 0.0)
    told = run(own / "ours.jsonl", *options(own)).stdout.splitlines()
    assert told[1].split() == ["metric", "mean", "low", "high", "prior"]
    assert ["r@1,iou=0.7", "100.00", "100.00", "100.00", "0.00"] in [line.split() for line in told]
    assert "no format 'x'; there are moment-detr" in run(own / "ours.jsonl", *options(own), "--format", "x").stderr
    assert "--format goes with a file" in refused(run("--model", "prior", *options(own), "--format", "activitynet"))


def test_scoring_loads_no_network(own: Path) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['asst', 'evaluate', {str(own / 'p.jsonl')!r}, *{options(own)!r}]\n"
        "from asst.cli import main\n"
        "try: main()\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    heavy = {"torch", "av", "matplotlib", "jinja2", "PIL", "pyarrow", "tokenizers", "safetensors", "yaml"}
    assert not heavy & set(done.stderr.splitlines()[-1].split())
