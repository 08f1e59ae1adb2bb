"""What it costs when threads wait awake while another process takes the cores, against asleep as the command has them.

The same questions about three minutes of noise are put to the default model, alone and beside a process that keeps
all cores busy, with ``OMP_WAIT_POLICY`` active and passive, each in a process of its own.

Run: ``python benchmarks/busy.py [--asked 40]``
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from multiprocessing import Process

import numpy as np
from rich.console import Console
from rich.table import Table

import asst
from asst.features.extractor import EXTRACTORS
from asst.features.zeroshot.crops import STEP_S

EXTRACTOR = "captions"


def asked_s(count: int) -> float:
    """Seconds that so many questions take, after one that is not timed."""
    rows = np.random.default_rng(0).random((360, EXTRACTORS[EXTRACTOR].dimension or 0)).astype(np.float16)
    features = asst.Features(rows, 0.0, STEP_S, EXTRACTOR, np.array([30.0, 90.0]))
    localizer = asst.load("default")
    localizer.model.rank(features, ["a dog jumps"], top=5)
    started = time.perf_counter()
    for number in range(count):
        localizer.model.rank(features, [f"a dog jumps over {number} chairs"], top=5)
    return time.perf_counter() - started


def busy() -> None:
    """Takes a core."""
    while True:
        pass


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--asked", type=int, default=40)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(asked_s(options.asked))
        return
    table = Table(title=f"{options.asked} questions, seconds")
    for heading in ("", "waiting awake", "waiting asleep"):
        table.add_column(heading, justify="right")
    command = [sys.executable, __file__, "--one", "--asked", str(options.asked)]
    for name, others in (("alone", 0), ("beside a busy process a core", os.cpu_count() or 1)):
        running = [Process(target=busy, daemon=True) for _ in range(others)]
        for process in running:
            process.start()
        cells = []
        for policy in ("ACTIVE", "PASSIVE"):
            environment = {**os.environ, "OMP_WAIT_POLICY": policy}
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
            cells.append(f"{float(done.stdout):.1f}")
        for process in running:
            process.terminate()
        table.add_row(name, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
