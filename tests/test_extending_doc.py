"""The examples of docs/extending.md, run in order: each is found by its name where users name it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from asst.cli.app import app
from asst.cli.asking import DEMO_VIDEO
from asst.data import DATASETS
from asst.evaluation.protocol import PROTOCOLS
from asst.features.extractor import EXTRACTORS
from asst.features.stores.native import Store
from asst.models.methods.table import METHODS
from asst.outputs import exports

DOC = (Path(__file__).parents[1] / "docs/extending.md").read_text(encoding="utf-8")
SHEET = "video,seconds,start,end,sentence\nholiday,10,2,4,a taxi sign\nholiday,10,4.2,5.4,a bicycle\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the examples run, with a video and a sheet of annotation; the tables are as before afterwards."""
    tables: tuple[Any, ...] = (EXTRACTORS, DATASETS, METHODS, PROTOCOLS, exports._TEXTS)
    for table in tables:
        for name in ("mean-colour", "sheet", "middle", "starts", ".chapters"):
            # What is there already would be put back; what is not is taken out.
            monkeypatch.setitem(table, name, None)
            monkeypatch.delitem(table, name)
    monkeypatch.setattr(exports, "FORMATS", exports.FORMATS)
    monkeypatch.chdir(tmp_path)
    shutil.copy(DEMO_VIDEO, "holiday.mp4")
    Path("annotation").mkdir()
    for split in ("train", "val", "test"):
        Path("annotation", f"{split}.csv").write_text(SHEET)
    return tmp_path


def run(*words: str) -> str:
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.usefixtures("one_thread")
def test_each_example_is_found_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", example)
    names = vars(example)
    for block in re.findall(r"```python\n(.*?)```", DOC, flags=re.DOTALL):
        exec(compile(block, "docs/extending.md", "exec", dont_inherit=True), names)
    run("features", "holiday.mp4", "--extractor", "mean-colour", "--out", "store")
    features = Store(Path("store")).read("holiday")
    assert (features.extractor, features.dimension, len(features)) == ("mean-colour", 3, 20)
    assert 0 < features.vectors.mean() < 1
    assert "start@1s" in run("evaluate", "run", "--split", "test")
    answers = run("evaluate", "run", "--split", "test", "--json")
    assert '"queries": 2' in answers
    # Of both sentences the best is around the mean middle of the moments, 3.9 s.
    for line in Path("run/predictions/test.jsonl").read_text().splitlines():
        best = json.loads(line)["moments"][0]
        assert (best["start_s"] + best["end_s"]) / 2 == pytest.approx(3.9, abs=0.2)
    sentences = ["an old bicycle", "a taxi sign on top of a car"]
    run("locate", "holiday.mp4", *sentences, "--export", "out.chapters")
    first, second = Path("out.chapters").read_text().splitlines()
    assert re.fullmatch(r"00:0\d (an old bicycle|a taxi sign on top of a car)", first)
    assert first < second
