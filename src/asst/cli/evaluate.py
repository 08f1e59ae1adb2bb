"""``asst evaluate``: how good saved predictions are, by the protocol of their data set."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asst.cli.annotation import (
    DataFolder,
    DatasetName,
    Problems,
    Split,
    blind_prior,
    detects,
    read_action_annotation,
    read_annotation,
)
from asst.cli.evaluation_figures import print_evaluation
from asst.errors import InputError

if TYPE_CHECKING:
    from asst.evaluation.results import Source
    from asst.evaluation.scoring import Evaluation

USUAL_PROTOCOL = "thumos14"


_Predictions = Annotated[
    Path | None,
    typer.Argument(
        metavar="PREDICTIONS|RUN",
        help="Answers as 'asst locate --json' or 'asst detect --json' prints them, or any system's (--format); or the "
        "folder of a run, or one that holds runs seed0, seed1 and so on.",
        show_default=False,
    ),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, in per cent.")]
_ResultPath = Annotated[
    Path | None,
    typer.Option(metavar="results/OUT.json", help="Keep the figures for 'asst tables', in a folder called results."),
]
_RecipeName = Annotated[
    str | None, typer.Option(metavar="NAME", help="With --result: the row it fills, such as didemo/fusion.")
]
_FeaturesName = Annotated[
    str | None, typer.Option(metavar="NAME", help="With --result: the features that the predictions come from.")
]
_IsSimulated = Annotated[bool, typer.Option("--simulated", help="With --result: the features are simulated.")]
_ModelName = Annotated[
    str | None,
    typer.Option(
        metavar="prior|NAME|CHECKPOINT",
        help="In place of PREDICTIONS: ask this model, such as default, the sentences of the split.",
    ),
]
_FitSplit = Annotated[
    str | None, typer.Option(metavar="NAME", help="With --model prior: the part of the data to fit it on.")
]
_Stores = Annotated[
    list[Path] | None,
    typer.Option("--store", metavar="STORE", help="With --model: the features it reads; once for each stream."),
]
_StepS = Annotated[
    float | None,
    typer.Option("--step-s", metavar="SECONDS", help="With a STORE that is not ours: how long a step lasts."),
]
_Key = Annotated[
    str | None, typer.Option(metavar="NAME", help="With a STORE that is not ours: which of a video's arrays to take.")
]
_Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAME", help="Of PREDICTIONS that are not ours: moment-detr (lighthouse) or activitynet."
    ),
]
_Out = Annotated[
    Path | None, typer.Option(metavar="OUT.jsonl", help="With --model: keep its answers.", show_default=False)
]
_ProtocolName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Of detections: thumos14 (IoU 0.3 to 0.7) or activitynet (0.5 to 0.95); of sentences: standard or tall.",
    ),
]
_Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="With a run: another value of a setting of its recipe."),
]


def evaluate(
    predictions: _Predictions = None,
    dataset: DatasetName = None,
    split: Split = None,
    data: DataFolder = None,
    as_json: _AsJson = False,
    problems: Problems = False,
    result: _ResultPath = None,
    recipe: _RecipeName = None,
    features: _FeaturesName = None,
    simulated: _IsSimulated = False,
    model: _ModelName = None,
    fit_split: _FitSplit = None,
    stores: _Stores = None,
    step_s: _StepS = None,
    key: _Key = None,
    form: _Format = None,
    out: _Out = None,
    protocol: _ProtocolName = None,
    changes: _Changes = None,
) -> None:
    """Judge PREDICTIONS by the protocol of their data set, with 95 % intervals over videos.

    Each sentence of the split needs a prediction; where actions are detected a video may have none. The order of the
    lines does not matter. A RUN is asked the sentences of the split first; what it answers and how good that is are
    kept in its folder. A --model is asked likewise. Beside each figure stands that of a prior which reads neither video
    nor sentence, where another part of the data set is here to fit it on.
    """
    if (predictions is None) == (model is None):
        raise InputError("what is to be judged? name a file of predictions or the folder of a run, or give --model")
    if form is not None and (predictions is None or predictions.is_dir()):
        raise InputError("--format goes with a file of predictions; a run and a model answer in ours")
    if protocol is not None and (predictions is None or predictions.is_dir()):
        raise InputError("--protocol goes with a file of predictions; name RUN/predictions/SPLIT.jsonl")
    if model is not None:
        from asst.cli.evaluate_model import Asked, evaluate_model

        asked = Asked(model, fit_split, stores or (), step_s, key, out)
        print_evaluation(evaluate_model(asked, dataset, split, data, problems=problems), as_json=as_json)
        return
    assert predictions is not None
    # What is not there and has no suffix was meant as a run, and is told which there are.
    if predictions.is_dir() or not (predictions.suffix or predictions.exists()):
        if not split:
            raise InputError("which part of the data? give --split val or --split test")
        from asst.cli.seeds import evaluate_runs, runs_in

        evaluate_runs(runs_in(predictions), split, changes or [], as_json=as_json)
        return
    if result is not None and not (recipe and features):
        raise InputError("a result file says what made the predictions; give --recipe NAME and --features NAME")
    if result is not None and protocol not in (None, USUAL_PROTOCOL):
        raise InputError(f"a result file holds figures of {USUAL_PROTOCOL}'s protocol; leave --protocol out")
    started_s = time.perf_counter()
    evaluation, models = _evaluated(predictions, form, dataset, split, data, protocol, problems=problems)
    print_evaluation(evaluation, as_json=as_json)
    if result and recipe and features:
        _keep(evaluation, result, recipe, features, models, started_s, simulated=simulated)


def _keep(
    evaluation: Evaluation, path: Path, recipe: str, features: str, models: str, started_s: float, *, simulated: bool
) -> None:
    from asst.evaluation.results import Result, write_result

    source: Source = "simulated" if simulated else "real"
    seconds = time.perf_counter() - started_s
    kept = Result.of(
        evaluation, recipe=recipe, data=source, extractor=features, model=models or "unnamed", seconds=seconds
    )
    write_result(kept, path)
    typer.echo(f"wrote {path}", err=True)


def _evaluated(
    predictions: Path,
    form: str | None,
    dataset: str | None,
    split: str | None,
    data: Path | None,
    protocol: str | None,
    *,
    problems: bool,
) -> tuple[Evaluation, str]:
    """How good a file of predictions is, and the names of the models that made it."""
    if detects(dataset):
        from asst.evaluation.detection import detection_protocol, evaluate_detections
        from asst.evaluation.submissions import read_activitynet_detections
        from asst.outputs.detections import read_detections

        if form not in (None, "activitynet"):
            raise InputError(f"detections come in our form or by --format activitynet, not {form}")
        detections = read_activitynet_detections(predictions) if form else read_detections(predictions)
        actions_key, actions = read_action_annotation(dataset, split, data, problems=problems)
        judged = evaluate_detections(
            actions_key, actions.videos, detections, detection_protocol(protocol or USUAL_PROTOCOL)
        )
        if missing := len(actions.videos) - len(detections):
            typer.echo(f"{missing} of {len(actions.videos)} videos have no line: nothing found in them", err=True)
        return judged, _models(entry.model for entry in detections)
    from asst.evaluation.scoring import evaluate as score
    from asst.evaluation.submissions import FORMATS
    from asst.outputs.json_lines import read_answers

    if form is not None and form not in FORMATS:
        raise InputError(f"no format {form!r}; there are {', '.join(FORMATS)}, and ours without --format")
    answers = read_answers(predictions) if form is None else []
    key, annotation = read_annotation(dataset, split, data, problems=problems)
    if form is not None:
        answers = FORMATS[form](predictions, annotation.records)
    prior = blind_prior(key, annotation, data)
    judged = score(key, annotation.records, answers, prior=prior, protocol=protocol or "standard")
    return judged, _models(answer.model for answer in answers)


def _models(names: Iterable[str]) -> str:
    return " + ".join(dict.fromkeys(name for name in names if name))
