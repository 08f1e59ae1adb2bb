"""What the first stage of a library's search loses against scoring everything.

The library is made of the features of the real development videos: each of its videos is a few pieces of them in a row
(*joined*), or, in *blended*, pieces of which each is mixed with a second step's features by up to a half, so that fewer
are alike. The model ranks all parts for every sentence, which gives the ten best moments of the library; those whose
part is not among what the first stage picks are lost. Pieces come again in many of the videos, so that there are many
moments nearly as good: the last figure is how much lower the scores of the ten that are found instead lie, on average.
A library that is no longer than what is picked loses nothing.

Run: ``python benchmarks/library_recall.py [--data FOLDER] [--videos 150]``
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from asst.data.readers import jsonlines
from asst.features.values import Features
from asst.library.engine import Engine, engine_of
from asst.library.search import Part, cut_out, parts_by_match
from asst.library.tables import ROW, Rows
from asst.library.windows import parts_of
from asst.models.zeroshot.model import THRESHOLD
from asst.moments import Moment, by_video, rows

SHARES = (0.05, 0.1, 0.2, 0.4)
TOP = 10
BLEND_MOST = 0.5


def made(seen: list[Features], videos: int, blend: float, draw: np.random.Generator) -> list[Features]:
    """Videos of three to thirteen pieces, each of two to twelve seconds."""
    steps = np.concatenate([np.asarray(features.vectors, dtype=np.float32) for features in seen])
    library = []
    for _ in range(videos):
        pieces = []
        for _ in range(draw.integers(3, 14)):
            source = seen[draw.integers(len(seen))]
            length = min(len(source), int(draw.integers(4, 25)))
            first = draw.integers(0, len(source) - length + 1)
            piece = np.asarray(source.vectors[first : first + length], dtype=np.float32)
            share = draw.uniform(0, blend)
            pieces.append((1 - share) * piece + share * steps[draw.integers(len(steps))])
        cuts_s = np.cumsum([len(piece) for piece in pieces])[:-1] * seen[0].step_s
        vectors = np.concatenate(pieces).astype(np.float16)
        library.append(Features(vectors, 0.0, seen[0].step_s, seen[0].extractor, cuts_s.astype(np.float64)))
    return library


def windows(engine: Engine, library: list[Features]) -> tuple[Rows, np.ndarray]:
    """All windows of a library, as its matrix has them."""
    each = [engine.windows(features) for features in library]
    windowed = np.zeros(sum(map(len, each)), dtype=ROW)
    windowed["content"] = np.repeat([f"{k:032x}".encode() for k in range(len(library))], [len(own) for own in each])
    windowed["first"], windowed["stop"] = np.concatenate([own.spans for own in each]).T
    windowed["part_first"], windowed["part_stop"] = np.concatenate([own.parts for own in each]).T
    return windowed, np.concatenate([own.vectors for own in each]).astype(np.float32)


def answers(engine: Engine, library: list[Features], sentences: list[str]) -> dict[str, dict[Part, list[Moment]]]:
    """What the model finds in each part, by sentence."""
    found: dict[str, dict[Part, list[Moment]]] = {sentence: {} for sentence in sentences}
    for number, features in enumerate(track(library, "scoring everything", console=Console(stderr=True))):
        for first, stop in parts_of(len(features), features.step_s).tolist():
            part = Part(f"{number:032x}", first, stop)
            for ranking in engine.model.rank(cut_out(features, first, stop), sentences, top=TOP):
                named = [Moment(m.start_s, m.end_s, m.score, m.query, part.content) for m in ranking.ranked]
                found[ranking.query][part] = named
    return found


def best_of(by_part: Iterable[list[Moment]], lengths_s: dict[str, float]) -> list[Moment]:
    """The best moments that are found, as a search merges those of parts."""
    videos = by_video(moment for moments in by_part for moment in moments)
    found = [moment for video, own in videos.items() for moment in rows(own, lengths_s[video], THRESHOLD)[0]]
    return sorted(found, key=lambda moment: -moment.score)[:TOP]


def recalls(
    engine: Engine, library: list[Features], found: dict[str, dict[Part, list[Moment]]], shares: tuple[float, ...]
) -> list[list[float]]:
    """For each share of the library that is scored: kept of the ten best, kept of the best, score lost on average."""
    windowed, vectors = windows(engine, library)
    lengths_s = {f"{k:032x}": features.end_s for k, features in enumerate(library)}
    total = sum(map(len, library))
    kept = np.zeros((len(shares), 3))
    counts = np.zeros(3)
    for sentence, by_part in found.items():
        best = best_of(by_part.values(), lengths_s)
        if not best:
            continue
        counts += len(best), 1, len(best)
        homes = {(m.video, m.start_s, m.end_s, m.score): part for part, ms in by_part.items() for m in ms}
        parts = parts_by_match(windowed, vectors @ engine.sentence(sentence))
        lengths = np.cumsum([0, *(part.stop - part.first for part in parts)])[:-1]
        for row, share in zip(kept, shares, strict=True):
            picked = {part for part, before in zip(parts, lengths, strict=True) if before < share * total}
            hits = [homes[m.video, m.start_s, m.end_s, m.score] in picked for m in best]
            instead = best_of([ms for part, ms in by_part.items() if part in picked], lengths_s)
            scores = [m.score for m in instead] + [0.0] * (len(best) - len(instead))
            row += sum(hits), hits[0], sum(m.score for m in best) - sum(scores)
    shares_kept: list[list[float]] = (kept / counts).tolist()
    return shares_kept


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--videos", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = options.data / "real"
    records = jsonlines.read(folder / "annotations.jsonl", "development").strict().records
    engine = engine_of()
    names = sorted({record.video for record in records})
    reading = track(names, "reading", console=Console(stderr=True))
    seen = [engine.model.extractor.extract(folder / name) for name in reading]
    sentences = sorted({record.sentence for record in records})
    table = Table(title=f"kept of the {TOP} best moments, kept of the best, score lost; {len(sentences)} sentences")
    for heading in ("library", "hours", *(f"{share:.0%} scored" for share in SHARES)):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, blend in (("joined", 0.0), ("blended", BLEND_MOST)):
        library = made(seen, options.videos, blend, np.random.default_rng(options.seed))
        kept = recalls(engine, library, answers(engine, library, sentences), SHARES)
        hours = sum(features.duration_s for features in library) / 3600
        table.add_row(name, f"{hours:.1f}", *(f"{ten:.2f}, {one:.2f}, {lost:.2f}" for ten, one, lost in kept))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
