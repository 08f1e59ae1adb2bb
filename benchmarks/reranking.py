"""What a reranker may decide on the development videos: nothing, windows of a shot, order too, or everything.

Columns: R@1 at IoU 0.5 and 0.7, R@5 at IoU 0.5 and mIoU, on joined clips and on single videos (see
``development_set.py``); the differences of R@1 at IoU 0.5 and of mIoU from the model without a reranker, with their
95 % bootstrap intervals over videos.

Run: ``python benchmarks/reranking.py [--checkpoints FILE ...] [--data FOLDER] [--joins 150]``
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import asst
from asst.evaluation.bootstrap import Interval, bootstrap_interval
from asst.evaluation.metrics import hits, top_ious
from asst.models.reranked import RerankedModel, Scope
from asst.models.trained.loading import PACKAGED
from asst.models.zeroshot.model import SimilarityModel
from asst.moments import FloatArray
from development_set import Question, model_spans, read_questions

SCOPES: tuple[Scope, ...] = ("windows", "order", "everything")


def localizers(checkpoints: list[Path]) -> Iterator[tuple[str, asst.Localizer]]:
    """The model without a reranker, and each reranker at each scope."""
    yield "similarity", asst.Localizer(SimilarityModel())
    for path in checkpoints:
        for scope in SCOPES:
            yield f"{path.stem}, {scope}", asst.Localizer(RerankedModel.load(path, scope=scope))


def compare(
    rows: Iterable[tuple[str, asst.Localizer]], singles: Sequence[Question], joined: Sequence[Question]
) -> None:
    """Prints how well each model finds what is asked, and the difference from the first."""
    table = Table(title=f"{len(joined)} joined and {len(singles)} single queries")
    for heading in ("", *(f"{kind}{more}" for kind in ("joined", "single") for more in ("", ", R@1", ", mIoU"))):
        table.add_column(heading)
    first: dict[str, tuple[FloatArray, FloatArray]] = {}
    for name, localizer in rows:
        cells = []
        for kind, questions in (("joined", joined), ("single", singles)):
            spans, truths = model_spans(localizer, questions), [question.truths for question in questions]
            found = hits(spans, truths, n=1, iou=0.5), top_ious(spans, truths)
            others = hits(spans, truths, n=1, iou=0.7), hits(spans, truths, n=5, iou=0.5)
            shares = [values.mean() for values in (found[0], *others, found[1])]
            before = first.setdefault(kind, found)
            sources = [question.source for question in questions]
            gains = (
                bootstrap_interval(np.subtract(now, then), sources) for now, then in zip(found, before, strict=True)
            )
            cells += [", ".join(f"{share:.3f}" for share in shares), *(signed(gain) for gain in gains)]
        table.add_row(name, *cells)
    Console(width=200).print(table)


def signed(gain: Interval) -> str:
    """A difference and its interval."""
    return f"{gain.mean:+.3f} ({gain.low:+.3f}..{gain.high:+.3f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--joins", type=int, default=150)
    parser.add_argument("--checkpoints", type=Path, nargs="+", default=[PACKAGED])
    options = parser.parse_args()
    singles, joined = read_questions(options.data, asst.load("similarity"), options.joins)
    compare(localizers(options.checkpoints), singles, joined)


if __name__ == "__main__":
    main()
