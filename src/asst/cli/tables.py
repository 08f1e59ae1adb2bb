"""``asst tables``: the paper's tables, with our figures beside the paper's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from asst.cli import options
from asst.cli.options import argument, option, print_json
from asst.errors import InputError, counted
from asst.extras import require

if TYPE_CHECKING:
    from asst.evaluation.tables import FilledTable
    from asst.outputs.table import Grid

_USUAL = Path("runs")


def tables(
    numbers: Annotated[list[int] | None, argument("NUMBER...", "Which, from 1 to 8; all when none is named.")] = None,
    results: Annotated[
        Path | None,
        option(
            "--results FOLDER",
            "Where result files are looked for; else in runs, where it exists. With --simulated: of its runs.",
        ),
    ] = None,
    as_json: options.Json = False,
    as_csv: Annotated[bool, option("--csv", "Print CSV, each row with its table's title.")] = False,
    as_latex: Annotated[bool, option("--latex", "Print LaTeX, with the rules of booktabs.")] = False,
    simulated: Annotated[
        bool, option("--simulated", "The same rows on simulated features, in runs/simulated.")
    ] = False,
    minutes: Annotated[
        float | None,
        option(
            "--minutes MINUTES", "With --simulated: train what is missing, each run for so long on one thread.", min=0.1
        ),
    ] = None,
    seeds: Annotated[str, option("--seeds N,...", "With --minutes: of the runs of each row.")] = "0,1,2",
    level: options.Level = "crowded",
    jobs: Annotated[int, option("--jobs N", "With --minutes: runs at a time.", min=1)] = 1,
) -> None:
    """Print the paper's tables, with our figures beside the paper's and what each empty cell needs.

    Where there are any, what a prior reaches that reads neither video nor sentence comes first. With --simulated, rows
    that are trained on simulated features stand beside references and each other, and beside no figure of the paper;
    --minutes trains those that are missing.
    """
    from asst.evaluation import tables as library
    from asst.evaluation.results import read_results
    from asst.outputs.table import write_csv, write_grids, write_latex

    if minutes is not None and not simulated:
        raise InputError("--minutes trains on simulated features; give --simulated with it")
    write = write_csv if as_csv else write_latex if as_latex else write_grids
    wanted = library.paper_tables(numbers or ())
    if simulated:
        require("train", "asst tables --simulated")
        from asst.cli.simulated_tables import USUAL, simulated_tables, train_missing

        if minutes is not None:
            if not all(part.strip().isdecimal() for part in seeds.split(",")):
                raise InputError(f"--seeds {seeds}: whole numbers with commas between, such as 0,1,2")
            train_missing(wanted, results or USUAL, minutes, [*map(int, seeds.split(","))], level, jobs)
        simulated_tables(wanted, results or USUAL, None if as_json else write)
        return
    found = [] if results is None and not _USUAL.is_dir() else read_results(results or _USUAL)
    filled = [library.fill(table, found) for table in wanted]
    if as_json:
        print_json(map(library.as_json, filled))
        return
    write([_beside_the_paper(table) for table in filled], sys.stdout)


def _beside_the_paper(table: FilledTable) -> Grid:
    from asst.outputs.table import Grid

    paper = table.paper
    rows, notes, cited, changed = [], [], [], {"": 0}
    decimals = max(len(str(figure).partition(".")[2]) for row in paper.rows for figure in row.paper)
    if table.prior:
        blind = [f"{table.prior[key]:.2f}" if key in table.prior else "" for key in paper.metrics]
        rows.append(["prior, reads nothing", "-", *_alternating(["-"] * len(blind), blind)])
    for row, ours in zip(paper.rows, table.ours, strict=True):
        label, published = row.label, ["-" if figure is None else f"{figure:.{decimals}f}" for figure in row.paper]
        for runs in ours or (None,):
            recipe, own = row.recipe or "-", {}
            if runs is not None:
                place = changed.setdefault(runs.changes, len(changed))
                made = [runs.extractor, counted(runs.runs, "run"), *([f"changed {place}"] if place else [])]
                recipe += f" ({', '.join(made)})"
                own = {
                    key: f"{one.mean:.2f}" + ("" if one.spread is None else f" \N{PLUS-MINUS SIGN} {one.spread:.2f}")
                    for key, one in runs.figures.items()
                }
            rows.append([label, recipe, *_alternating(published, [own.get(key, "") for key in paper.metrics])])
            # The same recipe on other features, or changed, is another line, not part of a mean.
            label, published = "", [""] * len(published)
        if row.recipe is None:
            cited.append(row.label)
        elif not ours:
            notes.append(f"{row.label}: {row.missing}")
    notes += [f"changed {place}: {changes}" for changes, place in changed.items() if place]
    if cited:
        notes.append(f"cited by the paper, with no recipe here: {', '.join(cited)}")
    figures = ["\n".join([*key.split(","), whose]) for key in paper.metrics for whose in ("paper", "ours")]
    return Grid(
        f"Table {paper.number}. {paper.title}, {paper.split}", ["method", "recipe", *figures], rows, notes, words=2
    )


def _alternating(left: list[str], right: list[str]) -> list[str]:
    return [cell for pair in zip(left, right, strict=True) for cell in pair]
