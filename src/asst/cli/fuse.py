"""``asst fuse``: several systems' predictions as one, with weights that are given or found on a validation split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from asst.atomic import write_whole
from asst.cli import options
from asst.cli.options import Annotation, argument, option
from asst.cli.verb import Verb, print_grid, print_json, tell
from asst.errors import InputError
from asst.extras import require
from asst.outputs.destination import check_destination

if TYPE_CHECKING:
    from asst.evaluation.fusion import FittedWeights

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
        list[Path], argument("PREDICTIONS.jsonl|RUN...", "Answers with the same spans, or runs that give them.")
    ],
    weights: Annotated[list[float] | None, option(f"{_WEIGHTS} NUMBER...", "One a file, such as 1 2 2.3.")] = None,
    out: Annotated[Path | None, option("--out OUT.jsonl", "Where the fused answers go.")] = None,
    fit: Annotated[
        bool, option("--fit", "Find the weights by cross-validation over videos; needs --dataset, --split.")
    ] = False,
    *,
    annotation: Annotation,
    recipe: Annotated[
        str | None, option("--recipe NAME", "With RUNs: the row that they fill together, such as didemo/fusion.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Fuse PREDICTIONS of the same candidates: each score is the weighted sum of theirs.

    With --fit, the weights found and the cross-validated figure are printed. With --recipe, the RUNs are asked the
    sentences of --split, fused and judged; what comes out is kept in runs/NAME for 'asst tables'.
    """
    if recipe is not None:
        if not annotation.split or len(weights or ()) != len(predictions):
            raise InputError("a row of several runs needs --split val or --split test, and a weight for each run")
        require("train", "judging a run")
        from asst.cli.figures import print_evaluation
        from asst.cli.judging import evaluate_fused

        print_evaluation(evaluate_fused(predictions, recipe, annotation.split, weights or ()), as_json=as_json)
        return
    if fit == bool(weights):
        raise InputError("how are they weighted? give either --weights, a number a file, or --fit")
    if out is None and not fit:
        raise InputError("where do the fused answers go? give --out OUT.jsonl")
    if out is not None:
        check_destination(out, ".jsonl")
    from asst.evaluation.fusion import fit_weights
    from asst.evaluation.fusion import fuse as fused
    from asst.outputs.json_lines import answer_record, as_lines, read_answers

    systems, fitted, chosen = [read_answers(path) for path in predictions], None, list(weights or ())
    if fit:
        from asst.cli.questions import read_questions

        judged = read_questions(annotation)
        tell("looking for the best weights")
        fitted = fit_weights(judged.key, judged.records, systems)
        chosen = list(fitted.weights)
    if out is not None:
        write_whole(out, as_lines(map(answer_record, fused(systems, chosen))))
        tell(f"wrote {out}")
    _print(predictions, chosen, fitted, as_json=as_json)


def _print(
    predictions: Sequence[Path], weights: Sequence[float], fitted: FittedWeights | None, *, as_json: bool
) -> None:
    if fitted is None:
        if as_json:
            print_json([{"weights": list(weights)}])
        return
    from asst.evaluation.scoring import per_cent

    worth, alone = per_cent(fitted.cross_validated), [round(100 * value, 4) for value in fitted.alone]
    if as_json:
        figures = {"metric": fitted.metric, "cross_validated": worth, "alone": alone, "queries": fitted.queries}
        print_json([{"weights": list(weights), **figures}])
        return
    rows = [
        [str(path), f"{weight:.3g}", f"{own:.2f}"]
        for path, weight, own in zip(predictions, weights, alone, strict=True)
    ]
    mean, low, high = (f"{worth[key]:.2f}" for key in ("mean", "low", "high"))
    note = f"fused, cross-validated: {mean} (95 % interval over videos: {low} to {high})"
    title = f"{fitted.metric} in per cent, {fitted.queries} queries"
    print_grid(title, ["predictions", "weight", "alone"], rows, [note])


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
