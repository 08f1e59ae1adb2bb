"""Tables 4 and 6 on simulated features: trains every row, asks it the test sentences and prints the tables.

Run: ``python benchmarks/simulated_tables.py [--seeds 0 1] [--jobs 2]``

A row is ``asst train charades_sta/ROW simulated/small``, below runs/simulated-standard. The
features are made from the annotation first, which takes a few minutes and 1.2 GB.
"""

from __future__ import annotations

from simulated_runs import Row, command, options_of, train_all

ROWS = tuple(
    Row(recipe)
    for recipe in (
        "c3d",
        "feeding_none",
        "feeding_final",
        "feeding_last_dilation",
        "feeding_first_dilation",
        "rgb",
        "flow",
        "two_stream",
    )
)


def main() -> None:
    """Train, print."""
    options = options_of(__doc__)
    train_all(ROWS, ("c3d", "rgb", "flow"), options)
    command("tables", "4", "6", "--results", str(options.out))


if __name__ == "__main__":
    main()
