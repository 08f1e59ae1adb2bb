"""``asst evaluate``: how good saved predictions, a run or a model are, by the protocol of a data set."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from asst.cli import options
from asst.cli.options import Annotation, Stores, argument, option, tell
from asst.errors import InputError, counted
from asst.extras import require

if TYPE_CHECKING:
    from asst.evaluation.scoring import Evaluation


@dataclass(frozen=True)
class _ResultFile:
    """A file of figures that is kept, as options."""

    result: Annotated[
        Path | None,
        option("--result results/OUT.json", "Keep the figures for 'asst tables', in a folder called results."),
    ] = None
    recipe: Annotated[
        str | None, option("--recipe NAME", "With --result: the row it fills, such as didemo/fusion.")
    ] = None
    features: Annotated[
        str | None, option("--features NAME", "With --result: the features that the predictions come from.")
    ] = None
    simulated: Annotated[bool, option("--simulated", "With --result: the features are simulated.")] = False

    def write(self, evaluation: Evaluation, models: str, seconds: float) -> None:
        from asst.evaluation.results import Result, write_result

        if self.result and self.recipe and self.features:
            kept = Result.of(
                evaluation,
                recipe=self.recipe,
                data="simulated" if self.simulated else "real",
                extractor=self.features,
                model=models or "unnamed",
                seconds=seconds,
            )
            write_result(kept, self.result)
            tell(f"wrote {self.result}")


@dataclass(frozen=True)
class _Asked:
    """A model that is asked, as options."""

    model: Annotated[
        str | None,
        option(
            "--model prior|NAME|CHECKPOINT",
            "In place of PREDICTIONS: ask this model, such as default, the sentences of the split.",
        ),
    ] = None
    fit_split: Annotated[
        str | None, option("--fit-split NAME", "With --model prior: the part of the data to fit it on.")
    ] = None
    out: Annotated[
        Path | None, option("--out OUT.jsonl", "Keep the answers of --model, or PREDICTIONS of another --format.")
    ] = None


def evaluate(
    predictions: Annotated[
        Path | None,
        argument(
            "PREDICTIONS|RUN",
            "Answers as 'asst locate --json' or 'asst detect --json' prints them, or any system's (--format); or the "
            "folder of a run, or one that holds runs seed0, seed1 and so on.",
        ),
    ] = None,
    *,
    annotation: Annotation,
    as_json: options.Json = False,
    keeping: _ResultFile,
    of: _Asked,
    given: Stores,
    form: Annotated[
        str | None,
        option("--format NAME", "Of PREDICTIONS that are not ours: moment-detr (lighthouse) or activitynet."),
    ] = None,
    protocol: Annotated[
        str | None,
        option(
            "--protocol NAME",
            "Of detections: thumos14 (IoU 0.3 to 0.7) or activitynet (0.5 to 0.95); of sentences: standard or tall.",
        ),
    ] = None,
    changes: Annotated[
        list[str] | None, option("--set KEY=VALUE", "With a run: another value of a setting of its recipe.")
    ] = None,
) -> None:
    """Judge PREDICTIONS by the protocol of their data set, with 95 % intervals over videos.

    Each sentence of the split needs a prediction; where actions are detected a video may have none. The order of the
    lines does not matter. A RUN is asked the sentences of the split first; what it answers and how good that is are
    kept in its folder. A --model is asked likewise. Beside each figure stands that of a prior which reads neither video
    nor sentence, where another part of the data set is here to fit it on.
    """
    kind = _kind(predictions, of.model)
    options_of_files = {"format": form, "protocol": protocol, "set": changes, "store": given.stores}
    # A folder that is no run is told so first.
    if kind != _RUN or (predictions and any(predictions.glob("**/recipe.yaml"))):
        _check(kind, vars(of) | vars(annotation) | vars(given) | vars(keeping) | options_of_files)
    if predictions is None:
        from asst.cli.judging import evaluate_model
        from asst.cli.questions import print_evaluation, read_questions

        questions = read_questions(annotation)
        judged = evaluate_model(str(of.model), questions, str(annotation.split), of.fit_split, given, of.out)
        print_evaluation(judged, as_json=as_json)
        return
    if kind == _RUN:
        if not annotation.split:
            raise InputError("which part of the data? give --split val or --split test")
        require("train", "judging a run")
        from asst.cli.judging import evaluate_runs, runs_in

        evaluate_runs(runs_in(predictions), annotation.split, changes or [], as_json=as_json)
        return
    _judge(predictions, form, annotation, protocol, keeping, of.out, as_json=as_json)


_FILE, _RUN, _MODEL = "a file of predictions", "a run", "--model"
_GO_WITH = {
    "format": ((_FILE,), "a run and a model answer in ours"),
    "protocol": ((_FILE,), "name RUN/predictions/SPLIT.jsonl"),
    "set": ((_RUN,), "nothing else has a recipe"),
    "out": ((_FILE, _MODEL), "a run keeps RUN/predictions/SPLIT.jsonl"),
    "fit_split": ((_MODEL,), "a prior is fitted there"),
    **dict.fromkeys(("store", "step_s", "key"), ((_MODEL,), "give a run --set data.features.NAME=STORE")),
    **dict.fromkeys(("dataset", "data"), ((_FILE, _MODEL), "give a run --set data.root=FOLDER for other files")),
    **dict.fromkeys(("result", "recipe", "features", "simulated"), ((_FILE,), "a run keeps RUN/results/SPLIT.json")),
}
"""What options go with, and what to do otherwise."""


def _kind(predictions: Path | None, model: str | None) -> str:
    """What is asked; an `InputError` for nothing, or for two at once."""
    if (predictions is None) == (model is None):
        raise InputError("what is to be judged? name a file of predictions or the folder of a run, or give --model")
    if predictions is None:
        return _MODEL
    if predictions.suffix in (".safetensors", ".onnx"):
        raise InputError(f"{predictions} is no file of predictions; a model is judged by --model {predictions}")
    # What is not there and has no suffix was meant as a run, and is told which there are.
    return _RUN if predictions.is_dir() or not (predictions.suffix or predictions.exists()) else _FILE


def _check(kind: str, given: Mapping[str, object]) -> None:
    """Refuse options that say nothing of what is asked, rather than leave them out of account."""
    for name, (kinds, otherwise) in _GO_WITH.items():
        if given[name] and kind not in kinds:
            raise InputError(f"--{name.replace('_', '-')} goes with {' or '.join(kinds)}; {otherwise}")


def _judge(
    predictions: Path,
    form: str | None,
    annotation: Annotation,
    protocol: str | None,
    keeping: _ResultFile,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Judge a file, and keep it in our form if asked to."""
    from asst.cli.questions import USUAL_PROTOCOL, print_evaluation, read_predictions

    if any(vars(keeping).values()) and not (keeping.result and keeping.recipe and keeping.features):
        raise InputError("a --result says what made the predictions; give --recipe NAME and --features NAME with it")
    if keeping.result is not None and protocol not in (None, USUAL_PROTOCOL):
        raise InputError(f"a result file holds figures of {USUAL_PROTOCOL}'s protocol; leave --protocol out")
    started_s = time.perf_counter()
    answers, questions = read_predictions(predictions, form, annotation)
    if out is not None:
        questions.write(answers, out)
        tell(f"wrote {out}")
    evaluation = questions.judge(answers, protocol)
    if questions.videos and (missing := len(questions.videos) - len(answers)):
        tell(f"no line for {missing} of {counted(len(questions.videos), 'video')}: nothing found there")
    print_evaluation(evaluation, as_json=as_json)
    models = " + ".join(dict.fromkeys(answer.model for answer in answers if answer.model))
    keeping.write(evaluation, models, time.perf_counter() - started_s)
