"""The questions of a data set's split: sentences or actions of its videos; predictions read, judged and printed."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from asst.atomic import write_whole
from asst.cli.options import Annotation, print_grid, print_json, tell
from asst.data import DATASETS, data_folder, read_actions, read_dataset
from asst.data.actions import ActionDataset, ActionVideo
from asst.data.record import Dataset, Record, faulty_rows
from asst.errors import InputError, counted
from asst.evaluation.detection import detection_protocol, evaluate_detections
from asst.evaluation.prior import Prior, fitted_prior
from asst.evaluation.scoring import DECIMALS, Evaluation, evaluate
from asst.evaluation.submissions import FORMATS, read_activitynet_detections
from asst.moments import Answer
from asst.outputs.json_lines import answer_record, as_lines, detections_record, read_answers, read_detections
from asst.outputs.table import Grid, write_grids

USUAL_PROTOCOL = "thumos14"


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked of the videos of a split, and how answers are judged.

    The data set is named by its key; its annotation files are in the folder.
    """

    key: str
    annotation: Dataset | ActionDataset
    folder: Path | None = None

    @property
    def records(self) -> Sequence[Record]:
        """The sentences."""
        return () if isinstance(self.annotation, ActionDataset) else self.annotation.records

    @property
    def videos(self) -> Sequence[ActionVideo]:
        """The videos whose actions are looked for."""
        return self.annotation.videos if isinstance(self.annotation, ActionDataset) else ()

    def write(self, answers: Sequence[Answer], out: Path) -> None:
        """Keep answers as JSON lines."""
        write_whole(out, as_lines(map(detections_record if self.videos else answer_record, answers)))

    def judge(self, answers: Sequence[Answer], protocol: str | None = None, *, blind: bool = True) -> Evaluation:
        """How good answers are, by the usual protocol if none is named; ``blind`` has a prior judged beside."""
        if isinstance(self.annotation, ActionDataset):
            return evaluate_detections(self.key, self.videos, answers, detection_protocol(protocol or USUAL_PROTOCOL))
        prior = self._prior() if blind else None
        return evaluate(self.key, self.records, answers, prior=prior, protocol=protocol or "standard")

    def _prior(self) -> Prior | None:
        """A prior fitted on the data set's first part that shares no video with this, where one is here."""
        folder = self.folder or data_folder(self.key)
        for split in ("train", "val"):
            part = DATASETS[self.key].splits.get(split)
            if part is not None and part.is_in(folder):
                learnt = read_dataset(self.key, folder, split)
                if learnt.records and not set(learnt.video_names) & set(self.annotation.video_names):
                    return fitted_prior(self.key, learnt.records)
        return None


def read_questions(asked: Annotation) -> Questions:
    """Those of a split; standard error gets how many rows of its file were at fault.

    Raises an `InputError` for a missing or unknown name or split, no folder, or files that cannot be read.
    """
    key, split = asked.named
    read = read_actions if asked.detects else read_dataset
    annotation = read(key, asked.data or (data_folder(key) if asked.detects or key in DATASETS else Path()), split)
    if problems := annotation.problems:
        tell(f"{key} {split}: of its file {faulty_rows(problems)}")
    for problem in problems if asked.problems else ():
        tell(str(problem))
    return Questions(key, annotation, asked.data)


def read_predictions(path: Path, form: str | None, asked: Annotation) -> tuple[Sequence[Answer], Questions]:
    """A file of predictions, in a form that is not ours where one is named, and the questions that they answer.

    Raises an `InputError` for an unknown form, or a file or annotation that cannot be read.
    """
    if asked.detects:
        if form not in (None, "activitynet"):
            raise InputError(f"detections come in our form or by --format activitynet, not {form}")
        return read_activitynet_detections(path) if form else read_detections(path), read_questions(asked)
    if form is not None and form not in FORMATS:
        raise InputError(f"no format {form!r}; there are {', '.join(FORMATS)}, and ours without --format")
    answers = read_answers(path) if form is None else []
    questions = read_questions(asked)
    return (answers if form is None else FORMATS[form](path, questions.records)), questions


def print_evaluation(evaluation: Evaluation, *, as_json: bool) -> None:
    """Write one, as JSON or as a table."""
    if as_json:
        print_json([evaluation.in_per_cent()])
        return
    asked = "" if evaluation.classes else f"{counted(evaluation.queries, 'query')}, "
    title = f"{evaluation.dataset} {evaluation.split}: {asked}{counted(evaluation.videos, 'video')}"
    notes = ["per cent; low and high enclose 95 % over videos"]
    if evaluation.prior:
        notes.append(f"prior: spans that are frequent in {evaluation.prior_split}, whatever is asked")
    write_grids([metric_grid(evaluation, title, notes)], sys.stdout)


def print_together(found: Mapping[str, Evaluation], *, as_json: bool) -> None:
    """Write those of runs that differ in their seeds: the mean, the spread, and each, by the runs' names."""
    each = {name: own.in_per_cent() for name, own in found.items()}
    one = next(iter(found.values()))
    means, spread = (
        {key: round(of(own[key] for own in each.values()), DECIMALS) for key in one.metrics}
        for of in (statistics.fmean, statistics.stdev)
    )
    if as_json:
        print_json([{"mean": means, "spread": spread, "runs": each}])
        return
    blind = one.in_per_cent().get("prior", {})
    rows = [
        [
            key,
            *_cells([means[key], spread[key], *(own[key] for own in each.values()), *([blind[key]] if blind else [])]),
        ]
        for key in one.metrics
    ]
    headings = ["metric", "mean", "spread", *each, *(["prior"] if blind else [])]
    counts = f"{counted(one.queries, 'query')}, {counted(one.videos, 'video')}, {counted(len(each), 'run')}"
    title = f"{one.dataset} {one.split}: {counts}"
    print_grid(title, headings, rows, ["per cent; spread is the standard deviation over runs"])


def metric_grid(evaluation: Evaluation, title: str, notes: Sequence[str]) -> Grid:
    """A row a metric, in per cent, with its interval and the prior's figure if it was asked."""
    figures = evaluation.in_per_cent()
    blind = figures.get("prior", {})
    rows = [
        [key, *_cells([figures[key], *figures["intervals"][key].values(), *([blind.get(key)] if blind else [])])]
        for key in evaluation.metrics
    ]
    return Grid(title, ["metric", "mean", "low", "high", *(["prior"] if blind else [])], rows, notes)


def _cells(figures: Iterable[float | None]) -> list[str]:
    return ["-" if figure is None else f"{figure:.2f}" for figure in figures]
