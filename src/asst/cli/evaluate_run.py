"""``asst evaluate RUN``: ask trained models the questions of a split, keep what they say, and judge it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asst.atomic import check_writable
from asst.cli.evaluate_model import ask_all, warn_if_seen
from asst.cli.evaluation_figures import print_evaluation, print_together
from asst.cli.questions import Questions
from asst.cli.verb import tell
from asst.data.lengths import compare_lengths
from asst.evaluation.answers import origin_of
from asst.evaluation.fusion import fuse
from asst.evaluation.protocol import protocol_of
from asst.evaluation.results import Result, read_result, write_result
from asst.evaluation.scoring import Evaluation
from asst.models.reranked import RerankedModel
from asst.models.trained.detector import TrainedDetector
from asst.models.trained.model import TrainedModel
from asst.outputs.json_lines import read_answers
from asst.training.folder import RUNS
from asst.training.sources import open_run


def runs_in(folder: Path) -> list[Path]:
    """The folder itself if it is a run, or holds none; else the runs ``seed0``, ``seed1`` and so on in it."""
    inside = sorted(path.parent for path in folder.glob("seed*/recipe.yaml"))
    return [folder] if (folder / "recipe.yaml").exists() or not inside else inside


def evaluate_runs(runs: Sequence[Path], split: str, changes: Sequence[str], *, as_json: bool) -> None:
    """Judges each run on a split, and prints what one came to, or the mean and the spread over several."""
    found = {run.name: evaluate_run(run, split, changes) for run in runs}
    if len(found) == 1:
        print_evaluation(next(iter(found.values())), as_json=as_json)
    else:
        print_together(found, as_json=as_json)


def evaluate_run(run: Path, split: str, changes: Sequence[str]) -> Evaluation:
    """Writes ``RUN/predictions/SPLIT.jsonl`` and ``RUN/results/SPLIT.json``.

    Raises an `InputError` for a folder without a finished checkpoint, or data that cannot be read.
    """
    if (run / "recipe.yaml").exists():
        check_writable(run / "predictions")
    paths, recipe, sources = open_run(run, changes, tell)
    key, how, protocol = recipe.data.dataset, dict[str, Any](), None if recipe.detects else recipe.protocol
    model: TrainedDetector | RerankedModel | TrainedModel
    if recipe.detects:
        model, questions = TrainedDetector.load(paths), Questions(key, actions=sources.actions(split))
    else:
        reranks = recipe.method == "reranker"
        model = RerankedModel.load(paths[0]) if reranks else TrainedModel.load(paths, sources.words)
        questions = Questions(key, sources.records(split), folder=recipe.data.root)
        if protocol_of(key, recipe.protocol).thins:
            how = {"top": None, "overlap": 1.0}
    compare_lengths(sources.store, questions.asked, tell, recipe.data.length_factor)
    started_s = time.perf_counter()
    answers = ask_all(model, questions, sources.store, **how)
    seconds = time.perf_counter() - started_s
    warn_if_seen(model.description, key, split)
    predictions, kept = run / "predictions" / f"{split}.jsonl", run / "results" / f"{split}.json"
    questions.write(answers, predictions)
    evaluation = questions.judge(answers, protocol)
    result = Result.of(
        evaluation,
        recipe=recipe.name,
        data=origin_of(model, sources.store, questions.asked),
        extractor=model.description.features.extractor,
        model=f"{recipe.name}, seed {recipe.training.seed}",
        seconds=seconds,
    )
    write_result(result, kept)
    what = f"{len(answers)} {'videos' if recipe.detects else 'queries'}, {len(answers) / seconds:.0f} a second"
    tell(f"answered {what}; wrote {predictions} and {kept}")
    return evaluation


def evaluate_fused(runs: Sequence[Path], name: str, split: str, weights: Sequence[float]) -> Evaluation:
    """Asks every run, writes ``predictions/SPLIT.jsonl`` and ``results/SPLIT.json`` of ``runs/NAME``, and judges them.

    Raises an `InputError` as `evaluate_run` and `asst.evaluation.fusion.fuse`.
    """
    for run in runs:
        evaluate_run(run, split, [])
    answers = fuse([read_answers(run / "predictions" / f"{split}.jsonl") for run in runs], weights)
    _, recipe, sources = open_run(runs[0], [], lambda _: None)
    folder = RUNS / recipe.kind / name
    predictions, kept = folder / "predictions" / f"{split}.jsonl", folder / "results" / f"{split}.json"
    questions = Questions(recipe.data.dataset, sources.records(split))
    questions.write(answers, predictions)
    evaluation = questions.judge(answers, blind=False)
    results = [read_result(run / "results" / f"{split}.json") for run in runs]
    row = Result.of(
        evaluation,
        recipe=name,
        data="simulated" if any(own.data == "simulated" for own in results) else "real",
        extractor=" + ".join(dict.fromkeys(own.extractor for own in results)),
        model=" + ".join(f"{weight:g} {own.model}" for weight, own in zip(weights, results, strict=True)),
        seconds=sum(own.seconds for own in results),
    )
    write_result(row, kept)
    tell(f"wrote {predictions} and {kept}")
    return evaluation
