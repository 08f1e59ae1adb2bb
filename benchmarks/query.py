"""How long one more sentence about an hour of video takes, whose features are at hand.

The hour is put together from tapes of held-out pictures (``docs/tapes.md``), and what is asked is what is asked of
them. What is measured once a video is measured before; what is timed is ``asst.Localizer.rank``, a sentence at a time.
Printed for each model: the median, and the slowest of 95 %.

Run: ``ASST_DATA=FOLDER python benchmarks/query.py [--models similarity default] [--asked 60] [--threads 2]``
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
from rich.console import Console
from rich.table import Table

# Threads that wait awake slow each other down; see busy.py.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

import asst
from diagnostic_tapes import held_out_tapes
from library_latency import hour

WARMING = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["similarity", "default"])
    parser.add_argument("--asked", type=int, default=60)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    features, questions = hour(held_out_tapes(seed=7), 0)
    queries = [query for query, _, _ in questions[: options.asked + WARMING]]
    title = f"{features.duration_s / 60:.0f} min, {len(features.cuts_s)} shot changes, {options.threads} threads"
    table = Table(title=title)
    for heading in ("", "median, ms", "95 %, ms"):
        table.add_column(heading, justify="right")
    for name in options.models:
        localizer = asst.load(name)
        taken = []
        for query in queries:
            start = time.perf_counter()
            localizer.model.rank(features, [query], top=5)
            taken.append(time.perf_counter() - start)
        own = 1000 * np.array(taken[WARMING:])
        table.add_row(name, f"{np.median(own):.0f}", f"{np.quantile(own, 0.95):.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
