"""How well a packaged model finds moments on the development videos, against baselines that look at nothing.

Two tasks. *Single*: a sentence and its short video. *Joined*: the annotated moments of six or seven unrelated videos
cut out and put one after another, where a sentence describes one of the pieces. Intervals are 95 % bootstrap over
source videos. The baselines: the whole video; an anchor of the paper's grid or a run of detected shots drawn at
random (their expected score); and the fixed share of the video that does best on the very queries it is scored on.

These are videos to develop on: the model's settings were chosen while looking at them.

Run: ``python benchmarks/development_set.py [--model default] [--data FOLDER] [--joins 150]``
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import asst
from asst.data.readers import jsonlines
from asst.data.record import Record
from asst.evaluation.bootstrap import Interval, bootstrap_interval
from asst.evaluation.metrics import hits
from asst.features.zeroshot.crops import TICK_RATE
from asst.models.zeroshot.proposals import proposals
from asst.moments import FloatArray, anchor_grid
from asst.video import frames

# Unrelated means not of the same footage.
SAME_FOOTAGE = {"scene_cuts.mp4": "bikes.mp4"}
IOUS = (0.5, 0.7)
FIXED_STEP = 0.05


@dataclass(frozen=True)
class Question:
    """A sentence, the features to look in, the truth, and the source video that it counts for."""

    sentence: str
    features: asst.Features
    duration_s: float
    truths: tuple[tuple[float, float], ...]
    source: str
    kind: str


def footage(video: str) -> str:
    """What a video shows parts of."""
    return SAME_FOOTAGE.get(video, video)


def single_questions(records: Sequence[Record], features: dict[str, asst.Features]) -> list[Question]:
    """Every sentence that describes a part of its video."""
    return [
        Question(r.sentence, features[r.video], r.duration_s, r.moments, r.video, str(r.extra["kind"]))
        for r in records
        if not r.extra["whole"]
    ]


def joined_questions(
    records: Sequence[Record], pictures: dict[str, asst.Frames], localizer: asst.Localizer, joins: int, seed: int
) -> list[Question]:
    """Pieces of six or seven videos in a row; each piece's sentence is a question."""
    draw = np.random.default_rng(seed)
    by_footage: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_footage[footage(record.video)].append(record)
    sources = sorted(by_footage)
    questions = []
    for _ in track(range(joins), "joining", console=Console(stderr=True)):
        pieces, asked, at_s = [], [], 0.0
        for source in draw.permutation(sources)[: draw.integers(6, 8)]:
            record = by_footage[source][draw.integers(len(by_footage[source]))]
            piece = cut_out(pictures[record.video], record.moments[draw.integers(len(record.moments))])
            end_s = at_s + len(piece) / TICK_RATE
            asked.append((record, (at_s, end_s)))
            pieces.append(piece)
            at_s = end_s
        features = localizer.features(joined(pieces))
        questions += [Question(r.sentence, features, at_s, (span,), r.video, str(r.extra["kind"])) for r, span in asked]
    return questions


def read_questions(data: Path, localizer: asst.Localizer, joins: int) -> tuple[list[Question], list[Question]]:
    """Those about single videos and those about joined clips, on the features of a model."""
    folder = data / "real"
    records = jsonlines.read(folder / "annotations.jsonl", "development").strict().records
    videos = sorted({record.video for record in records})
    singles = single_questions(records, {video: localizer.features(folder / video) for video in videos})
    return singles, joined_questions(records, pictures_of(folder, videos), localizer, joins, 0)


def pictures_of(folder: Path, videos: Iterable[str]) -> dict[str, asst.Frames]:
    """All frames of some videos, as the packaged models look at them."""
    pictures = {}
    for video in videos:
        parts = list(frames(folder / video, rate=TICK_RATE, short_side=256))
        times_s = np.concatenate([part.times_s for part in parts])
        pictures[video] = asst.Frames(np.concatenate([part.pixels for part in parts]), times_s)
    return pictures


def cut_out(pictures: asst.Frames, span: tuple[float, float]) -> asst.Frames:
    """The frames inside a span, at least one."""
    first, last = np.searchsorted(pictures.times_s, np.array(span) - 1e-6)
    last = max(last, first + 1)
    return asst.Frames(pictures.pixels[first:last], pictures.times_s[first:last])


def joined(pieces: Sequence[asst.Frames]) -> list[asst.Frames]:
    """Pieces in a row, on one clock, each with its own size of picture."""
    starts = np.cumsum([0, *(len(piece) for piece in pieces)])
    return [
        asst.Frames(piece.pixels, (start + np.arange(len(piece))) / TICK_RATE)
        for piece, start in zip(pieces, starts[:-1], strict=True)
    ]


def model_spans(localizer: asst.Localizer, questions: Sequence[Question]) -> list[FloatArray]:
    """The model's five best for each question; questions about the same features are asked together."""
    asked: dict[int, list[int]] = defaultdict(list)
    for i, question in enumerate(questions):
        asked[id(question.features)].append(i)
    spans: list[FloatArray] = [np.zeros((0, 2))] * len(questions)
    for group in asked.values():
        rankings = localizer.model.rank(questions[group[0]].features, [questions[i].sentence for i in group], top=5)
        for i, ranking in zip(group, rankings, strict=True):
            spans[i] = np.array([(m.start_s, m.end_s) for m in ranking.ranked])
    return spans


