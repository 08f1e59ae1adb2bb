"""The detector of actions and a frame classifier with grouping on simulated THUMOS14: one table at IoU 0.3 to 0.7.

Run: ``python benchmarks/simulated_detection.py [--seeds 0 1] [--jobs 2]``

Both read the same simulated rgb and flow features (recipes/simulated/small_{detector,frames}.yaml). The features are
made first, which takes a few seconds and 350 MB. What is there already is left as it is; a run that was interrupted
goes on. Runs are below runs/simulated-standard.
"""

from __future__ import annotations

import json
import sys

from asst.evaluation.results import Figure, read_result
from asst.outputs.grid import Grid, write_grids
from simulated_runs import Options, Row, command, options_of, train_all

METRICS = (*(f"map,iou={iou}" for iou in (0.3, 0.4, 0.5, 0.6, 0.7)), "map")
ROWS = (
    Row("frames", "small_frames", "frame classifier + grouping", dataset="thumos14"),
    Row("two_stream", "small_detector", "video subnet", dataset="thumos14"),
)


def cells(row: Row, seed: int, options: Options) -> list[str]:
    """One line of the table, from what a run left."""
    folder = options.folder(row, seed)
    result = read_result(folder / "results" / "test.json")
    log = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [
        row.title,
        "simulated",
        *(_interval(result.metrics[key]) for key in METRICS),
        f"{log[-1]['seconds']:.0f}",
        f"{result.queries / result.seconds:.0f}",
    ]


def _interval(figure: Figure) -> str:
    assert figure.low is not None
    assert figure.high is not None
    return f"{figure.mean:.1f} ({figure.low:.1f}..{figure.high:.1f})"


def main() -> None:
    """Train, print."""
    options = options_of(__doc__)
    for stream in ("rgb", "flow"):
        store = f"features/simulated-thumos14-{stream}-standard"
        command("simulate", store, "--dataset", "thumos14", "--modality", stream)
    train_all(ROWS, (), options)
    headings = ["method", "features", *(key.replace(",", "\n") for key in METRICS), "training\ns", "videos\na second"]
    notes = ["per cent (95 % interval over videos); simulated: nothing here compares with published figures"]
    grids = [
        Grid(
            f"THUMOS14 test, simulated features, seed {seed}",
            headings,
            [cells(row, seed, options) for row in ROWS],
            notes,
            words=2,
        )
        for seed in options.seeds
    ]
    write_grids(grids, sys.stdout)


if __name__ == "__main__":
    main()
