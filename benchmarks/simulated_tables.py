"""Tables 4 and 6 on simulated features: trains every row, asks it the test sentences and prints the tables.

Run: ``python benchmarks/simulated_tables.py [--seeds 0 1] [--jobs 2]``

Each row is ``asst train recipes/charades_sta/ROW.yaml recipes/simulated/small.yaml training.seed=SEED`` and
``asst evaluate RUN --split test``, below runs/simulated-standard. What is there already is left as it is; a row that
was interrupted goes on where it stopped. Each of ``--jobs`` rows at a time has one thread: networks this small gain
nothing from more. The features are made from the annotation first, which takes a few minutes and 1.2 GB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = (
    "c3d",
    "feeding_none",
    "feeding_final",
    "feeding_last_dilation",
    "feeding_first_dilation",
    "rgb",
    "flow",
    "two_stream",
)
STREAMS = ("c3d", "rgb", "flow")
ASST = str(Path(sys.executable).with_name("asst"))


def run(*words: str) -> None:
    """One command with one thread, its output passed on."""
    subprocess.run([ASST, *words], check=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


def row(name: str, seed: int, out: Path) -> None:
    """Trains and evaluates one row, as far as that is missing."""
    folder = out / "charades_sta" / name / f"seed{seed}"
    if (folder / "results" / "test.json").exists():
        return
    recipes = [f"recipes/charades_sta/{name}.yaml", "recipes/simulated/small.yaml"]
    run("train", *recipes, f"training.seed={seed}", "--run", str(folder))
    run("evaluate", str(folder), "--split", "test")


def main() -> None:
    """Parse the options, train, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("runs/simulated-standard"))
    options = parser.parse_args()
    for stream in STREAMS:
        run("simulate", f"features/simulated-{stream}-standard", "--modality", stream)
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(row, name, seed, options.out) for seed in options.seeds for name in ROWS]
        for one in waiting:
            one.result()
    run("tables", "4", "6", "--results", str(options.out))


if __name__ == "__main__":
    main()
