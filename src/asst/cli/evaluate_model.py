"""``asst evaluate --model``: ask a prior, a packaged model or a checkpoint the questions of a split, and judge it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asst.cli.annotation import read_annotation
from asst.cli.options import Annotation
from asst.cli.progress import counting
from asst.cli.questions import Questions
from asst.cli.stores import checkpoint_store
from asst.cli.verb import tell
from asst.data.lengths import compare_lengths
from asst.errors import InputError
from asst.evaluation.answers import answer_split
from asst.evaluation.prior import fitted_prior
from asst.evaluation.scoring import Evaluation
from asst.features.networks.none import NAME, PlaceholderStore
from asst.features.stores.native import FeatureStore
from asst.models import model_named
from asst.models.base import Model
from asst.models.checkpoint import Description
from asst.models.reranked import RerankedModel
from asst.models.trained.detector import TrainedDetector
from asst.models.trained.model import TrainedModel
from asst.moments import Answer

PRIOR = "prior"


def evaluate_model(
    model: str,
    questions: Questions,
    split: str,
    fit_split: str | None,
    stores: Sequence[Path],
    step_s: float | None,
    key: str | None,
    out: Path | None,
) -> Evaluation:
    """Asks ``prior``, fitted on ``fit_split``, or the model of a name or checkpoint, and judges it.

    It reads the features of the stores, one a stream, in its order; ``step_s`` and ``key`` say of published stores how
    long a step lasts, and which of a video's arrays to take. Answers are kept in ``out``, if that is given. Raises an
    `InputError` for a model that is neither, or features that are missing or of another kind.
    """
    blind = model == PRIOR
    if fit_split and not blind:
        raise InputError(f"--fit-split goes with --model {PRIOR}; any other has learnt already")
    if stores and blind:
        raise InputError("a prior looks at no features; leave --store out")
    if blind:
        answers = _prior(questions, fit_split)
    else:
        asked, store = _opened(model, questions, split, stores, step_s, key)
        compare_lengths(store, questions.asked, tell)
        answers = ask_all(asked, questions, store)
    if out is not None:
        questions.write(answers, out)
        tell(f"wrote {out}")
    return questions.judge(answers, blind=not blind)


def _prior(questions: Questions, fit_split: str | None) -> list[Answer]:
    if questions.actions is not None:
        raise InputError("a prior answers sentences; name the checkpoint of a detector")
    if not fit_split:
        raise InputError("what is the prior fitted on? give --fit-split train or --fit-split val")
    _, learnt = read_annotation(Annotation(questions.key, fit_split, questions.folder))
    return fitted_prior(questions.key, learnt.records).answers(questions.records)


def _opened(
    name: str, questions: Questions, split: str, stores: Sequence[Path], step_s: float | None, key: str | None
) -> tuple[Model | TrainedDetector, FeatureStore]:
    model = model_named(name) if questions.actions is None else TrainedDetector.load([Path(name)])
    if isinstance(model, TrainedModel | RerankedModel | TrainedDetector):
        warn_if_seen(model.description, questions.key, split)
    # What makes the features of a checkpoint need not be here.
    kind = model.description.features if isinstance(model, TrainedModel | TrainedDetector) else None
    extractor, made = (kind.extractor, kind.preprocessing) if kind else (model.extractor.name, "")
    if extractor == NAME:
        return model, PlaceholderStore()
    return model, checkpoint_store(name, extractor, stores, step_s, made, key)


def ask_all(model: Model | TrainedDetector, questions: Questions, store: FeatureStore, **how: Any) -> list[Answer]:
    """What a model says, with progress; ``how`` is as `asst.evaluation.answers.answer_split` takes it."""
    with counting() as count:
        if not isinstance(model, TrainedDetector):
            return answer_split(model, questions.records, store, progress=count, **how)
        found, videos = [], questions.actions.videos if questions.actions is not None else ()
        for answer in model.detect_videos(videos, store):
            found.append(answer)
            count(len(found), len(videos))
        return found


def warn_if_seen(description: Description, dataset: str, split: str) -> None:
    """Say on standard error where a model is judged on what it learnt from."""
    for name in description.seen(dataset, split):
        tell(f"warning: {description.recipe} learnt from {name}; on {split} it answers from memory")
