"""``asst evaluate --model``: ask a prior, a packaged model or a checkpoint the questions of a split, and judge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asst.cli.annotation import read_annotation
from asst.cli.questions import Questions, ask_all, read_questions, tell, warn_if_seen
from asst.cli.stores import checkpoint_store
from asst.errors import InputError

if TYPE_CHECKING:
    from asst.evaluation.scoring import Evaluation
    from asst.moments import Answer

PRIOR = "prior"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which model is asked.

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
    questions = read_questions(dataset, split, data, problems=problems)
    blind = asked.model == PRIOR
    answers = _prior(asked, questions) if blind else _answers(asked, questions, str(split))
    if asked.out is not None:
        questions.write(answers, asked.out)
        tell(f"wrote {asked.out}")
    return questions.judge(answers, blind=not blind)


def _prior(asked: Asked, questions: Questions) -> list[Answer]:
    from asst.evaluation.prior import fitted_prior

    if questions.actions is not None:
        raise InputError("a prior answers sentences; name the checkpoint of a detector")
    if not asked.fit_split:
        raise InputError("what is the prior fitted on? give --fit-split train or --fit-split val")
    if asked.stores:
        raise InputError("a prior looks at no features; leave --store out")
    _, learnt = read_annotation(questions.key, asked.fit_split, questions.folder, problems=False)
    return fitted_prior(questions.key, learnt.records).answers(questions.records)


def _answers(asked: Asked, questions: Questions, split: str) -> list[Answer]:
    from asst.data.lengths import compare_lengths
    from asst.features.networks.none import NAME, AbsentStore
    from asst.models import model_named
    from asst.models.reranked import RerankedModel
    from asst.models.trained.detector import TrainedDetector
    from asst.models.trained.model import TrainedModel

    if asked.fit_split:
        raise InputError(f"--fit-split goes with --model {PRIOR}; any other has learnt already")
    detects = questions.actions is not None
    model = TrainedDetector.load([Path(asked.model)]) if detects else model_named(asked.model)
    if isinstance(model, TrainedModel | RerankedModel | TrainedDetector):
        warn_if_seen(model.description, questions.key, split)
    # What makes the features of a checkpoint need not be here.
    kind = model.description.features if isinstance(model, TrainedModel | TrainedDetector) else None
    extractor, made = (kind.extractor, kind.preprocessing) if kind else (model.extractor.name, "")
    store = (
        AbsentStore()
        if extractor == NAME
        else checkpoint_store(asked.model, extractor, asked.stores, asked.step_s, made, asked.key)
    )
    compare_lengths(store, questions.asked, tell)
    return ask_all(model, questions, store)
