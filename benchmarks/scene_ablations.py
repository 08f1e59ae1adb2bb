"""What `recipes/default.yaml` earns by each part: of the network, of the sentences' way into it, and of the scenes.

Each row is trained as the recipe says but for one thing, on half as many scenes; what is there already is left as it
is, so that an interrupted run goes on. *Alone* is the row "as the recipe says" whose ASST chooses among the candidates
by its own logit, without the strengths that candidates were found with, and without what is known of them besides.

Columns: R@1 at IoU 0.5 on joined clips and single videos (see ``development_set.py``) where the reranker decides
everything, and on joined clips where it decides what ``default`` does (see ``reranking.py``); then, on simulated scenes
of order (see ``diagnostic_scenes.py``), of the answers that hit the event at any time, the share that hit the right
one. No row is a ``default``, which learnt from 6,000 scenes.

Run: ``ASST_DATA=FOLDER python benchmarks/scene_ablations.py [--out FOLDER] [--seeds 0] [--joins 50] [--scenes 300]``
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import asst
from asst.evaluation.metrics import hits
from asst.models.reranked import RerankedModel, Scope
from asst.models.reranker import RerankerMethod
from asst.models.restored import RestoredMethod, restored_method
from asst.models.views import STEPS
from asst.models.zeroshot import SimilarityModel
from development_set import Question, model_spans, read_questions
from diagnostic_scenes import answers, order_scenes
from simulated_runs import command

WHOLE = "as the recipe says"
FEWER = ("data.scenes.count=3000", "data.scenes.validate=200")


def scenes(**changes: float) -> tuple[str, ...]:
    """A change of the scenes' settings, as ``asst train`` takes it."""
    return tuple(f"data.scenes.settings.{name}={value:g}" for name, value in changes.items())


ROWS: dict[str, tuple[str, ...]] = {
    WHOLE: (),
    "language into no layer": ("network.feeding=none",),
    "into the last layer": ("network.feeding=final",),
    "into the last dilation layer": ("network.feeding=last_dilation",),
    "into the first dilation layer": ("network.feeding=first_dilation",),
    "no joined clips": scenes(joined=0),
    "no ordinals and relations": scenes(ordinals=0, relations=0),
    "nothing told beyond the scene": scenes(beyond=0),
    "a topic of chance": scenes(topical=0),
    "noise without memory": scenes(memory=0),
    "one shot a piece": scenes(still=1),
    "appearances as told": scenes(confused=0, dropped=0, unsaid=0),
    "no named classes": scenes(named_chance=0),
}
"""What is trained, and how it differs from the recipe."""


def train_all(out: Path, seeds: Sequence[int], jobs: int) -> None:
    """Every row of every seed, as far as it is missing."""

    def train(name: str, seed: int) -> None:
        changes = [*FEWER, *ROWS[name], f"data.scenes.folder={out / 'scenes'}", f"training.seed={seed}"]
        command("train", "recipes/default.yaml", *changes, "--run", str(run_folder(out, name, seed)))

    with ThreadPoolExecutor(jobs) as pool:
        for waiting in [pool.submit(train, name, seed) for seed in seeds for name in ROWS]:
            waiting.result()


def run_folder(out: Path, name: str, seed: int) -> Path:
    """Where a row is trained."""
    return out / "runs" / f"seed{seed}" / name.replace(" ", "-")


def reranker(checkpoint: Path, first: SimilarityModel, scope: Scope, *, alone: bool = False) -> asst.Localizer:
    """A row's model."""
    method, description = restored_method(checkpoint)
    assert isinstance(method, RerankerMethod)
    if alone:
        with torch.no_grad():
            # Its logit is divided by this to be added to the strengths, which thereby vanish beside it.
            method.scale.fill_(1e-6)
            for values in method.facts.parameters():
                values.zero_()
    return asst.Localizer(RerankedModel(RestoredMethod(method, STEPS), description, first, "reranker", scope))


def recall(localizer: asst.Localizer, questions: Sequence[Question]) -> str:
    """R@1 at IoU 0.5, as a cell."""
    truths = [question.truths for question in questions]
    return f"{hits(model_spans(localizer, questions), truths, n=1, iou=0.5).mean():.3f}"


def right_times(localizer: asst.Localizer, count: int) -> list[str]:
    """The share of right times for ordinals and relations, as cells."""
    judged = list(answers(localizer, order_scenes(), count))
    return [
        f"{np.mean([one.right for own, one in judged if own == kind and one.found]):.2f}"
        for kind in ("ordinal", "relation")
    ]


def main() -> None:
    """Train, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--out", type=Path, default=Path("runs/scene-ablations"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--joins", type=int, default=50)
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    out = options.out.absolute()
    train_all(out, options.seeds, options.jobs)
    first = SimilarityModel()
    similarity = asst.Localizer(first)
    singles, joined = read_questions(options.data, similarity, options.joins)
    table = Table(title=f"{len(joined)} joined and {len(singles)} single queries; {options.scenes} simulated scenes")
    for heading in ("", "joined, everything", "single, everything", "joined, order", "ordinals", "relations"):
        table.add_column(heading)
    without = [recall(similarity, joined), recall(similarity, singles), ""]
    table.add_row("no reranker", *without, *right_times(similarity, options.scenes))
    for seed in options.seeds:
        for name in ROWS:
            checkpoint = run_folder(out, name, seed) / "checkpoints" / "best.safetensors"
            for alone in (False, True) if name == WHOLE else (False,):
                model = reranker(checkpoint, first, "everything", alone=alone)
                cells = [recall(model, joined), recall(model, singles)]
                cells.append("" if alone else recall(reranker(checkpoint, first, "order"), joined))
                title = f"{name}{', ASST alone' if alone else ''}{f', seed {seed}' if seed else ''}"
                table.add_row(title, *cells, *right_times(model, options.scenes))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
