"""Whether a model reads order: tapes of held-out captioned pictures, some of which only order tells apart.

A clip comes two or three times and is asked for "for the second time", or once before and once after another clip and
is asked for "before ..." or "after ..."; two neighbours are asked for as "X, then Y"; other clips come once
(``docs/tapes.md``). No picture of them was learnt from, and the seed is another than training's. For each model and
kind: R@1 at IoU 0.5 and its difference from the first model's; of the answers that hit the clip at any of its times,
the share that hit the time that is meant, beside what guessing would reach; and how often the sentence is said to be
found. Brackets: 95 % bootstrap intervals over tapes. Features of all pictures are kept in ``tapes``.

Run: ``ASST_DATA=FOLDER python benchmarks/diagnostic_tapes.py [--models similarity CHECKPOINT] [--tapes 400]``
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import asst
from asst.data import data_folder
from asst.evaluation.bootstrap import bootstrap_interval
from asst.models.zeroshot.model import SimilarityModel
from asst.moments import Answer, iou
from asst.simulate.tapes.plan import Question, Steps, TapeSettings
from asst.simulate.tapes.tapes import TapeMaker
from asst.training.recipe import read_recipe
from asst.training.reranker.tape_pool import CaptionedClips
from development_set import cell

SEED = 11
IOU = 0.5
RECIPE = "default"


@dataclass(frozen=True)
class Answered:
    """How one question was answered.

    Attributes:
        tape: which tape it is about.
        right: whether the time that is meant was hit.
        hit: whether the clip was hit at any of its times.
        guess: the share of guesses among its times that would be right.
        found: whether the model said that the sentence was found.
    """

    tape: int
    right: bool
    hit: bool
    guess: float
    found: bool


def held_out_tapes(seed: int = SEED) -> TapeMaker:
    """Makes tapes of the pictures that the shipped recipe holds out."""
    tapes = read_recipe([RECIPE]).data.tapes
    assert tapes is not None
    extractor = SimilarityModel().extractor
    clips = CaptionedClips(data_folder("captions"), tapes.folder, tapes.holdout)
    clips.make(extractor, Console(stderr=True).print)
    return TapeMaker(*clips.read("held out", extractor), extractor.space, TapeSettings(), seed)


def answered(tape: int, question: Question, ranking: Answer, step_s: float) -> Answered:
    """One answer against the times of its clip."""
    best = ranking.ranked[0]

    def overlaps(spans: tuple[Steps, ...]) -> bool:
        return bool(spans) and float(iou(np.array(spans) * step_s, [(best.start_s, best.end_s)]).max()) >= IOU

    right = overlaps((question.span,))
    return Answered(
        tape, right, right or overlaps(question.rivals), 1 / (1 + len(question.rivals)), bool(ranking.moments)
    )


def answers(localizer: asst.Localizer, maker: TapeMaker, tapes: int) -> Iterator[tuple[str, Answered]]:
    """Every question's kind and answer."""
    for number in track(range(tapes), localizer.name, console=Console(stderr=True)):
        tape = maker.tape(number)
        rankings = localizer.model.rank(tape.features, [question.query for question in tape.questions], top=1)
        for question, ranking in zip(tape.questions, rankings, strict=True):
            yield question.kind, answered(number, question, ranking, tape.features.step_s)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["similarity"], help="names or checkpoints")
    parser.add_argument("--tapes", type=int, default=400)
    options = parser.parse_args()
    maker = held_out_tapes()
    table = Table(title=f"{options.tapes} tapes of held-out pictures")
    for heading in (
        "",
        "kind",
        "questions",
        "R@1, IoU 0.5",
        "difference",
        "right time",
        "guessing",
        "said to be found",
    ):
        table.add_column(heading)
    first: dict[str, list[float]] = {}
    for name in options.models:
        localizer = asst.load(Path(name) if Path(name).is_file() else name)
        by_kind: dict[str, list[Answered]] = defaultdict(list)
        for kind, one in answers(localizer, maker, options.tapes):
            by_kind[kind].append(one)
        for kind, every in sorted(by_kind.items()):
            right, where = [float(one.right) for one in every], [one.tape for one in every]
            gain = cell(bootstrap_interval(np.subtract(right, first.setdefault(kind, right)), where))
            hit = [one for one in every if one.hit]
            times = cell(bootstrap_interval([one.right for one in hit], [one.tape for one in hit]))
            shares = (np.mean([one.guess for one in hit]), np.mean([one.found for one in every]))
            cells = (f"{len(every):,}", cell(bootstrap_interval(right, where)), gain, times)
            table.add_row(Path(name).name, kind, *cells, *(f"{share:.2f}" for share in shares))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
