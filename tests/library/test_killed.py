"""Killed at any moment and run again, run twice at once: a library verifies clean and completes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from asst.library.library import Library
from asst.library.search import search
from asst.library.verify import Verdict, verify

# Each at another moment; benchmarks/library_kills.py kills twenty times.
KILLS = 4
VIDEOS = 16


@pytest.fixture
def videos(tmp_path: Path, fake: ModuleType) -> list[Path]:
    draw = random.Random(3)
    return [
        fake.make_video(tmp_path / "videos" / f"{k}.mp4", "".join(draw.choices("rgb", k=4 + k))) for k in range(VIDEOS)
    ]


def started(library: Path, videos: list[Path], workers: int = 1) -> subprocess.Popen[str]:
    """An indexer in a process group of its own, ready to begin."""
    program = str(Path(__file__).parent / "fake_engine.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, program, str(library), str(workers), *map(str, videos)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finished(process: subprocess.Popen[str]) -> Counter[str]:
    """How many files came to what."""
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return Counter(line.split()[0] for line in out.splitlines())


def test_killed_again_and_again_it_is_never_faulty_and_completes(
    tmp_path: Path, videos: list[Path], fake: ModuleType
) -> None:
    folder = tmp_path / "library"
    for _ in range(KILLS):
        process = started(folder, videos)
        assert process.stdout is not None
        for _ in range(random.randrange(VIDEOS // KILLS)):
            process.stdout.readline()
        time.sleep(random.uniform(0.0, 0.1))
        process.kill()
        process.communicate()
        assert verify(Library(folder)).faults == {}
    counts = finished(started(folder, videos))
    assert counts.total() == VIDEOS
    assert set(counts) <= {"indexed", "kept"}
    library = Library(folder)
    assert verify(library) == Verdict(VIDEOS, {}, ())
    assert not list(folder.rglob("*.part"))
    assert search(library, fake.FakeEngine(), "red").moments


def test_two_at_once_share_the_work_and_double_nothing(tmp_path: Path, videos: list[Path]) -> None:
    folder = tmp_path / "library"
    both = [started(folder, videos), started(folder, videos)]
    counts = [finished(process) for process in both]
    assert [count.total() for count in counts] == [VIDEOS, VIDEOS]
    assert all(set(count) <= {"indexed", "kept"} for count in counts)
    library = Library(folder)
    assert verify(library) == Verdict(VIDEOS, {}, ())
    assert library.tables.rows() == sum(video.rows for video in library.tables.videos())
