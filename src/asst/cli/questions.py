"""The questions of a data set's split: sentences or actions of its videos, with predictions read and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asst.atomic import write_whole
from asst.cli.annotation import blind_prior, read_action_annotation, read_annotation
from asst.cli.options import Annotation
from asst.data.actions import ActionDataset, ActionVideo
from asst.data.record import Dataset, Record
from asst.errors import InputError
from asst.evaluation.detection import detection_protocol, evaluate_detections
from asst.evaluation.scoring import Evaluation, evaluate
from asst.evaluation.submissions import FORMATS, read_activitynet_detections
from asst.moments import Answer
from asst.outputs.json_lines import answer_record, as_lines, detections_record, read_answers, read_detections

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
        write_whole(out, as_lines(map(answer_record if self.actions is None else detections_record, answers)))

    def judge(self, answers: Sequence[Answer], protocol: str | None = None, *, blind: bool = True) -> Evaluation:
        """How good answers are, by the usual protocol if none is named; ``blind`` has a prior judged beside."""
        if self.actions is not None:
            named = detection_protocol(protocol or USUAL_PROTOCOL)
            return evaluate_detections(self.key, self.actions.videos, answers, named)
        prior = blind_prior(self.key, self.sentences, self.folder) if blind and self.sentences is not None else None
        return evaluate(self.key, self.records, answers, prior=prior, protocol=protocol or "standard")


def read_questions(asked: Annotation) -> Questions:
    """Those of a split, as `asst.cli.annotation.read_annotation` reads it."""
    if asked.detects:
        key, actions = read_action_annotation(asked)
        return Questions(key, actions=actions, folder=asked.data)
    key, sentences = read_annotation(asked)
    return Questions(key, sentences, folder=asked.data)


def read_predictions(path: Path, form: str | None, asked: Annotation) -> tuple[Sequence[Answer], Questions]:
    """A file of predictions, in a form that is not ours where one is named, and the questions that they answer.

    Raises an `InputError` for an unknown form, or a file or annotation that cannot be read.
    """
    if asked.detects:
        if form not in (None, "activitynet"):
            raise InputError(f"detections come in our form or by --format activitynet, not {form}")
        answers = read_activitynet_detections(path) if form else read_detections(path)
        return answers, read_questions(asked)
    if form is not None and form not in FORMATS:
        raise InputError(f"no format {form!r}; there are {', '.join(FORMATS)}, and ours without --format")
    answers = read_answers(path) if form is None else []
    questions = read_questions(asked)
    return (answers if form is None else FORMATS[form](path, questions.records)), questions
