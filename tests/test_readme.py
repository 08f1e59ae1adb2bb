"""The README's commands and code, and the code of docs/library.md, do what they say, on a real video."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asst.cli.demo import DEMO_VIDEO

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LIBRARY = (ROOT / "docs/library.md").read_text(encoding="utf-8")
LONGEST_S = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader would stand: a video called as in the README, and a file of sentences."""
    place = tmp_path_factory.mktemp("readme")
    shutil.copy(DEMO_VIDEO, place / "holiday.mp4")
    (place / "sentences.txt").write_text("a taxi sign on top of a car\n\nan old bicycle\n")
    return place


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONGEST_S, check=False)


@pytest.mark.parametrize("command", commands())
def test_each_command_succeeds_and_writes_what_it_names(command: str, folder: Path) -> None:
    words = shlex.split(command)
    done = run([str(Path(sys.executable).with_name(words[0])), *words[1:]], folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    for option in ("--clip", "--report", "--plot"):
        if option in words:
            assert (folder / words[words.index(option) + 1]).stat().st_size > 1000


@pytest.mark.parametrize("code", [*blocks("python"), *blocks("python", LIBRARY)])
def test_the_python_example_prints_moments(code: str, folder: Path) -> None:
    done = run([sys.executable, "-c", code], folder)
    assert done.returncode == 0, done.stderr
    # A library's moments are followed by their videos.
    rows = [[float(number) for number in line.split()[:3]] for line in done.stdout.splitlines()]
    assert rows
    assert all(start_s < end_s for start_s, end_s, _ in rows)
    assert [score for *_, score in rows] == sorted((score for *_, score in rows), reverse=True)


def test_the_make_targets_and_the_files_it_links_to_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in link or (ROOT / link).exists(), link


def test_it_shows_what_the_demo_prints(folder: Path) -> None:
    shown = next(block for block in blocks("") if "nothing found" in block)
    done = run([str(Path(sys.executable).with_name("asst")), "demo"], folder)
    printed = {" ".join(line.split()[:3]) for line in done.stdout.splitlines()}
    # Times and sentences as printed; scores and the width of the bars differ between processors and terminals.
    for line in shown.splitlines():
        assert " ".join(line.split()[:3]) in printed, line
