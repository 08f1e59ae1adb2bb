"""``asst fuse RUN... --recipe NAME``: a row that several runs fill together, from their checkpoints to its figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from asst.cli.evaluate_run import evaluate_run

if TYPE_CHECKING:
    from asst.evaluation.scoring import Evaluation


def evaluate_fused(runs: Sequence[Path], name: str, split: str, weights: Sequence[float]) -> Evaluation:
    """Asks every run, writes ``predictions/SPLIT.jsonl`` and ``results/SPLIT.json`` of ``runs/NAME``, and judges them.

    Args:
        runs: folders with finished checkpoints.
        name: of the row.
        split: what is asked.
        weights: one a run.

    Raises:
        InputError: as `evaluate_run` and `asst.evaluation.fusion.fuse`.
    """
    from asst.evaluation.fusion import fuse
    from asst.evaluation.results import Result, read_result, write_result
    from asst.evaluation.scoring import evaluate
    from asst.outputs.destination import replacing
    from asst.outputs.json_lines import read_answers, write_answers
    from asst.training.sources import open_run

    for run in runs:
        evaluate_run(run, split, [])
    answers = fuse([read_answers(run / "predictions" / f"{split}.jsonl") for run in runs], weights)
    _, recipe, sources = open_run(runs[0], [], lambda _: None)
    folder = Path("runs") / recipe.kind / name
    predictions = folder / "predictions" / f"{split}.jsonl"
    predictions.parent.mkdir(parents=True, exist_ok=True)
    with replacing(predictions) as lent, lent.open("w", encoding="ascii") as stream:
        write_answers(answers, stream)
    evaluation = evaluate(recipe.data.dataset, sources.records(split).records, answers)
    results = [read_result(run / "results" / f"{split}.json") for run in runs]
    row = Result.of(
        evaluation,
        recipe=name,
        data="simulated" if any(own.data == "simulated" for own in results) else "real",
        extractor=" + ".join(dict.fromkeys(own.extractor for own in results)),
        model=" + ".join(f"{weight:g} {own.model}" for weight, own in zip(weights, results, strict=True)),
        seconds=sum(own.seconds for own in results),
    )
    write_result(row, folder / "results" / f"{split}.json")
    typer.echo(f"wrote {predictions} and {folder / 'results' / f'{split}.json'}", err=True)
    return evaluation
