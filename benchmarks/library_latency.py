"""How long a search of a library takes and what its first stage loses, by the hours of video in it.

Videos of about an hour are put together from tapes of held-out pictures (``docs/tapes.md``): with sentences whose
moments are known. Up to ``--distinct`` hours no two are alike. Beyond them
videos come again: their features are the same file, their windows those of the first with noise, so that the first
stage has so many different windows to choose from and the second so many files to read.

For each size: the first search, which makes the array of windows; the median and the slowest of the others, and how
much of the median is the first stage; how often the part that holds the asked moment is among those that are scored;
and where nothing comes again, how much of the ten best moments that scoring everything finds is found in two stages,
and how often the best one is.

Run: ``ASST_DATA=FOLDER python benchmarks/library_latency.py [--hours 1 10 100 1000] [--distinct 10] [--asked 20]``
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from asst.features.stores.native import Provenance, file_name
from asst.features.values import Features
from asst.library.engine import Engine, engine_of
from asst.library.library import Library
from asst.library.matrix import matrix_of
from asst.library.search import SCORED_S, Part, parts_by_match, search
from asst.library.tables import Video
from asst.library.windows import WindowVectors
from asst.simulate.tapes.tapes import TapeMaker
from diagnostic_tapes import held_out_tapes

HOUR_S = 3600.0
TOP = 10
NOISE = 0.5
ERRORS = Console(stderr=True)


@dataclass(frozen=True)
class Asked:
    """A sentence and where its moment is."""

    query: str
    content: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class First:
    """A video that comes again: the file of its features, its windows and its length."""

    path: Path
    windows: WindowVectors
    duration_s: float


@dataclass(frozen=True)
class Times:
    """Of the searches of one library, in seconds."""

    first: float
    others: list[float]
    stage_one: float


def hour(maker: TapeMaker, number: int) -> tuple[Features, list[tuple[str, float, float]]]:
    """A video of an hour or a little more, and the questions about it."""
    rows, cuts_s, asked, length_s, first = [], [], [], 0.0, number * 4096
    while length_s < HOUR_S:
        tape = maker.tape(first)
        seen = tape.features
        cuts_s += [length_s, *(length_s + seen.cuts_s).tolist()]
        for question in tape.questions:
            start_s, end_s = (length_s + step * seen.step_s for step in question.span)
            asked.append((question.query, start_s, end_s))
        rows.append(seen.vectors)
        length_s += len(seen) * seen.step_s
        first += 1
    vectors = np.concatenate(rows).astype(np.float16)
    return Features(vectors, 0.0, seen.step_s, seen.extractor, np.array(cuts_s[1:])), asked


class Growing:
    """A library that grows to the sizes that are measured."""

    def __init__(self, folder: Path, engine: Engine, distinct: int) -> None:
        self._maker = held_out_tapes(seed=7)
        self.library = Library.made(folder, engine.identity)
        self.asked: list[Asked] = []
        self._engine, self._distinct = engine, distinct
        self._firsts: list[First] = []
        self._draw = np.random.default_rng(7)
        self._hours = 0

    def grow(self, hours: int) -> None:
        """To so many hours."""
        for number in track(range(self._hours, hours), f"filling to {hours} h", console=ERRORS):
            content = f"{number:032x}"
            if number < self._distinct:
                self._firsts.append(self._made(number, content))
                windows = self._firsts[-1].windows
            else:
                windows = self._again(self._firsts[number % self._distinct], content)
            duration_s = self._firsts[number % self._distinct].duration_s
            self.library.add(Video(f"/{number}.mp4", content, duration_s, 640, 360, 0, len(windows)), windows)
        self._hours = max(self._hours, hours)
        self.library.tables.tidy()

    def _made(self, number: int, content: str) -> First:
        features, asked = hour(self._maker, number)
        identity = self._engine.identity
        written = Provenance(identity.preprocessing, content, identity.weights)
        path = self.library.features.write(content, features, written)
        self.asked += [Asked(query, content, start_s, end_s) for query, start_s, end_s in asked]
        return First(path, self._engine.windows(features), features.duration_s)

    def _again(self, first: First, content: str) -> WindowVectors:
        os.link(first.path, first.path.with_name(file_name(content)))
        seen = first.windows.vectors.astype(np.float32)
        noise = NOISE * seen.std() * self._draw.standard_normal(seen.shape, dtype=np.float32)
        return WindowVectors(first.windows.spans, first.windows.parts, (seen + noise).astype(np.float16))


def timed(library: Library, engine: Engine, asked: Sequence[Asked]) -> Times:
    """How long searches take."""
    took = []
    for one in asked:
        started = time.perf_counter()
        search(library, engine, one.query, top=TOP)
        took.append(time.perf_counter() - started)
    stage_one = []
    for one in asked[1:]:
        started = time.perf_counter()
        _parts(library, engine, one.query)
        stage_one.append(time.perf_counter() - started)
    return Times(took[0], took[1:], float(np.median(stage_one)))


def _parts(library: Library, engine: Engine, query: str) -> list[Part]:
    matrix = matrix_of(library)
    return parts_by_match(matrix.rows, matrix.products(engine.sentence(query)))


def picked(library: Library, engine: Engine, asked: Sequence[Asked], step_s: float) -> float:
    """How often the part that holds the asked moment is scored."""
    hits = 0
    for one in asked:
        left_s = SCORED_S
        for part in _parts(library, engine, one.query):
            inside = part.first * step_s <= one.start_s and one.end_s <= part.stop * step_s
            left_s -= (part.stop - part.first) * step_s
            if inside and part.content == one.content:
                hits += 1
                break
            if left_s <= 0:
                break
    return hits / len(asked)


def kept(library: Library, engine: Engine, asked: Sequence[Asked]) -> tuple[float, float]:
    """Shares of the ten best moments, and of the best, that two stages find."""
    tens, bests = [], []
    for one in track(asked, "scoring everything", console=ERRORS):
        everything = search(library, engine, one.query, top=TOP, scored_s=math.inf).moments
        if not everything:
            continue
        found = {(m.video, m.start_s, m.end_s) for m in search(library, engine, one.query, top=TOP).moments}
        hits = [(m.video, m.start_s, m.end_s) in found for m in everything]
        tens.append(np.mean(hits))
        bests.append(hits[0])
    return float(np.mean(tens)), float(np.mean(bests))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--distinct", type=int, default=10, help="hours of which no two are alike")
    parser.add_argument("--asked", type=int, default=20, help="sentences")
    parser.add_argument("--compared-hours", type=int, default=10, help="most hours that are also scored whole")
    options = parser.parse_args()
    table = Table(title=f"simulated features; {options.asked} sentences, ten moments each")
    headings = ("hours", "windows", "first search", "median", "slowest", "first stage", "asked part scored")
    for heading in (*headings, "of the 10 best", "of the best"):
        table.add_column(heading, justify="right")
    engine = engine_of()
    with tempfile.TemporaryDirectory() as folder:
        growing = Growing(Path(folder) / "library", engine, options.distinct)
        for hours in sorted(options.hours):
            growing.grow(hours)
            library = growing.library
            draw = np.random.default_rng(hours)
            chosen = draw.choice(len(growing.asked), options.asked, replace=False)
            asked = [growing.asked[i] for i in chosen]
            times = timed(library, engine, asked)
            seconds = (times.first, float(np.median(times.others)), max(times.others), times.stage_one)
            found = picked(library, engine, asked, library.features.read(asked[0].content).step_s)
            compared = hours <= min(options.compared_hours, options.distinct)
            shares = kept(library, engine, asked) if compared else ()
            cells = [f"{value:.2f} s" for value in seconds]
            compared_cells = [f"{share:.2f}" for share in shares]
            table.add_row(f"{hours:,}", f"{library.tables.rows():,}", *cells, f"{found:.2f}", *compared_cells)
            ERRORS.print(table)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
