"""``asst fuse``: several systems' predictions as one, with weights that are given or found on a validation split."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asst.cli.annotation import DataFolder, DatasetName, Problems, Split, read_annotation
from asst.cli.verb import Verb
from asst.errors import InputError
from asst.outputs.destination import check_destination, replacing

if TYPE_CHECKING:
    from asst.evaluation.fusion import FittedWeights
    from asst.moments import Answer

_WEIGHTS = "--weights"


class WeightsCommand(Verb):
    """Lets ``--weights`` take several numbers, ``--weights 1 2 2.3``, as the paper writes them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give each number that follows the option an option of its own."""
        words: list[str] = []
        weighing = False
        for word in args:
            weighing = word == _WEIGHTS or (weighing and _is_number(word))
            words += [_WEIGHTS, word] if weighing and word != _WEIGHTS else [] if weighing else [word]
        return super().parse_args(ctx, words)


def fuse(
    predictions: Annotated[
        list[Path],
        typer.Argument(
            metavar="PREDICTIONS.jsonl|RUN...",
            help="Answers with the same spans, or runs that give them.",
            show_default=False,
        ),
    ],
    weights: Annotated[
        list[float] | None,
        typer.Option(_WEIGHTS, metavar="NUMBER...", help="One a file, such as 1 2 2.3.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="Where the fused answers go.", show_default=False),
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Find the weights by cross-validation over videos; needs --dataset, --split.")
    ] = False,
    dataset: DatasetName = None,
    split: Split = None,
    data: DataFolder = None,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With RUNs: the row that they fill together, such as didemo/fusion."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    problems: Problems = False,
) -> None:
    """Fuse PREDICTIONS of the same candidates: each score is the weighted sum of theirs.

    With --fit, the weights found and the cross-validated figure are printed. With --recipe, the RUNs are asked the
    sentences of --split, fused and judged; what comes out is kept in runs/NAME for 'asst tables'.
    """
    if recipe is not None:
        _fill_row(predictions, recipe, split, weights or [], as_json=as_json)
        return
    if fit == bool(weights):
        raise InputError("how are they weighted? give either --weights, a number a file, or --fit")
    if out is None and not fit:
        raise InputError("where do the fused answers go? give --out OUT.jsonl")
    if out is not None:
        check_destination(out, ".jsonl")
    from asst.outputs.json_lines import read_answers

    systems = [read_answers(path) for path in predictions]
    fitted = _fit(systems, dataset, split, data, problems=problems) if fit else None
    chosen = list(fitted.weights) if fitted is not None else list(weights or ())
    if out is not None:
        _write(systems, chosen, out)
    _print(predictions, chosen, fitted, as_json=as_json)


def _fill_row(runs: Sequence[Path], recipe: str, split: str | None, weights: Sequence[float], *, as_json: bool) -> None:
    if not split or len(weights) != len(runs):
        raise InputError("a row of several runs needs --split val or --split test, and a weight for each run")
    from asst.cli.evaluate_fused import evaluate_fused
    from asst.cli.evaluation_figures import print_evaluation

    print_evaluation(evaluate_fused(runs, recipe, split, weights), as_json=as_json)


def _fit(
    systems: Sequence[Sequence[Answer]], dataset: str | None, split: str | None, data: Path | None, *, problems: bool
) -> FittedWeights:
    from asst.evaluation.fusion import fit_weights

    key, annotation = read_annotation(dataset, split, data, problems=problems)
    typer.echo("looking for the best weights", err=True)
    return fit_weights(key, annotation.records, systems)


def _write(systems: Sequence[Sequence[Answer]], weights: Sequence[float], out: Path) -> None:
    from asst.evaluation.fusion import fuse as fused
    from asst.outputs.json_lines import write_answers

    answers = fused(systems, weights)
    with replacing(out) as lent, lent.open("w", encoding="ascii") as stream:
        write_answers(answers, stream)
    typer.echo(f"wrote {out}", err=True)


def _print(
    predictions: Sequence[Path], weights: Sequence[float], fitted: FittedWeights | None, *, as_json: bool
) -> None:
    if as_json:
        figures: dict[str, Any] = {"weights": list(weights)}
        if fitted is not None:
            from asst.evaluation.scoring import per_cent

            figures |= {
                "metric": fitted.metric,
                "cross_validated": per_cent(fitted.cross_validated),
                "alone": [round(100 * value, 4) for value in fitted.alone],
                "queries": fitted.queries,
            }
        typer.echo(json.dumps(figures, allow_nan=False))
    elif fitted is not None:
        from asst.outputs.grid import Grid, write_grids

        rows = [
            [str(path), f"{weight:.3g}", f"{100 * alone:.2f}"]
            for path, weight, alone in zip(predictions, weights, fitted.alone, strict=True)
        ]
        worth = fitted.cross_validated
        note = (
            f"fused, cross-validated: {100 * worth.mean:.2f} (95 % interval over videos: "
            f"{100 * worth.low:.2f} to {100 * worth.high:.2f})"
        )
        title = f"{fitted.metric} in per cent, {fitted.queries} queries"
        write_grids([Grid(title, ["predictions", "weight", "alone"], rows, [note])], sys.stdout)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
