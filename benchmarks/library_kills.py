"""Kills an indexer again and again, at random moments, and says whether the library is whole each time and at the end.

The videos are tiny and the model is the tests' own (``tests/library/fake_engine.py``): what is tried is the writing.

Run: ``python benchmarks/library_kills.py [--kills 20] [--videos 200] [--workers 1]``
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib import import_module
from pathlib import Path

from asst.library.library import Library
from asst.library.verify import verify

TESTS = Path(__file__).parents[1] / "tests" / "library"
LATEST_S = 0.1


def started(folder: Path, videos: list[Path], workers: int) -> subprocess.Popen[str]:
    """An indexer that is about to begin."""
    program = [sys.executable, str(TESTS / "fake_engine.py"), str(folder), str(workers), *map(str, videos)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def main() -> None:
    """Kill, look, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--videos", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    make_video = import_module("fake_engine").make_video
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "library"
        videos = [
            make_video(Path(name) / "videos" / f"{k}.mp4", "".join(random.choices("rgb", k=20)))
            for k in range(options.videos)
        ]
        faulty = 0
        for kill in range(options.kills):
            process = started(folder, videos, options.workers)
            assert process.stdout is not None
            # Those that are there are passed over first; then so many are let through.
            left = random.randrange(options.videos // options.kills)
            while left > 0:
                left -= process.stdout.readline().startswith("indexed")
            time.sleep(random.uniform(0, LATEST_S))
            process.kill()
            process.communicate()
            verdict = verify(Library(folder))
            faulty += bool(verdict.faults)
            unfinished = len(verdict.unfinished)
            print(f"kill {kill + 1}: {verdict.videos} videos, {len(verdict.faults)} faulty, {unfinished} unfinished")
        out, _ = started(folder, videos, options.workers).communicate()
        verdict = verify(Library(folder))
        print(f"then: {dict(Counter(line.split()[0] for line in out.splitlines()))}")
        print(f"whole after {options.kills - faulty} of {options.kills} kills; at the end {verdict}")


if __name__ == "__main__":
    main()
