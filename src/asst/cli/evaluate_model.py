"""``asst evaluate --model``: ask a prior, a packaged model or a checkpoint the sentences of a split, and judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from asst.cli.annotation import blind_prior, detects, read_action_annotation, read_annotation, warn_if_seen
from asst.cli.progress import counting
from asst.cli.stores import checkpoint_store
from asst.errors import InputError

if TYPE_CHECKING:
    from asst.data.record import Record
    from asst.evaluation.prior import Prior
    from asst.evaluation.scoring import Evaluation
    from asst.features.stores.native import FeatureStore
    from asst.models.base import Model
    from asst.moments import Answer

PRIOR = "prior"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model is asked what.

    Attributes:
        model: ``prior``, a name that ``asst models`` prints, or the path of a checkpoint.
        fit_split: what a prior is fitted on.
        stores: of the features that the model reads, one a stream, in its order.
        step_s: for published stores, how long a step lasts in seconds.
        key: for published stores, the array to take where a video has several.
        out: where the answers are kept, if anywhere.
    """

    model: str
    fit_split: str | None
    stores: Sequence[Path]
    step_s: float | None
    key: str | None
    out: Path | None


def evaluate_model(
    asked: Asked, dataset: str | None, split: str | None, data: Path | None, *, problems: bool
) -> Evaluation:
    """Asks and judges.

    Raises:
        InputError: for a model that is neither, features that are missing or of another kind, or annotation that
            cannot be read.
    """
    from asst.evaluation.scoring import evaluate
    from asst.outputs.destination import replacing
    from asst.outputs.json_lines import write_answers

    if detects(dataset):
        return _evaluate_detector(asked, dataset, split, data, problems=problems)
    key, annotation = read_annotation(dataset, split, data, problems=problems)
    records = annotation.records
    blind = asked.model == PRIOR
    answers = _prior(asked, key, data).answers(records) if blind else _answers(asked, records, key, str(split))
    if asked.out is not None:
        with replacing(asked.out) as lent, lent.open("w", encoding="ascii") as stream:
            write_answers(answers, stream)
        typer.echo(f"wrote {asked.out}", err=True)
    return evaluate(key, records, answers, prior=None if blind else blind_prior(key, annotation, data))


def _evaluate_detector(
    asked: Asked, dataset: str | None, split: str | None, data: Path | None, *, problems: bool
) -> Evaluation:
    from asst.data.lengths import compare_lengths
    from asst.evaluation.detection import evaluate_detections
    from asst.models.trained.detector import TrainedDetector
    from asst.outputs.destination import replacing
    from asst.outputs.detections import write_detections

    if asked.model == PRIOR or asked.fit_split:
        raise InputError("a prior answers sentences; name the checkpoint of a detector")
    key, annotation = read_action_annotation(dataset, split, data, problems=problems)
    detector = TrainedDetector.load([Path(asked.model)])
    warn_if_seen(detector.description, key, str(split))
    kind = detector.description.features
    store = checkpoint_store(asked.model, kind.extractor, asked.stores, asked.step_s, kind.preprocessing, asked.key)
    compare_lengths(store, annotation.videos, lambda line: typer.echo(line, err=True))
    found = list(detector.detect_videos(annotation.videos, store))
    if asked.out is not None:
        with replacing(asked.out) as lent, lent.open("w", encoding="ascii") as stream:
            write_detections(found, stream)
        typer.echo(f"wrote {asked.out}", err=True)
    return evaluate_detections(key, annotation.videos, found)


def _prior(asked: Asked, dataset: str, data: Path | None) -> Prior:
    from asst.evaluation.prior import fitted_prior

    if not asked.fit_split:
        raise InputError("what is the prior fitted on? give --fit-split train or --fit-split val")
    if asked.stores:
        raise InputError("a prior looks at no features; leave --store out")
    _, learnt = read_annotation(dataset, asked.fit_split, data, problems=False)
    return fitted_prior(dataset, learnt.records)


def _answers(asked: Asked, records: Sequence[Record], dataset: str, split: str) -> list[Answer]:
    from asst.data.lengths import compare_lengths
    from asst.evaluation.answers import answer_split

    model, store = _model(asked, dataset, split)
    compare_lengths(store, records, lambda line: typer.echo(line, err=True))
    with counting() as count:
        return answer_split(model, records, store, progress=count)


def _model(asked: Asked, dataset: str, split: str) -> tuple[Model, FeatureStore]:
    from asst.features.networks.none import NAME, PlaceholderStore
    from asst.models import model_named
    from asst.models.reranked import RerankedModel
    from asst.models.trained.model import TrainedModel

    if asked.fit_split:
        raise InputError(f"--fit-split goes with --model {PRIOR}; any other has learnt already")
    model = model_named(asked.model)
    if isinstance(model, TrainedModel | RerankedModel):
        warn_if_seen(model.description, dataset, split)
    # What makes the features of a checkpoint need not be here.
    kind = model.description.features if isinstance(model, TrainedModel) else None
    extractor = kind.extractor if kind else model.extractor.name
    if extractor == NAME:
        return model, PlaceholderStore()
    made = kind.preprocessing if kind else ""
    return model, checkpoint_store(asked.model, extractor, asked.stores, asked.step_s, made, asked.key)
