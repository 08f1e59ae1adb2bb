"""Result files: what one evaluation of one recipe found, kept as JSON for the tables.

``RESULTS/**/results/*.json`` holds one object a file; docs/formats.md states its keys.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from asst.atomic import write_whole
from asst.errors import InputError
from asst.evaluation.scoring import Evaluation, per_cent

Source = Literal["real", "simulated"]

FOLDER = "results"
"""The folder a result file stands in; `read_results` looks in no other."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric in per cent.

    Attributes:
        mean: over all queries.
        low: lower end of its 95 % interval over videos; None where it has none.
        high: upper end; None likewise.
    """

    mean: float
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for value in (self.mean, self.low, self.high):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"a figure is finite, not {value}")


@dataclass(frozen=True, slots=True)
class Result:
    """What one evaluation found.

    Attributes:
        recipe: its name as ``asst recipes`` has it: data set and row, ``charades_sta/c3d``.
        dataset: a key of `asst.data.DATASETS`.
        split: the part that was evaluated.
        data: whether the features come from the data set's videos or are simulated. The tables keep the two apart.
        extractor: the features' name.
        model: the model's name.
        metrics: in per cent, by the keys of the data set's protocol, in their order.
        queries: how many were evaluated.
        seconds: how long the evaluation took.
        prior: of a prior that reads nothing, on the same queries, in per cent; none where it was not asked.
    """

    recipe: str
    dataset: str
    split: str
    data: Source
    extractor: str
    model: str
    metrics: Mapping[str, Figure]
    queries: int
    seconds: float
    prior: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.data not in get_args(Source):
            raise ValueError(f"data is one of {', '.join(get_args(Source))}, not {self.data!r}")
        if not self.metrics or self.queries < 1 or not self.seconds >= 0:
            raise ValueError("a result has a metric, a query or more, and a time")

    @classmethod
    def of(
        cls, evaluation: Evaluation, *, recipe: str, data: Source, extractor: str, model: str, seconds: float
    ) -> Result:
        """The result that keeps an evaluation."""
        return cls(
            recipe=recipe,
            dataset=evaluation.dataset,
            split=evaluation.split,
            data=data,
            extractor=extractor,
            model=model,
            metrics={key: _figure(per_cent(interval)) for key, interval in evaluation.metrics.items()},
            queries=evaluation.queries,
            seconds=seconds,
            prior={key: round(100 * value, 4) for key, value in evaluation.prior.items()},
        )


def write_result(result: Result, path: Path) -> None:
    """Writes one file whole or not at all, making its folder if need be.

    Raises:
        InputError: if it cannot be written, or stands where `read_results` would not look.
    """
    if path.suffix != ".json" or path.resolve().parent.name != FOLDER:
        raise InputError(f"{path}: a result is a .json file in a folder called {FOLDER}; asst tables reads those")
    metrics = {
        key: {"mean": figure.mean, "low": figure.low, "high": figure.high} for key, figure in result.metrics.items()
    }
    content = {
        "recipe": result.recipe,
        "dataset": result.dataset,
        "split": result.split,
        "data": result.data,
        "extractor": result.extractor,
        "model": result.model,
        "metrics": metrics,
        "queries": result.queries,
        "seconds": round(result.seconds, 3),
        **({"prior": dict(result.prior)} if result.prior else {}),
    }
    write_whole(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_result(path: Path) -> Result:
    """One result file; keys that this version does not know are ignored.

    Raises:
        InputError: for a file that cannot be read or is no result.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _result(content)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"{path}: not a result ({error}); see docs/formats.md, or remove it") from error


def read_results(folder: Path) -> list[Result]:
    """Every result in the folders called ``results`` at and under ``folder``, in the order of their paths.

    Raises:
        InputError: if there is no such folder, or for the first file in it that is no result.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of results")
    here = folder.resolve()
    return [read_result(path) for path in sorted(here.rglob("*.json")) if path.parent.name == FOLDER]


def _result(content: object) -> Result:
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    metrics = content.get("metrics")
    if not isinstance(metrics, dict) or not all(isinstance(figure, dict) for figure in metrics.values()):
        raise ValueError('"metrics" must be an object of objects')
    prior = content.get("prior", {})
    if not isinstance(prior, dict):
        raise ValueError('"prior" must be an object')
    return Result(
        recipe=_text(content, "recipe"),
        dataset=_text(content, "dataset"),
        split=_text(content, "split"),
        data=cast("Source", _text(content, "data")),
        extractor=_text(content, "extractor"),
        model=_text(content, "model"),
        metrics={key: _figure(figure) for key, figure in metrics.items()},
        queries=int(_number(content, "queries")),
        seconds=_number(content, "seconds"),
        prior={key: _number(prior, key) for key in prior},
    )


def _figure(figure: Mapping[str, Any]) -> Figure:
    ends = [None if figure.get(end) is None else _number(figure, end) for end in ("low", "high")]
    return Figure(_number(figure, "mean"), *ends)


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f'"{key}" must be a text')
    return value


def _number(content: Mapping[str, Any], key: str) -> float:
    value = content.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f'"{key}" must be a finite number')
    return float(value)
