"""``asst evaluate RUN``: ask a trained model the sentences of a split, keep its answers, judge them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from asst.cli.extras import require_training
from asst.cli.progress import counting

if TYPE_CHECKING:
    from asst.evaluation.scoring import Evaluation


def evaluate_run(run: Path, split: str, changes: Sequence[str]) -> Evaluation:
    """Writes ``RUN/predictions/SPLIT.jsonl`` and ``RUN/results/SPLIT.json``.

    Raises:
        InputError: for a folder without a finished checkpoint, or data that cannot be read.
    """
    require_training()
    from asst.evaluation.answers import answer_split, origin_of
    from asst.evaluation.results import Result, write_result
    from asst.evaluation.scoring import evaluate
    from asst.outputs.destination import replacing
    from asst.outputs.json_lines import write_answers
    from asst.training.opening import open_run

    model, recipe, sources = open_run(run, changes, lambda line: typer.echo(line, err=True))
    records = sources.records(split).records
    started_s = time.perf_counter()
    with counting() as count:
        answers = answer_split(model, records, sources.store, progress=count)
    seconds = time.perf_counter() - started_s
    predictions = run / "predictions" / f"{split}.jsonl"
    predictions.parent.mkdir(exist_ok=True)
    with replacing(predictions) as lent, lent.open("w", encoding="ascii") as stream:
        write_answers(answers, stream)
    evaluation = evaluate(recipe.data.dataset, records, answers)
    result = Result.of(
        evaluation,
        recipe=recipe.name,
        data=origin_of(model, sources.store, records),
        extractor=model.description.features.extractor,
        model=f"{recipe.name}, seed {recipe.training.seed}",
        seconds=seconds,
    )
    kept = run / "results" / f"{split}.json"
    write_result(result, kept)
    speed = len(answers) / seconds
    typer.echo(f"answered {len(answers)} queries, {speed:.0f} a second; wrote {predictions} and {kept}", err=True)
    return evaluation
