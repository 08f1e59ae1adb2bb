"""The README's commands and code, and the code of docs/library.md, do what they say, on a real video."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from asst.cli.app import app
from asst.cli.asking import DEMO_VIDEO

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LIBRARY = (ROOT / "docs/library.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader stands: a video called as in the README, and a file of sentences."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(DEMO_VIDEO, "holiday.mp4")
    Path("sentences.txt").write_text("a taxi sign on top of a car\n\nan old bicycle\n")
    return tmp_path


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def run(*words: str) -> Result:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.parametrize("command", commands())
def test_each_command_succeeds_and_writes_what_it_names(command: str, folder: Path) -> None:
    program, *words = shlex.split(command)
    assert program == "asst"
    assert run(*words).stdout
    for option in ("--clip", "--report", "--plot"):
        if option in words:
            assert (folder / words[words.index(option) + 1]).stat().st_size > 1000


@pytest.mark.parametrize("code", [*blocks("python"), *blocks("python", LIBRARY)])
@pytest.mark.usefixtures("folder")
def test_the_python_example_prints_moments(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec", dont_inherit=True), {})
    # A library's moments are followed by their videos.
    rows = [[float(number) for number in line.split()[:3]] for line in capsys.readouterr().out.splitlines()]
    assert rows
    assert all(start_s < end_s for start_s, end_s, _ in rows)
    assert [score for *_, score in rows] == sorted((score for *_, score in rows), reverse=True)


def test_the_make_targets_and_the_files_it_links_to_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in link or (ROOT / link).exists(), link


@pytest.mark.usefixtures("folder")
def test_it_shows_what_the_demo_prints() -> None:
    shown = next(block for block in blocks("") if "nothing found" in block)
    printed = {" ".join(line.split()[:3]) for line in run("demo").stdout.splitlines()}
    # Times and sentences as printed; scores and the width of the bars differ between processors and terminals.
    for line in shown.splitlines():
        assert " ".join(line.split()[:3]) in printed, line
