"""``asst compare`` and ``asst fuse``: several systems on the same sentences, beside each other or as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from asst.atomic import check_destination, write_whole
from asst.cli import options
from asst.cli.options import Annotation, Verb, argument, option, print_grid, print_json, tell
from asst.errors import InputError, counted
from asst.extras import require

if TYPE_CHECKING:
    from asst.evaluation.fusion import FittedWeights

_WEIGHTS = "--weights"


def compare(
    first: Annotated[Path, argument("A", "Predictions, a run's folder, or a folder of runs, over which is averaged.")],
    second: Annotated[Path, argument("B", "Likewise, of the other system.")],
    *,
    annotation: Annotation,
    as_json: options.Json = False,
) -> None:
    """Say how far A is ahead of B on the sentences of a split, in every metric of its protocol.

    Intervals hold 95 % of the differences when videos are drawn with replacement, the same for both, and where there
    are several runs these too.
    """
    from asst.cli.questions import read_questions
    from asst.evaluation.scoring import compare as compared
    from asst.evaluation.scoring import per_cent, query_values
    from asst.outputs.json_lines import read_answers

    if annotation.detects:
        raise InputError("detections have no value a sentence to compare by; 'asst evaluate' gives each its interval")
    judged, split = read_questions(annotation), annotation.split
    key = judged.key
    files = [_predictions(path, str(split)) for path in (first, second)]
    protocols = [_protocol(path, paths) for path, paths in zip((first, second), files, strict=True)]
    ours, theirs = (
        query_values(key, judged.records, map(read_answers, paths), protocol, more=True)
        for paths, protocol in zip(files, protocols, strict=True)
    )
    found = compared(judged.records, ours, theirs)
    figures = {
        metric: {"a": round(100 * one.ours, 4), "b": round(100 * one.theirs, 4), **per_cent(one.difference)}
        for metric, one in found.items()
    }
    if as_json:
        runs = {name: len(paths) for name, paths in zip("ab", files, strict=True)}
        print_json([{"dataset": key, "split": split, "runs": runs, "differences": figures}])
        return
    rows = [
        [metric, *("-" if value is None else f"{value:.2f}" for value in own.values())]
        for metric, own in figures.items()
    ]
    names = [
        f"{name}: {path} ({counted(len(paths), 'run')})"
        for name, path, paths in zip("AB", (first, second), files, strict=True)
    ]
    notes = [*names, "per cent; low and high enclose 95 % of the difference over videos and runs"]
    videos = counted(len(judged.annotation.video_names), "video")
    title = f"{key} {split}: {counted(len(judged.records), 'query')}, {videos}"
    print_grid(title, ["metric", "A", "B", "A - B", "low", "high"], rows, notes)


def _protocol(path: Path, predictions: Sequence[Path]) -> str:
    """What the recipe of runs judges by; as they are, of predictions that are no run's."""
    from asst.training.recipe_files import settings_of

    recipes = [own.parent.parent / "recipe.yaml" for own in predictions]
    held = [settings_of([recipe]) if recipe.exists() else {} for recipe in recipes]
    for own in held:
        # One system is runs that differ in nothing but the seed.
        own.get("training", {}).pop("seed", None)
    if other := [recipe.parent for recipe, own in zip(recipes, held, strict=True) if own != held[0]]:
        raise InputError(f"{path} holds runs of several systems, {recipes[0].parent} and {other[0]}; name one of them")
    return str(held[0].get("protocol", "standard"))


def _predictions(path: Path, split: str) -> list[Path]:
    """The file itself, or those of all runs in a folder."""
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob(f"predictions/{split}.jsonl"))
    if not found:
        raise InputError(f"{path} has no predictions/{split}.jsonl; run 'asst evaluate {path} --split {split}' first")
    return found


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
        from asst.cli.judging import evaluate_fused
        from asst.cli.questions import print_evaluation

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
    title = f"{fitted.metric} in per cent, {counted(fitted.queries, 'query')}"
    print_grid(title, ["predictions", "weight", "alone"], rows, [note])


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
