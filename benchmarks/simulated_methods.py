"""The paper's method and its rivals on simulated features: trains each, asks it the test sentences, prints one table.

Run: ``python benchmarks/simulated_methods.py [--seeds 0 1] [--jobs 2]``

All read the same simulated C3D features; those that are trained by steps have the same number of steps of the same
number of samples (simulated/small*). Runs are below runs/simulated-standard. The features are made first,
which takes a minute and 0.4 GB.
"""

from __future__ import annotations

import json

from asst.evaluation.results import read_result
from asst.models.checkpoint import load_checkpoint
from simulated_runs import Options, Row, interval, options_of, print_seeds, train_all

METRICS = (*(f"r@{n},iou={iou}" for n in (1, 5) for iou in (0.3, 0.5, 0.7)), "miou")
ROWS = (
    Row("prior", None, "frequency prior"),
    Row("cca", "small_cca", "CCA"),
    Row("mcn", "small_mcn", "MCN"),
    Row("ctrl", "small_ctrl", "CTRL"),
    Row("c3d", title="ASST"),
)


def cells(row: Row, seed: int, options: Options) -> list[str]:
    """One line of the table, from what a run left."""
    folder = options.folder(row, seed)
    result = read_result(folder / "results" / "test.json")
    description, weights = load_checkpoint(folder / "checkpoints" / "best.safetensors")
    learnt = [tensor for name, tensor in weights.items() if "running_" not in name and "num_batches" not in name]
    log = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [
        row.title,
        "no features" if description.features.extractor == "none" else "simulated",
        *(interval(result.metrics[key]) for key in METRICS),
        f"{sum(tensor.size for tensor in learnt):,}",
        f"{log[-1]['seconds']:.0f}",
        f"{result.queries / result.seconds:.0f}",
    ]


def main() -> None:
    """Train, print."""
    options = options_of(__doc__)
    train_all(ROWS, ("c3d",), options)
    headings = ["method", "features", *(key.replace(",", "\n") for key in METRICS)]
    headings += ["numbers\nlearnt", "training\ns", "queries\na second"]
    print_seeds("Charades-STA test", headings, ROWS, cells, options)


if __name__ == "__main__":
    main()
