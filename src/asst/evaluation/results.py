"""Result files: what one evaluation of one recipe found, kept as JSON for the tables.

``RESULTS/**/results/*.json`` holds one object a file; docs/formats.md states its keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from asst.atomic import write_whole
from asst.errors import InputError
from asst.evaluation.scoring import Evaluation, per_cent
from asst.settings import Positive, first_fault

Source = Literal["real", "simulated"]
Name = Annotated[str, Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
FOLDER = "results"
"""The folder a result file stands in; `read_results` looks in no other."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric in per cent: its mean over all queries, and the ends of its 95 % interval over videos, if any."""

    mean: Finite
    low: Finite | None = None
    high: Finite | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one evaluation found; `docs/formats.md` says what each is.

    ``recipe`` has data set and row, as ``charades_sta/c3d``. ``data`` says whether the features come from the data
    set's videos or are simulated: the tables keep the two apart. ``metrics`` and ``prior`` are in per cent. ``changes``
    are of the packaged recipe's settings.
    """

    recipe: Name
    dataset: Name
    split: Name
    data: Source
    extractor: Name
    model: Name
    metrics: Annotated[Mapping[str, Figure], Field(min_length=1)]
    queries: Positive
    seconds: Annotated[float, Field(ge=0)]
    prior: Mapping[str, float] = field(default_factory=dict, hash=False)
    changes: str = ""

    @classmethod
    def of(
        cls,
        evaluation: Evaluation,
        *,
        recipe: str,
        data: Source,
        extractor: str,
        model: str,
        seconds: float,
        changes: str = "",
    ) -> Result:
        """The result that keeps an evaluation."""
        return cls(
            recipe=recipe,
            dataset=evaluation.dataset,
            split=evaluation.split,
            data=data,
            extractor=extractor,
            model=model,
            metrics={key: Figure(**per_cent(interval)) for key, interval in evaluation.metrics.items()},
            queries=evaluation.queries,
            seconds=seconds,
            prior={key: round(100 * value, 4) for key, value in evaluation.prior.items()},
            changes=changes,
        )


def write_result(result: Result, path: Path) -> None:
    """Writes one file whole or not at all, making its folder if need be.

    Raises an `InputError` if it cannot be written, or stands where `read_results` would not look.
    """
    if path.suffix != ".json" or path.resolve().parent.name != FOLDER:
        raise InputError(f"{path}: a result is a .json file in a folder called {FOLDER}; asst tables reads those")
    content = {**asdict(result), "seconds": round(result.seconds, 3)}
    content = {key: value for key, value in content.items() if value or key not in ("prior", "changes")}
    write_whole(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_result(path: Path) -> Result:
    """One result file; keys that this version does not know are ignored. An `InputError` if it is no result."""
    try:
        return TypeAdapter(Result).validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise InputError(f"{path}: not a result ({first_fault(error)}); see docs/formats.md, or remove it") from error


def read_results(folder: Path) -> list[Result]:
    """Every result in the folders called ``results`` at and under ``folder``, in the order of their paths.

    Raises an `InputError` if there is no such folder, or for the first file in it that is no result.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of results")
    return [read_result(path) for path in sorted(folder.resolve().rglob("*.json")) if path.parent.name == FOLDER]
