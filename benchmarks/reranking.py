"""What a reranker may decide on the development videos: nothing, windows of a shot, order too, or everything.

Columns: R@1 at IoU 0.5 and 0.7 and R@5 at IoU 0.5, on joined clips and on single videos (see ``development_set.py``);
last, the difference of R@1 at IoU 0.5 from the model without a reranker, with its 95 % bootstrap interval over videos.

Run: ``python benchmarks/reranking.py [--checkpoints FILE ...] [--data FOLDER] [--joins 150]``
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

import asst
from asst.evaluation.bootstrap import bootstrap_difference
from asst.evaluation.metrics import hits
from asst.models.reranked import PACKAGED, RerankedModel, Scope
from asst.models.zeroshot import SimilarityModel
from asst.moments import FloatArray
from development_set import cell, model_spans, read_questions

SCOPES: tuple[Scope, ...] = ("windows", "order", "everything")


def localizers(checkpoints: list[Path]) -> Iterator[tuple[str, asst.Localizer]]:
    """The model without a reranker, and each reranker at each scope."""
    yield "similarity", asst.Localizer(SimilarityModel())
    for path in checkpoints:
        for scope in SCOPES:
            yield f"{path.stem}, {scope}", asst.Localizer(RerankedModel.load(path, scope=scope))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--checkpoints", type=Path, nargs="+", default=[PACKAGED])
    parser.add_argument("--joins", type=int, default=150)
    options = parser.parse_args()
    singles, joined = read_questions(options.data, asst.load("similarity"), options.joins)
    table = Table(title=f"{len(joined)} joined and {len(singles)} single queries")
    for heading in ("", "joined", "difference", "single", "difference"):
        table.add_column(heading)
    without: dict[str, FloatArray] = {}
    for name, localizer in localizers(options.checkpoints):
        cells = []
        for kind, questions in (("joined", joined), ("single", singles)):
            spans, truths = model_spans(localizer, questions), [question.truths for question in questions]
            hit = hits(spans, truths, n=1, iou=0.5)
            shares = (hit.mean(), hits(spans, truths, n=1, iou=0.7).mean(), hits(spans, truths, n=5, iou=0.5).mean())
            before = without.setdefault(kind, hit)
            sources = [question.source for question in questions]
            cells += [", ".join(f"{share:.3f}" for share in shares), cell(bootstrap_difference(hit, before, sources))]
        table.add_row(name, *cells)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
