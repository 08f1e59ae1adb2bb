"""The paper's tables hold the paper's figures, and ours only where they compare."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from asst.data import DATASETS
from asst.errors import InputError
from asst.evaluation.protocol import protocol_of
from asst.evaluation.results import Figure
from asst.evaluation.tables import PaperTable, as_json, fill, fused_recipes, paper_tables

from ..kept_result import C3D


def numbered(number: int) -> PaperTable:
    (found,) = paper_tables([number])
    return found


def test_there_are_eight_tables_with_a_figure_or_a_dash_in_each_cell() -> None:
    tables = paper_tables()
    assert [table.number for table in tables] == list(range(1, 9))
    assert [len(table.rows) for table in tables] == [4, 3, 5, 4, 5, 5, 2, 11]
    assert all(len(row.paper) == len(table.metrics) for table in tables for row in table.rows)
    dashes = [row.label for table in tables for row in table.rows if None in row.paper]
    assert dashes == ["Richard et al. [32]", "Lin et al. [22]", "Dai et al. [6]", "Gao et al. [9]", "Xu et al. [47]"]
    assert [table.split for table in tables] == ["test", "test", "val", "test", "val", "test", "val", "test"]


def test_the_differences_that_the_papers_text_states_are_those_of_the_tables() -> None:
    one, two, three, four, *_ = ({row.label: row.paper for row in table.rows} for table in paper_tables())

    def ahead(left: tuple[float | None, ...], right: tuple[float | None, ...]) -> list[float]:
        return [round(a - b, 2) for a, b in zip(left, right, strict=True) if a is not None and b is not None]

    assert ahead(one["Ours"], one["MCN [2]"]) == [4.28, 0.23, 6.41]
    assert ahead(two["Ours"], two["CTRL [9]"]) == [15.62, 10.89, 9.01, 11.37]
    assert ahead(three["Flow"], three["RGB"])[0] == 4.54
    assert ahead(three["Two-Stream"], three["Flow"])[0] == 2.54
    assert ahead(four["Flow"], four["RGB"])[0] == 8.68
    assert ahead(four["Flow"], four["C3D"])[0] == 3.44


def test_rows_of_one_recipe_and_split_have_the_same_figures() -> None:
    figures: dict[tuple[str, str], tuple[float | None, ...]] = {}
    for table in paper_tables():
        for row in table.rows:
            if row.recipe is not None:
                assert row.recipe.startswith(f"{table.dataset}/")
                assert figures.setdefault((row.recipe, table.split), row.paper) == row.paper
    assert len(figures) == 24


def test_the_columns_are_metrics_of_the_data_sets_protocol() -> None:
    for table in paper_tables():
        if table.dataset in DATASETS:
            assert set(table.metrics) <= set(protocol_of(table.dataset).values([], []))
            assert protocol_of(table.dataset).headline == table.metrics[0]


def test_some_tables_can_be_chosen() -> None:
    assert [table.number for table in paper_tables([6, 2, 2])] == [2, 6]
    with pytest.raises(InputError, match="no table 9; it has 1 to 8"):
        paper_tables([9])


def test_one_result_fills_every_row_of_its_recipe() -> None:
    for number, row in ((2, 1), (4, 0), (6, 4)):
        filled = fill(numbered(number), [C3D])
        assert [len(ours) for ours in filled.ours] == [int(place == row) for place in range(len(filled.ours))]
        found = as_json(filled)["rows"][row]
        assert found["missing"] is None
        (runs,) = found["ours"]
        assert list(runs["metrics"]) == ["r@1,iou=0.5", "r@1,iou=0.7"]
        assert runs["metrics"]["r@1,iou=0.5"] == {"mean": 36.0, "low": 34.0, "high": 38.0, "spread": None}


def test_a_mean_over_runs_has_their_spread() -> None:
    others = [
        replace(C3D, metrics={"r@1,iou=0.5": Figure(38.0, 36.0, 40.0)}),
        replace(C3D, metrics={"r@1,iou=0.5": Figure(40.0, 38.0, 43.0)}),
    ]
    (runs,) = fill(numbered(4), [C3D, *others]).ours[0]
    figure = runs.figures["r@1,iou=0.5"]
    assert (runs.runs, figure.mean, figure.low, figure.spread) == (3, 38.0, 36.0, 2.0)
    assert figure.high == pytest.approx((38 + 40 + 43) / 3)
    assert list(runs.figures) == ["r@1,iou=0.5"]


def test_other_features_or_queries_are_another_line_and_not_part_of_the_mean() -> None:
    ours = fill(numbered(4), [C3D, replace(C3D, extractor="clip"), replace(C3D, queries=10)]).ours[0]
    assert [(runs.extractor, runs.queries, runs.runs) for runs in ours] == [
        ("c3d", 3720, 1),
        ("clip", 3720, 1),
        ("c3d", 10, 1),
    ]


def test_simulated_results_and_other_splits_stand_in_no_row() -> None:
    simulated = replace(C3D, data="simulated")
    elsewhere = [replace(C3D, split="val"), replace(C3D, recipe="didemo/rgb"), replace(C3D, dataset="didemo")]
    filled = fill(numbered(4), [simulated, *elsewhere])
    assert not any(filled.ours)
    content = as_json(filled)
    assert [row["ours"] for row in content["rows"]] == [[]] * 4
    assert content["rows"][0]["missing"].startswith("needs C3D features of the real videos: asst train charades_sta/")


def test_simulated_features_fill_every_row_but_priors_and_cited_ones() -> None:
    trained = {table.number: dict(table.trained) for table in paper_tables()}
    assert trained[1] == {"CCA": "didemo/cca", "MCN": "didemo/mcn", "Ours": "didemo/fusion"}
    assert list(trained[2]) == ["CCA", "MCN", "Ours, tuned", "CTRL", "Ours", "Ours w/ Two-Stream"]
    assert list(trained[8].values()) == ["thumos14/frames", "simulated/thumos14_tuned", "thumos14/two_stream"]
    assert all(table.ours in trained[table.number].values() for table in paper_tables())
    parts = {part for parts in fused_recipes().values() for part in parts}
    assert parts <= {recipe for table in paper_tables([3]) for _, recipe in table.trained}


def test_every_row_says_what_it_needs() -> None:
    for table in paper_tables():
        for row in table.rows:
            assert row.missing
            if "asst train" in row.missing:
                assert re.search(rf"asst train {row.recipe}\b", row.missing)
