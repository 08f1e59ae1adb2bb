from __future__ import annotations

import io

from asst.outputs.table import Grid, write_grids


def written(*grids: Grid) -> str:
    stream = io.StringIO()
    write_grids(grids, stream)
    return stream.getvalue()


def test_words_stand_left_and_figures_right() -> None:
    grid = Grid("Table", ["metric", "mean\nof all"], [["a", "1.00"], ["longer", "10.00"]], ["a note"])
    assert written(grid) == "Table\n          mean\nmetric  of all\na         1.00\nlonger   10.00\na note\n"


def test_a_narrow_terminal_cuts_and_folds_nothing() -> None:
    rows = [["a" * 70, "b" * 70]]
    assert f"{'a' * 70}  {'b' * 70}\n" in written(Grid("", ["one", "two"], rows))


def test_grids_stand_apart_and_control_characters_do_nothing() -> None:
    grid = Grid("A\x1b[2J", ["h"], [["\x1b[31m"]])
    text = written(grid, grid)
    assert "\x1b" not in text
    assert text.count("\n\nA") == 1
