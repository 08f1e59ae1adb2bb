"""The detector of actions and a frame classifier with grouping on simulated THUMOS14: one table at IoU 0.3 to 0.7.

Run: ``python benchmarks/simulated_detection.py [--seeds 0 1] [--jobs 2]``

Both read the same simulated rgb and flow features (simulated/small_{detector,frames}). The features are
made first, which takes a few seconds and 350 MB. What is there already is left as it is; a run that was interrupted
goes on. Runs are below runs/simulated-standard.
"""

from __future__ import annotations

import json

from asst.evaluation.results import read_result
from simulated_runs import Options, Row, command, interval, options_of, print_seeds, train_all

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
        *(interval(result.metrics[key]) for key in METRICS),
        f"{log[-1]['seconds']:.0f}",
        f"{result.queries / result.seconds:.0f}",
    ]


def main() -> None:
    """Train, print."""
    options = options_of(__doc__)
    for stream in ("rgb", "flow"):
        store = f"features/simulated-thumos14-{stream}-standard"
        command("simulate", store, "--dataset", "thumos14", "--modality", stream)
    train_all(ROWS, (), options)
    headings = ["method", "features", *(key.replace(",", "\n") for key in METRICS), "training\ns", "videos\na second"]
    print_seeds("THUMOS14 test", headings, ROWS, cells, options)


if __name__ == "__main__":
    main()
