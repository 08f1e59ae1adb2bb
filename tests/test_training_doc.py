"""The commands of docs/training.md, in order and as they stand, on a few of Charades-STA's videos and two others."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from asst.cli.app import app
from asst.data import read_dataset

DOC = (Path(__file__).parents[1] / "docs/training.md").read_text(encoding="utf-8")
VIDEOS = {"train": 24, "test": 4}

pytestmark = pytest.mark.usefixtures("one_thread")


def commands() -> list[list[str]]:
    blocks = "".join(re.findall(r"```console\n(.*?)```", DOC, flags=re.DOTALL)).replace("\\\n", "")
    return [shlex.split(line.removeprefix("$ ")) for line in blocks.splitlines() if line.startswith("$ ")]


@pytest.fixture
def folder(tmp_path: Path, shared_data: Path, street: Path) -> Path:
    """Where a reader would stand: annotation of a few videos, and videos with sentences of one's own."""
    whole, annotation = shared_data / "charades_sta", tmp_path / "annotation"
    shutil.copytree(whole, annotation)
    for split, count in VIDEOS.items():
        few = read_dataset("charades_sta", whole, "trainval" if split == "train" else "test").video_names[:count]
        file = annotation / f"charades_sta_{split}.txt"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if line.partition(" ")[0] in few))
    for name in ("videos", "sentences"):
        (tmp_path / name).mkdir()
    for video, split in (("one", "train"), ("two", "val")):
        shutil.copy(street, tmp_path / "videos" / f"{video}.mp4")
        (row,) = re.findall(r"```json\n(.*?)```", DOC, flags=re.DOTALL)
        (tmp_path / "sentences" / f"{split}.jsonl").write_text(json.dumps(json.loads(row) | {"video": video}) + "\n")
    return tmp_path


def test_the_commands_do_what_the_text_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = []
    for program, *words in commands():
        assert program == "asst"
        done.append(CliRunner().invoke(app, words))
        assert done[-1].exit_code == 0, (words, done[-1].output)
    first, longer, judged, *_ = done
    assert re.search(
        r"simulated features simulated-c3d-crowded of 28 videos: \d+ MB are written to features/", first.stderr
    )
    assert "seed0 gets 1 checkpoint of " in first.stderr
    assert "going on with the run" in longer.stderr
    assert [line.split()[1] for line in longer.stderr.splitlines() if line.startswith("step")] == ["6"]
    run = Path("runs/simulated-crowded/charades_sta/c3d/seed0")
    named = set(
        re.findall(r"^\| `([\w/.]+\w)` \|", DOC[DOC.index("## A run\n") : DOC.index("## A network that")], re.MULTILINE)
    )
    absent = {name for name in named if not (run / name.replace("SPLIT", "val")).exists()}
    assert absent == {"retrieval.json"}
    assert "miou" in judged.stdout
    (table,) = [one.stdout for (_, *words), one in zip(commands(), done, strict=True) if words[0] == "tables"]
    assert table.startswith("Table 2.")
    assert "simulated" not in table
    asked = Path("annotation/charades_sta_test.txt").read_text().splitlines()
    assert len(Path("answers.jsonl").read_text().splitlines()) == len(asked)
