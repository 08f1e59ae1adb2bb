"""What the benchmarks on simulated features share: their options, and rows that are trained and asked the test split.

Each row is an ``asst train`` and an ``asst evaluate RUN --split test``. What is there already is left as it is; a row
that was interrupted goes on where it stopped. Each of ``--jobs`` rows at a time has one thread: networks this small
gain nothing from more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from asst.evaluation.results import Figure
from asst.outputs.grid import Grid, write_grids

ROOT = Path(__file__).parents[1]
ASST = str(Path(sys.executable).with_name("asst"))
SMALL = "small"


@dataclass(frozen=True, slots=True)
class Row:
    """One recipe.

    Attributes:
        recipe: below the data set's folder of recipes.
        overlay: below simulated/, on top of it; none where no feature is looked at.
        title: its name in a table, where that is not the recipe's.
        dataset: folder of recipes.
    """

    recipe: str
    overlay: str | None = SMALL
    title: str = ""
    dataset: str = "charades_sta"


@dataclass(frozen=True, slots=True)
class Options:
    """What is trained where.

    Attributes:
        seeds: of the trainings.
        jobs: rows at a time.
        out: folder of all runs.
    """

    seeds: tuple[int, ...]
    jobs: int
    out: Path

    def folder(self, row: Row, seed: int) -> Path:
        """Where a run is."""
        return ROOT / self.out / row.dataset / row.recipe / f"seed{seed}"


def options_of(text: str | None) -> Options:
    """The options of the command line; ``text`` says what the command does."""
    parser = argparse.ArgumentParser(description=(text or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("runs/simulated-standard"))
    given = parser.parse_args()
    return Options(tuple(given.seeds), given.jobs, given.out)


def command(*words: str) -> None:
    """One ``asst`` command with one thread, its output passed on."""
    subprocess.run([ASST, *words], check=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"})


def train_all(rows: Sequence[Row], streams: Sequence[str], options: Options) -> None:
    """Features of Charades-STA's streams, then every row of every seed, as far as they are missing."""
    for stream in streams:
        command("simulate", f"features/simulated-{stream}-standard", "--modality", stream)
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(_train, row, seed, options) for seed in options.seeds for row in rows]
        for one in waiting:
            one.result()


def interval(figure: Figure) -> str:
    """A figure with its interval, as a cell."""
    assert figure.low is not None
    assert figure.high is not None
    return f"{figure.mean:.1f} ({figure.low:.1f}..{figure.high:.1f})"


def print_seeds(
    what: str,
    headings: Sequence[str],
    rows: Sequence[Row],
    cells: Callable[[Row, int, Options], list[str]],
    options: Options,
) -> None:
    """One table a seed; ``cells`` gives a row's line, of which the first two are words."""
    notes = ["per cent (95 % interval over videos); simulated: nothing here compares with published figures"]
    grids = [
        Grid(
            f"{what}, simulated features, seed {seed}",
            headings,
            [cells(row, seed, options) for row in rows],
            notes,
            words=2,
        )
        for seed in options.seeds
    ]
    write_grids(grids, sys.stdout)


def _train(row: Row, seed: int, options: Options) -> None:
    folder = options.folder(row, seed)
    if (folder / "results" / "test.json").exists():
        return
    recipes = [f"{row.dataset}/{row.recipe}"]
    if row.overlay:
        recipes.append(f"simulated/{row.overlay}")
    command("train", *recipes, f"training.seed={seed}", "--run", str(folder))
    command("evaluate", str(folder), "--split", "test")