def expected(questions: Sequence[Question], spans_of: Callable[[Question], FloatArray], iou: float) -> FloatArray:
    """The chance of a hit when one of the spans is drawn at random, for each question."""
    return np.array(
        [np.mean([hits([[s]], [q.truths], n=1, iou=iou)[0] for s in spans_of(q)]) for q in questions], dtype=np.float64
    )


def shot_runs(question: Question) -> FloatArray:
    """Every run of detected shots, in seconds."""
    found = proposals(round(question.duration_s * TICK_RATE), np.round(question.features.cuts_s * TICK_RATE))
    return np.asarray(found.spans[~found.inside] / TICK_RATE)


def best_fixed(questions: Sequence[Question], iou: float) -> tuple[FloatArray, tuple[float, float]]:
    """The share of the video that hits most of these very questions, and its hits."""
    grid = np.arange(0, 1 + 1e-9, FIXED_STEP)
    truths = [q.truths for q in questions]
    best: tuple[FloatArray, tuple[float, float]] | None = None
    for i, start in enumerate(grid):
        for end in grid[i + 1 :]:
            got = hits([[(start * q.duration_s, end * q.duration_s)] for q in questions], truths, n=1, iou=iou)
            if best is None or got.mean() > best[0].mean():
                best = (np.asarray(got, dtype=np.float64), (float(start), float(end)))
    assert best is not None
    return best


def cell(interval: Interval) -> str:
    """A share and its interval."""
    return f"{interval.mean:.2f} ({interval.low:.2f}..{interval.high:.2f})"


def show(title: str, questions: Sequence[Question], localizer: asst.Localizer) -> None:
    """Print one task's table."""
    model = localizer.name
    spans = model_spans(localizer, questions)
    table = Table(title=f"{title}: {len(questions)} queries, {len({q.source for q in questions})} videos")
    for heading in ("", *(f"R@1 IoU {iou}" for iou in IOUS), "R@5 IoU 0.5"):
        table.add_column(heading, no_wrap=True)
    sources, truths = [q.source for q in questions], [q.truths for q in questions]
    scored = {iou: hits(spans, truths, n=1, iou=iou) for iou in IOUS}
    five = hits(spans, truths, n=5, iou=0.5)
    fixed = {iou: best_fixed(questions, iou) for iou in IOUS}
    rows: list[tuple[str, Iterable[FloatArray], FloatArray | None]] = [
        (model, scored.values(), five),
        ("best fixed window, in hindsight", [fixed[iou][0] for iou in IOUS], None),
        ("random shot run", [expected(questions, shot_runs, iou) for iou in IOUS], None),
        ("random anchor", [expected(questions, lambda q: anchor_grid(q.duration_s), iou) for iou in IOUS], None),
        ("whole video", [expected(questions, lambda q: np.array([[0.0, q.duration_s]]), iou) for iou in IOUS], None),
    ]
    for name, values, best_five in rows:
        cells = [cell(bootstrap_interval(value, sources)) for value in values]
        table.add_row(name, *cells, cell(bootstrap_interval(best_five, sources)) if best_five is not None else "")
    out = Console(width=120)
    out.print(table)
    for iou in IOUS:
        gain = bootstrap_interval(np.subtract(scored[iou], fixed[iou][0]), sources)
        window = fixed[iou][1]
        out.print(
            f"{model} against the fixed window {window[0]:.2f}..{window[1]:.2f} at IoU {iou}: "
            f"{gain.mean:+.2f} ({gain.low:+.2f}..{gain.high:+.2f})"
        )
    kinds = sorted({q.kind for q in questions})
    shares = [
        f"{kind} {np.mean([h for h, q in zip(scored[0.5], questions, strict=True) if q.kind == kind]):.2f}"
        for kind in kinds
    ]
    out.print(f"R@1 IoU 0.5 by kind: {', '.join(shares)}\n")


def show_found(localizer: asst.Localizer, records: Sequence[Record], features: dict[str, asst.Features]) -> None:
    """Print how often the model says that it found a sentence that describes the video, and one of another video."""
    present: list[bool] = []
    absent: list[bool] = []
    sentences = sorted({r.sentence for r in records})
    where: dict[str, set[str]] = defaultdict(set)
    for record in records:
        where[record.sentence].add(footage(record.video))
    for video, seen in features.items():
        for ranking in localizer.model.rank(seen, sentences, top=1):
            (present if footage(video) in where[ranking.query] else absent).append(bool(ranking.moments))
    Console().print(
        f"said to be found: {np.mean(present):.2f} of {len(present)} sentences about the video, "
        f"{np.mean(absent):.2f} of {len(absent)} about another"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="default", help="a name or a checkpoint")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared/data")
    )
    parser.add_argument("--joins", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = options.data / "real"
    records = jsonlines.read(folder / "annotations.jsonl", "development").strict().records
    localizer = asst.load(options.model)
    videos = sorted({r.video for r in records})
    features = {v: localizer.features(folder / v) for v in track(videos, "reading", console=Console(stderr=True))}
    singles = single_questions(records, features)
    show("single videos", singles, localizer)
    show_found(localizer, records, features)
    questions = joined_questions(records, pictures_of(folder, videos), localizer, options.joins, options.seed)
    show("joined clips", questions, localizer)


if __name__ == "__main__":
    main()
