"""``asst evaluate``: how good saved predictions, a run or a model are, by the protocol of a data set."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from asst.cli import options
from asst.cli.options import Annotation, argument, option
from asst.cli.verb import tell
from asst.errors import InputError
from asst.extras import require

if TYPE_CHECKING:
    from asst.evaluation.results import Source
    from asst.evaluation.scoring import Evaluation

_Predictions = Annotated[
    Path | None,
    argument(
        "PREDICTIONS|RUN",
        "Answers as 'asst locate --json' or 'asst detect --json' prints them, or any system's (--format); or the "
        "folder of a run, or one that holds runs seed0, seed1 and so on.",
    ),
]
_ResultPath = Annotated[
    Path | None, option("--result results/OUT.json", "Keep the figures for 'asst tables', in a folder called results.")
]
_RecipeName = Annotated[str | None, option("--recipe NAME", "With --result: the row it fills, such as didemo/fusion.")]
_FeaturesName = Annotated[
    str | None, option("--features NAME", "With --result: the features that the predictions come from.")
]
_ModelName = Annotated[
    str | None,
    option(
        "--model prior|NAME|CHECKPOINT",
        "In place of PREDICTIONS: ask this model, such as default, the sentences of the split.",
    ),
]
_FitSplit = Annotated[str | None, option("--fit-split NAME", "With --model prior: the part of the data to fit it on.")]
_Format = Annotated[
    str | None, option("--format NAME", "Of PREDICTIONS that are not ours: moment-detr (lighthouse) or activitynet.")
]
_ProtocolName = Annotated[
    str | None,
    option(
        "--protocol NAME",
        "Of detections: thumos14 (IoU 0.3 to 0.7) or activitynet (0.5 to 0.95); of sentences: standard or tall.",
    ),
]
_Changes = Annotated[
    list[str] | None, option("--set KEY=VALUE", "With a run: another value of a setting of its recipe.")
]


def evaluate(
    predictions: _Predictions = None,
    *,
    annotation: Annotation,
    as_json: options.Json = False,
    result: _ResultPath = None,
    recipe: _RecipeName = None,
    features: _FeaturesName = None,
    simulated: Annotated[bool, option("--simulated", "With --result: the features are simulated.")] = False,
    model: _ModelName = None,
    fit_split: _FitSplit = None,
    stores: options.Stores = None,
    step_s: options.StepS = None,
    key: options.ArrayKey = None,
    form: _Format = None,
    out: Annotated[Path | None, option("--out OUT.jsonl", "With --model: keep its answers.")] = None,
    protocol: _ProtocolName = None,
    changes: _Changes = None,
) -> None:
    """Judge PREDICTIONS by the protocol of their data set, with 95 % intervals over videos.

    Each sentence of the split needs a prediction; where actions are detected a video may have none. The order of the
    lines does not matter. A RUN is asked the sentences of the split first; what it answers and how good that is are
    kept in its folder. A --model is asked likewise. Beside each figure stands that of a prior which reads neither video
    nor sentence, where another part of the data set is here to fit it on.
    """
    _check(predictions, model, form, protocol)
    from asst.cli.evaluation_figures import print_evaluation
    from asst.cli.questions import USUAL_PROTOCOL, read_questions

    if model is not None:
        from asst.cli.evaluate_model import evaluate_model

        asked, split = read_questions(annotation), str(annotation.split)
        judged = evaluate_model(model, asked, split, fit_split, stores or (), step_s, key, out)
        print_evaluation(judged, as_json=as_json)
        return
    assert predictions is not None
    # What is not there and has no suffix was meant as a run, and is told which there are.
    if predictions.is_dir() or not (predictions.suffix or predictions.exists()):
        if not annotation.split:
            raise InputError("which part of the data? give --split val or --split test")
        require("train", "judging a run")
        from asst.cli.evaluate_run import evaluate_runs, runs_in

        evaluate_runs(runs_in(predictions), annotation.split, changes or [], as_json=as_json)
        return
    if result is not None and not (recipe and features):
        raise InputError("a result file says what made the predictions; give --recipe NAME and --features NAME")
    if result is not None and protocol not in (None, USUAL_PROTOCOL):
        raise InputError(f"a result file holds figures of {USUAL_PROTOCOL}'s protocol; leave --protocol out")
    started_s = time.perf_counter()
    evaluation, models = _judged(predictions, form, annotation, protocol)
    print_evaluation(evaluation, as_json=as_json)
    if result and recipe and features:
        seconds = time.perf_counter() - started_s
        _keep(evaluation, result, recipe, features, models or "unnamed", seconds, simulated=simulated)


def _check(predictions: Path | None, model: str | None, form: str | None, protocol: str | None) -> None:
    """Refuse what does not go together."""
    if (predictions is None) == (model is None):
        raise InputError("what is to be judged? name a file of predictions or the folder of a run, or give --model")
    if predictions is not None and predictions.suffix in (".safetensors", ".onnx"):
        raise InputError(f"{predictions} is no file of predictions; a model is judged by --model {predictions}")
    if form is not None and (predictions is None or predictions.is_dir()):
        raise InputError("--format goes with a file of predictions; a run and a model answer in ours")
    if protocol is not None and (predictions is None or predictions.is_dir()):
        raise InputError("--protocol goes with a file of predictions; name RUN/predictions/SPLIT.jsonl")


def _judged(path: Path, form: str | None, annotation: Annotation, protocol: str | None) -> tuple[Evaluation, str]:
    """How good a file of predictions is, and the names of the models that made it."""
    from asst.cli.questions import read_predictions

    answers, questions = read_predictions(path, form, annotation)
    evaluation = questions.judge(answers, protocol)
    if questions.actions is not None and (missing := len(questions.asked) - len(answers)):
        tell(f"{missing} of {len(questions.asked)} videos have no line: nothing found in them")
    return evaluation, " + ".join(dict.fromkeys(answer.model for answer in answers if answer.model))


def _keep(
    evaluation: Evaluation, path: Path, recipe: str, features: str, model: str, seconds: float, *, simulated: bool
) -> None:
    from asst.evaluation.results import Result, write_result

    origin: Source = "simulated" if simulated else "real"
    kept = Result.of(evaluation, recipe=recipe, data=origin, extractor=features, model=model, seconds=seconds)
    write_result(kept, path)
    tell(f"wrote {path}")
