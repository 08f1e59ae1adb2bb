"""What `finetune` gains on the development videos: before and after, on what it did not learn from.

*Other videos*: for each footage, the sentences of all others are the corrections, and its own are asked. *Same videos*:
every second sentence of each video is a correction and the others are asked, then the other way round. The baselines
are the packaged model without training, and the reranker as it was. Differences have 95 % bootstrap intervals over
videos. The last line is the price: what learning from all of these short videos does to another kind of video, joined
clips (see ``development_set.py``), although they are made of the very moments that were learnt.

Run: ``python benchmarks/finetuning.py [--start CHECKPOINT] [--data FOLDER] [--steps 50]``
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import asst
from asst.data.readers import jsonlines
from asst.data.record import Record
from asst.evaluation.bootstrap import bootstrap_interval
from asst.evaluation.metrics import hits
from asst.features.stores.native import Provenance, Store
from asst.models.trained.loading import PACKAGED
from asst.models.zeroshot.model import SimilarityModel
from asst.moments import FloatArray
from asst.training.recipe import read_recipe
from asst.training.run import train
from development_set import Question, cell, footage, joined_questions, model_spans, pictures_of, single_questions

RECIPE = "finetune"
IOUS = (0.5, 0.7)
Fold = tuple[list[int], list[int]]


def folds(records: Sequence[Record]) -> dict[str, list[Fold]]:
    """Indices of what is learnt and what is asked, by the name of the split."""
    sources = sorted({footage(record.video) for record in records})
    by_video = [
        (
            [i for i, record in enumerate(records) if footage(record.video) != source],
            [i for i, record in enumerate(records) if footage(record.video) == source],
        )
        for source in sources
    ]
    order = {video: [r.id for r in records if r.video == video] for video in {record.video for record in records}}
    odd = [order[record.video].index(record.id) % 2 for record in records]
    halves = [
        ([i for i in range(len(records)) if odd[i] != half], [i for i in range(len(records)) if odd[i] == half])
        for half in (0, 1)
    ]
    return {"other videos": by_video, "same videos": halves}


def adapted(start: Path, store: Path, learnt: Sequence[Record], folder: Path, steps: int) -> asst.Localizer:
    """A reranker after learning from some records."""
    folder.mkdir()
    rows = (
        {"video": r.video, "duration": r.duration_s, "sentence": r.sentence, "moments": list(r.moments)} for r in learnt
    )
    (folder / "corrections.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    changes = [f"start={start}", f"data.root={folder}", f"data.features.seen={store}", f"training.steps={steps}"]
    recipe = read_recipe([RECIPE], [*changes, f"training.interval={steps}"])
    return asst.load(train(recipe, folder / "run", lambda _: None).folder.best)


def answers(
    start: Path, store: Path, records: Sequence[Record], questions: Sequence[Question], split: list[Fold], steps: int
) -> Iterator[tuple[int, FloatArray]]:
    """The spans of each question, by a reranker that did not learn from it."""
    for learnt, asked in split:
        with tempfile.TemporaryDirectory() as folder:
            localizer = adapted(start, store, [records[i] for i in learnt], Path(folder) / "fold", steps)
            own = [questions[i] for i in asked]
            yield from zip(asked, model_spans(localizer, own), strict=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--start", type=Path, default=PACKAGED)
    parser.add_argument("--joins", type=int, default=50)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    folder = options.data / "real"
    records = jsonlines.read(folder / "annotations.jsonl", "development").strict().records
    model = SimilarityModel()
    similarity = asst.Localizer(model)
    features = {video: similarity.features(folder / video) for video in sorted({record.video for record in records})}
    questions = single_questions(records, features)
    known = [record for record in records if not record.extra["whole"]]
    truths = [question.truths for question in questions]
    sources = [question.source for question in questions]
    table = Table(title=f"single videos: {len(questions)} queries, {options.steps} steps")
    for heading in ("", "R@1 IoU 0.5", "R@1 IoU 0.7", "against similarity, 0.5", "against the start, 0.5"):
        table.add_column(heading)
    rows = {"similarity": model_spans(similarity, questions), "start": model_spans(asst.load(options.start), questions)}
    extractor = model.extractor
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place) / "features")
        for video, seen in features.items():
            store.write(video, seen, Provenance(extractor.preprocessing, video, extractor.weights))
        for name, split in folds(known).items():
            found = dict(answers(options.start, store.folder, known, questions, split, options.steps))
            rows[f"fine-tuned on {name}"] = [found[i] for i in range(len(questions))]
        learnt = adapted(options.start, store.folder, known, Path(place) / "all", options.steps)
    hit = {(name, iou): hits(spans, truths, n=1, iou=iou) for name, spans in rows.items() for iou in IOUS}
    for name in rows:
        shares = [cell(bootstrap_interval(hit[name, iou], sources)) for iou in IOUS]
        gains = [
            cell(bootstrap_interval(np.subtract(hit[name, 0.5], hit[other, 0.5]), sources))
            for other in ("similarity", "start")
        ]
        table.add_row(name, *shares, *gains)
    Console(width=130).print(table)
    clips = joined_questions(records, pictures_of(folder, features), similarity, options.joins, 0)
    before, after = (
        hits(model_spans(localizer, clips), [clip.truths for clip in clips], n=1, iou=0.5).mean()
        for localizer in (asst.load(options.start), learnt)
    )
    print(f"joined clips, {len(clips)} queries: R@1 IoU 0.5 {before:.2f} before, {after:.2f} after learning from all")


if __name__ == "__main__":
    main()
