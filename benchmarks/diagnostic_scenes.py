"""Whether a model reads order: simulated scenes in which only that tells two times of an event apart.

An event comes two or three times and is asked for "for the second time", or once before and once after another event
and is asked for "before ..." or "after ..." (``docs/scenes.md``). The features are simulated, from another seed than
the scenes that a reranker is trained on. For each model and kind: R@1 at IoU 0.5; and of the answers that hit the event
at any of its times, the share that hit the time that is meant, beside what guessing among the times would reach.
Brackets: 95 % bootstrap intervals over scenes.

Run: ``ASST_DATA=FOLDER python benchmarks/diagnostic_scenes.py [--models similarity CHECKPOINT] [--scenes 1000]``
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import asst
from asst.data.simulate.plan import Question
from asst.data.simulate.scene_settings import SceneSettings
from asst.data.simulate.scenes import SceneSimulator
from asst.data.simulate.timelines import read_timelines
from asst.evaluation.bootstrap import bootstrap_interval
from asst.models.zeroshot import SimilarityModel
from asst.moments import Moment, iou
from development_set import cell

SEED = 11
IOU = 0.5
SCENES_AT_ONCE = 16


@dataclass(frozen=True)
class Answered:
    """How one question was answered.

    Attributes:
        scene: which scene it is about.
        right: whether the time that is meant was hit.
        found: whether the event was hit at any of its times.
        guess: the share of guesses among its times that would be right.
    """

    scene: int
    right: bool
    found: bool
    guess: float


def answered(scene: int, question: Question, best: Moment, step_s: float) -> Answered:
    """One answer against the times of its event."""

    def overlaps(spans: Sequence[tuple[int, int]]) -> bool:
        return bool(spans) and float(iou(np.array(spans) * step_s, [(best.start_s, best.end_s)]).max()) >= IOU

    right = overlaps(question.spans)
    return Answered(scene, right, right or overlaps(question.rivals), 1 / (1 + len(question.rivals)))


def answers(localizer: asst.Localizer, simulator: SceneSimulator, scenes: int) -> Iterator[tuple[str, Answered]]:
    """Every question's kind and answer."""
    for first in track(range(0, scenes, SCENES_AT_ONCE), localizer.name, console=Console(stderr=True)):
        for number, scene in enumerate(simulator.scenes(first, min(SCENES_AT_ONCE, scenes - first)), start=first):
            queries = [question.query for question in scene.questions]
            rankings = localizer.rank(scene.features, queries, top=1)
            for question, ranking in zip(scene.questions, rankings, strict=True):
                yield question.kind, answered(number, question, ranking.moments[0], scene.features.step_s)


def order_scenes() -> SceneSimulator:
    """Makes the scenes."""
    model = SimilarityModel()
    settings = SceneSettings(joined=0.0, ordinals=0.5, relations=0.5)
    return SceneSimulator(read_timelines(), model.reader.sentences, model.extractor.space, settings, SEED)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["similarity"], help="names or checkpoints")
    parser.add_argument("--scenes", type=int, default=1000)
    options = parser.parse_args()
    simulator = order_scenes()
    table = Table(title=f"{options.scenes} simulated scenes")
    for heading in ("", "kind", "questions", "R@1, IoU 0.5", "right time, of those found", "guessing"):
        table.add_column(heading)
    for name in options.models:
        localizer = asst.load(Path(name) if Path(name).is_file() else name)
        by_kind: dict[str, list[Answered]] = defaultdict(list)
        for kind, one in answers(localizer, simulator, options.scenes):
            by_kind[kind].append(one)
        for kind, every in sorted(by_kind.items()):
            found = [one for one in every if one.found]
            cells = [
                bootstrap_interval([one.right for one in some], [one.scene for one in some]) for some in (every, found)
            ]
            guess = np.mean([one.guess for one in found])
            table.add_row(name, kind, f"{len(every):,}", *map(cell, cells), f"{guess:.2f}")
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
