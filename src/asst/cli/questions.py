"""The questions of a data set's split: sentences or actions of its videos, read, asked of a model and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from asst.cli.annotation import blind_prior, detects, read_action_annotation, read_annotation

if TYPE_CHECKING:
    from asst.data import Dataset, Record
    from asst.data.actions import ActionDataset, ActionVideo
    from asst.evaluation.scoring import Evaluation
    from asst.features.stores.native import FeatureStore
    from asst.models.base import Model
    from asst.models.checkpoint import Description
    from asst.models.trained.detector import TrainedDetector
    from asst.moments import Answer

USUAL_PROTOCOL = "thumos14"


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of the videos of a split, sentences or actions, and how answers are judged.

    The data set is named by its key; its annotation files are in the folder.
    """

    key: str
    sentences: Dataset | None = None
    actions: ActionDataset | None = None
    folder: Path | None = None

    @property
    def records(self) -> Sequence[Record]:
        """The sentences."""
        return () if self.sentences is None else self.sentences.records

    @property
    def asked(self) -> Sequence[Record] | Sequence[ActionVideo]:
        """The sentences, or the videos whose actions are looked for."""
        return self.records if self.actions is None else self.actions.videos

    def write(self, answers: Sequence[Answer], out: Path) -> None:
        """Keep answers as JSON lines."""
        from asst.atomic import write_whole
        from asst.outputs.json_lines import answer_record, as_lines, detections_record

        write_whole(out, as_lines(map(answer_record if self.actions is None else detections_record, answers)))

    def judge(self, answers: Sequence[Answer], protocol: str | None = None, *, blind: bool = True) -> Evaluation:
        """How good answers are, by the usual protocol if none is named; ``blind`` has a prior judged beside."""
        if self.actions is not None:
            from asst.evaluation.detection import detection_protocol, evaluate_detections

            return evaluate_detections(
                self.key, self.actions.videos, answers, detection_protocol(protocol or USUAL_PROTOCOL)
            )
        from asst.evaluation.scoring import evaluate

        prior = blind_prior(self.key, self.sentences, self.folder) if blind and self.sentences is not None else None
        return evaluate(self.key, self.records, answers, prior=prior, protocol=protocol or "standard")


def read_questions(dataset: str | None, split: str | None, folder: Path | None, *, problems: bool) -> Questions:
    """Those of a split, as `asst.cli.annotation.read_annotation` reads it."""
    if detects(dataset):
        key, actions = read_action_annotation(dataset, split, folder, problems=problems)
        return Questions(key, actions=actions, folder=folder)
    key, sentences = read_annotation(dataset, split, folder, problems=problems)
    return Questions(key, sentences, folder=folder)


def ask_all(model: Model | TrainedDetector, questions: Questions, store: FeatureStore, **how: Any) -> list[Answer]:
    """What a model says, with progress; ``how`` is as `asst.evaluation.answers.answer_split` takes it."""
    from asst.cli.progress import counting
    from asst.evaluation.answers import answer_split
    from asst.models.trained.detector import TrainedDetector

    with counting() as count:
        if not isinstance(model, TrainedDetector):
            return answer_split(model, questions.records, store, progress=count, **how)
        found, videos = [], questions.actions.videos if questions.actions is not None else ()
        for answer in model.detect_videos(videos, store):
            found.append(answer)
            if count is not None:
                count(len(found), len(videos))
        return found


def warn_if_seen(description: Description, dataset: str, split: str) -> None:
    """Say on standard error where a model is judged on what it learnt from."""
    for name in description.seen(dataset, split):
        tell(f"warning: {description.recipe} learnt from {name}; on {split} it answers from memory")


def tell(line: str) -> None:
    """Say something on standard error."""
    typer.echo(line, err=True)
