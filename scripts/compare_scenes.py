"""Simulated scenes beside real features: what the generator's settings were chosen by, as a table and a plot.

Real are the development videos, each alone (*single*) and as joined clips (see ``benchmarks/development_set.py``);
simulated are scenes of `asst.data.simulate.scenes` with its default settings. Compared is what decides whether a
sentence is found: how far each of the four measurements rises inside the answer, in standard deviations over the
video, and how fast what is seen changes.

Run: ``python scripts/compare_scenes.py [--plot docs/scenes.png] [--scenes 300] [--data FOLDER]``
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

import asst
from asst.data import jsonlines
from asst.data.simulate.scenes import SceneSimulator
from asst.data.simulate.timelines import read_timelines
from asst.features.captions import CaptionSentences
from asst.models.zeroshot import SimilarityModel

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from development_set import joined_questions, pictures_of, single_questions

MEASURES = (*CaptionSentences.measures, "change of a step")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FLAT = 1e-6

Asked = tuple[asst.Features, str, tuple[tuple[float, float], ...]]


def measured(model: SimilarityModel, asked: Iterable[Asked]) -> dict[str, npt.NDArray[np.float64]]:
    """For each measure its values, one a sentence; of the change of a step one a video, its median."""
    values: dict[str, list[float]] = defaultdict(list)
    videos: dict[int, list[Asked]] = defaultdict(list)
    for one in asked:
        videos[id(one[0])].append(one)
    for group in videos.values():
        features = group[0][0]
        evidence = model.reader(features, [query for _, query, _ in group])
        if (evidence.between > 0).any():
            values[MEASURES[-1]].append(float(np.median(evidence.between[evidence.between > 0])))
        for i, (_, _, spans) in enumerate(group):
            inside = np.any([(features.times_s > a) & (features.times_s < b) for a, b in spans], axis=0)
            if inside.any() and not inside.all():
                curves = (evidence.matches[:, i], *evidence.classes[:, :, i])
                for name, curve in zip(MEASURES, curves, strict=False):
                    if curve.std() > _FLAT:
                        values[name].append(float((curve[inside].mean() - curve.mean()) / curve.std()))
    return {name: np.array(values[name]) for name in MEASURES}


def real(folder: Path, joins: int) -> Mapping[str, list[Asked]]:
    """The development videos, alone and joined."""
    records = jsonlines.read(folder / "annotations.jsonl", "development").strict().records
    localizer = asst.load("similarity")
    features = {video: localizer.features(folder / video) for video in sorted({r.video for r in records})}
    questions = {
        "single": single_questions(records, features),
        "joined": joined_questions(records, pictures_of(folder, features), localizer, joins, 0),
    }
    return {name: [(q.features, q.sentence, q.truths) for q in own] for name, own in questions.items()}


def simulated(model: SimilarityModel, count: int) -> Mapping[str, list[Asked]]:
    """Scenes as real videos: timelines stand beside single ones."""
    space = model.extractor.space
    asked: dict[str, list[Asked]] = {"single": [], "joined": []}
    for scene in SceneSimulator(read_timelines(), model.reader.sentences, space).scenes(0, count):
        step_s = scene.features.step_s
        for question in scene.questions:
            kind = "single" if question.kind == "timeline" else question.kind
            spans_s = tuple((a * step_s, b * step_s) for a, b in question.spans)
            asked.setdefault(kind, []).append((scene.features, question.query, spans_s))
    return asked


def plot(path: Path, found: Mapping[tuple[str, str], Mapping[str, npt.NDArray[np.float64]]]) -> None:
    """Distributions side by side, a column a measure and a row a task."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    tasks = ("single", "joined")
    figure, axes = pyplot.subplots(len(tasks), len(MEASURES), figsize=(15, 5), layout="constrained")
    for row, task in zip(axes, tasks, strict=True):
        for axis, name in zip(row, MEASURES, strict=True):
            both = np.concatenate([found[origin, task][name] for origin in ("real", "simulated")])
            least, most = np.quantile(both, [0.005, 0.995]).tolist()
            bins = np.linspace(least, most, 24)
            for origin, colour in (("real", "#1f6f8b"), ("simulated", "#e08e45")):
                own = found[origin, task][name]
                axis.hist(own, bins, density=True, histtype="step", color=colour, label=f"{origin}, {len(own)}")
            axis.set_title(f"{task}: {name}", fontsize=9)
            axis.legend(fontsize=7)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("ASST_DATA") or Path(__file__).parents[2] / "shared/data")
    )
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--joins", type=int, default=60)
    options = parser.parse_args()
    model = SimilarityModel()
    origins = {"real": real(options.data / "real", options.joins), "simulated": simulated(model, options.scenes)}
    tasks = ("single", "joined")
    found = {(origin, task): measured(model, asked[task]) for origin, asked in origins.items() for task in tasks}
    table = Table(title="inside the answer, in standard deviations over the video; quantiles")
    for heading in ("", "", *(f"{quantile:g}" for quantile in QUANTILES)):
        table.add_column(heading)
    for task in tasks:
        for name in MEASURES:
            for origin in ("real", "simulated"):
                cells = (f"{value:.2f}" for value in np.quantile(found[origin, task][name], QUANTILES))
                table.add_row(f"{task}: {name}", origin, *cells)
    Console(width=110).print(table)
    if options.plot:
        plot(options.plot, found)
        Console().print(f"wrote {options.plot}")


if __name__ == "__main__":
    main()
