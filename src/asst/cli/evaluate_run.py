"""``asst evaluate RUN``: ask a trained model the sentences or videos of a split, keep what it says, judge it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from asst.cli.annotation import blind_prior, warn_if_seen
from asst.cli.progress import counting
from asst.extras import require

if TYPE_CHECKING:
    from asst.evaluation.scoring import Evaluation
    from asst.models.checkpoint import Description, Origin
    from asst.training.recipe import Recipe
    from asst.training.sources import Sources


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a model said of a split.

    Attributes:
        description: of the model.
        origin: whether what it says is of real videos.
        count: questions answered.
        what: they are called.
        seconds: that took.
        write: writes the answers.
        judge: says how good they are.
    """

    description: Description
    origin: Origin
    count: int
    what: str
    seconds: float
    write: Callable[[TextIO], None]
    judge: Callable[[], Evaluation]


def evaluate_run(run: Path, split: str, changes: Sequence[str]) -> Evaluation:
    """Writes ``RUN/predictions/SPLIT.jsonl`` and ``RUN/results/SPLIT.json``.

    Raises:
        InputError: for a folder without a finished checkpoint, or data that cannot be read.
    """
    require("train", "judging a run")
    from asst.atomic import check_writable
    from asst.evaluation.results import Result, write_result
    from asst.outputs.destination import replacing
    from asst.training.sources import open_run

    if (run / "recipe.yaml").exists():
        check_writable(run / "predictions")
    paths, recipe, sources = open_run(run, changes, _tell)
    asked = (_videos if recipe.detects else _sentences)(paths, recipe, sources, split)
    warn_if_seen(asked.description, recipe.data.dataset, split)
    predictions = run / "predictions" / f"{split}.jsonl"
    predictions.parent.mkdir(exist_ok=True)
    with replacing(predictions) as lent, lent.open("w", encoding="ascii") as stream:
        asked.write(stream)
    evaluation = asked.judge()
    result = Result.of(
        evaluation,
        recipe=recipe.name,
        data=asked.origin,
        extractor=asked.description.features.extractor,
        model=f"{recipe.name}, seed {recipe.training.seed}",
        seconds=asked.seconds,
    )
    kept = run / "results" / f"{split}.json"
    write_result(result, kept)
    speed = asked.count / asked.seconds
    typer.echo(f"answered {asked.count} {asked.what}, {speed:.0f} a second; wrote {predictions} and {kept}", err=True)
    return evaluation


def _sentences(paths: Sequence[Path], recipe: Recipe, sources: Sources, split: str) -> _Asked:
    from asst.data.lengths import compare_lengths
    from asst.evaluation.answers import TOP, answer_split, origin_of
    from asst.evaluation.protocol import protocol_of
    from asst.evaluation.scoring import evaluate
    from asst.models.reranked import RerankedModel
    from asst.models.trained.model import TrainedModel
    from asst.outputs.json_lines import write_answers

    reranks = recipe.method == "reranker"
    model = RerankedModel.load(paths[0]) if reranks else TrainedModel.load(paths, sources.words)
    annotation = sources.records(split)
    records = annotation.records
    compare_lengths(sources.store, records, _tell, recipe.data.length_factor)
    thins = protocol_of(recipe.data.dataset, recipe.protocol).thins
    started_s = time.perf_counter()
    with counting() as count:
        answers = answer_split(
            model,
            records,
            sources.store,
            top=None if thins else TOP,
            overlap=1.0 if thins else None,
            progress=count,
        )
    seconds = time.perf_counter() - started_s
    return _Asked(
        description=model.description,
        origin=origin_of(model, sources.store, records),
        count=len(answers),
        what="queries",
        seconds=seconds,
        write=lambda stream: write_answers(answers, stream),
        judge=lambda: evaluate(
            recipe.data.dataset,
            records,
            answers,
            prior=blind_prior(recipe.data.dataset, annotation, recipe.data.root),
            protocol=recipe.protocol,
        ),
    )


def _videos(paths: Sequence[Path], recipe: Recipe, sources: Sources, split: str) -> _Asked:
    from asst.data.lengths import compare_lengths
    from asst.evaluation.answers import origin_of
    from asst.evaluation.detection import evaluate_detections
    from asst.models.trained.detector import TrainedDetector
    from asst.outputs.detections import write_detections

    detector = TrainedDetector.load(paths)
    videos = sources.actions(split).videos
    compare_lengths(sources.store, videos, _tell, recipe.data.length_factor)
    started_s = time.perf_counter()
    with counting() as count:
        found = []
        for number, one in enumerate(detector.detect_videos(videos, sources.store), start=1):
            found.append(one)
            if count is not None:
                count(number, len(videos))
    seconds = time.perf_counter() - started_s
    return _Asked(
        description=detector.description,
        origin=origin_of(detector, sources.store, videos),
        count=len(found),
        what="videos",
        seconds=seconds,
        write=lambda stream: write_detections(found, stream),
        judge=lambda: evaluate_detections(recipe.data.dataset, videos, found),
    )


def _tell(line: str) -> None:
    typer.echo(line, err=True)
