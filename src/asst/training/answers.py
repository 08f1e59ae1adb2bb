"""What a trained model answers to a whole split: what is saved as predictions and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from asst.data.record import Record
from asst.errors import InputError
from asst.features.store import FeatureStore
from asst.models.checkpoint import Origin
from asst.models.trained import TrainedModel
from asst.moments import Answer, Moment
from asst.training.folder import RunFolder
from asst.training.module import TOP
from asst.training.recipe import Recipe, read_recipe
from asst.training.sources import Say, Sources, open_sources

Progress = Callable[[int, int], None]
"""Called with the number of queries answered, and of all."""


def open_run(path: Path, changes: Sequence[str], say: Say) -> tuple[TrainedModel, Recipe, Sources]:
    """The model of a run and what it was trained on.

    Args:
        path: folder that ``asst train`` wrote.
        changes: of its recipe's settings, such as ``data.features.rgb=STORE`` where that has moved.
        say: takes lines on what takes long.

    Raises:
        InputError: if the folder holds no run, or one that has not come to a checkpoint.
    """
    folder = RunFolder(path)
    if not folder.recipe.exists():
        raise InputError(f"{path} is no folder of a run ({folder.recipe.name} is missing); 'asst train' makes them")
    recipe = read_recipe([folder.recipe], changes)
    paths = folder.checkpoints_to_use(recipe)
    sources = open_sources(recipe.data, recipe.name, say)
    return TrainedModel.load(paths, sources.words), recipe, sources


def origin_of(model: TrainedModel, store: FeatureStore, records: Sequence[Record]) -> Origin:
    """Whether what is measured on these features is simulated: if they are, or those the model learnt from were."""
    if model.description.origin == "simulated" or not records:
        return "simulated"
    return "simulated" if store.read(records[0].video).extractor.startswith("simulated") else "real"


def answer_split(
    model: TrainedModel,
    records: Sequence[Record],
    store: FeatureStore,
    *,
    top: int = TOP,
    progress: Progress | None = None,
) -> list[Answer]:
    """One answer a pair of video and sentence, in the order in which the records name them first.

    Args:
        model: answers.
        records: of one data set.
        store: holds the features of their videos.
        top: moments an answer at most.
        progress: told how far it is.

    Raises:
        InputError: as `TrainedModel.answer_records`.
    """
    asked = list({(record.video, record.sentence): record for record in reversed(records)}.values())[::-1]
    answers = []
    for record, found in zip(asked, model.answer_records(asked, store, top), strict=True):
        moments = tuple(
            Moment(float(start_s), float(end_s), float(score), record.sentence, record.video)
            for (start_s, end_s), score in zip(found.spans_s, found.scores, strict=True)
        )
        answers.append(Answer(record.video, record.sentence, record.duration_s, model.name, moments))
        if progress is not None:
            progress(len(answers), len(asked))
    return answers
