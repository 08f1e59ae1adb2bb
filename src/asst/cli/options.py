"""What verbs have in common: options and arguments, each declared once; what is checked first; and the printing."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.core import TyperArgument, TyperCommand

from asst.errors import InputError
from asst.extras import VERBS, install, require
from asst.local import check_ends

if TYPE_CHECKING:
    from asst.features.stores.native import FeatureStore

LIBRARY = Path("asst-library")
"""The library of verbs that are not told of one."""

Rows = Sequence[Sequence[str]]

_WHOLE = 1000
"""Letters of a line that is wrapped and not cut."""


def option(name: str, text: str, **more: Any) -> Any:
    """An option: its name with what it takes, such as ``--top N``, and what it is for; the rest as typer has it."""
    flag, _, takes = name.partition(" ")
    return typer.Option(flag, metavar=takes or None, help=text, **more)


def argument(takes: str, text: str) -> Any:
    """An argument: what it is called, and what it is for."""
    return typer.Argument(metavar=takes, help=text)


def expanded(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb whose parameters of a dataclass are options, one a field; it is given values of the dataclass."""
    parameters: list[Parameter] = []
    groups: dict[str, Any] = {}
    hints = get_type_hints(verb, include_extras=True)
    for own in signature(verb).parameters.values():
        if is_dataclass(kind := hints[own.name]):
            groups[own.name] = kind
            types = get_type_hints(kind, include_extras=True)
            parameters += [
                own.replace(name=one.name, default=one.default, annotation=types[one.name]) for one in fields(kind)
            ]
        else:
            parameters.append(own.replace(annotation=kind))

    @wraps(verb)
    def run(**given: Any) -> None:
        for name, kind in groups.items():
            given[name] = kind(**{one.name: given.pop(one.name) for one in fields(kind)})
        verb(**given)

    vars(run)["__signature__"] = Signature(parameters)
    run.__annotations__ = {own.name: own.annotation for own in parameters}
    return run


def _use(name: str | None) -> str | None:
    if name is not None:
        from asst.features.runtime import DEVICE, device

        os.environ[DEVICE] = name
        device()
    return name


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no score")
    return value


Json = Annotated[bool, option("--json", "Print JSON, one object a line; docs/formats.md has the keys.")]

Sentences = Annotated[list[str] | None, argument("SENTENCE...", "What to look for, a sentence each, in quotes.")]
Queries = Annotated[
    str | None,
    option("--queries FILE", "Read more sentences from a file or a pipe, one a line; - reads standard input."),
]
MinScore = Annotated[
    float | None,
    option(
        "--min-score X",
        "Moments of this score or more, in place of what the model finds convincing.",
        callback=_finite,
    ),
]
All = Annotated[bool, option("--all", "Print and export the weaker moments too, up to --top of a sentence.")]

Export = Annotated[
    list[Path] | None,
    option(
        "--export OUT",
        "Write what is found for another program, in the format of the ending: .csv .json .jsonl, .srt .vtt "
        "(subtitles) .fcpxml, with the extra timeline .otio .edl (timelines), .mp4 (one reel). Repeat for more files.",
    ),
]

Library = Annotated[Path, option("--library PATH", "The folder of the library.")]
LibraryModel = Annotated[
    str | None,
    option(
        "--model NAME|PATH", "A model from 'asst models', or what 'asst train finetune' made; else the library's own."
    ),
]
Workers = Annotated[int, option("--workers N", "Processes that read videos.", min=1)]
Cluster = Annotated[
    bool, option("--cluster", "Spread the work over the Ray cluster of $RAY_ADDRESS, or a local one (extra: cluster).")
]
Device = Annotated[
    str | None,
    option(
        "--device DEVICE",
        "Where networks are computed, one of asst models --devices; the best of them if not given.",
        callback=_use,
    ),
]
"""Read as soon as it is met, so that workers have it too."""

OF_SENTENCES = (
    "didemo, charades-sta, charades-cd, activitynet-captions, activitynet-cd, tacos, qvhighlights or jsonlines."
)
DatasetName = Annotated[str | None, option("--dataset NAME", f"{OF_SENTENCES} Of actions: thumos14 or actions.")]
Split = Annotated[str | None, option("--split NAME", "Its part, such as val or test.")]
DataFolder = Annotated[
    Path | None, option("--data FOLDER", "The folder of its annotation files; else the data set's name in $ASST_DATA.")
]
Level = Annotated[str, option("--level NAME", "Of simulated features: easy, standard, crowded or hard.")]

StepS = Annotated[float | None, option("--step-s SECONDS", "How long a step lasts, for a STORE that does not say.")]
ArrayKey = Annotated[str | None, option("--key NAME", "The array to take, where a STORE holds several of a video.")]


@dataclass(frozen=True)
class Stores:
    """The features that a model reads, as options."""

    stores: Annotated[
        list[Path] | None,
        option("--store STORE", "The features to read, in place of video files; once for each stream."),
    ] = None
    step_s: StepS = None
    key: ArrayKey = None

    def read_by(self, checkpoint: str, extractor: str, preprocessing: str) -> FeatureStore:
        """One store, of all streams together, or one a stream side by side, in their order.

        The checkpoint reads features of an extractor, several joined by ``+``. Raises an `InputError` for another
        number of stores, one that cannot be opened, or features that only a recipe makes.
        """
        from asst.features.stores.external import Timing, open_store
        from asst.features.stores.native import UNIT_LENGTH, ConcatenatedStore

        if UNIT_LENGTH in preprocessing:
            raise InputError(f"{checkpoint} reads features that its recipe normalizes; judge it with asst evaluate RUN")
        streams, stores = extractor.split("+"), self.stores or ()
        if len(stores) not in (1, len(streams)):
            raise InputError(
                f"{checkpoint} reads features of {' and '.join(streams)}; give --store STORE "
                + ("once" if len(streams) == 1 else f"{len(streams)} times, in this order")
            )
        names = streams if len(stores) > 1 else [extractor]
        timings = [Timing(name, self.step_s) if self.step_s else None for name in names]
        opened = [open_store(path, timing, self.key) for path, timing in zip(stores, timings, strict=True)]
        return opened[0] if len(opened) == 1 else ConcatenatedStore(opened)


def key_of(dataset: str) -> str:
    """The key of a data set, as which its name is taken however it is written."""
    return dataset.lower().replace("-", "_")


@dataclass(frozen=True)
class Annotation:
    """Which split of a data set, as options; ``data`` is the folder of its annotation files."""

    dataset: DatasetName = None
    split: Split = None
    data: DataFolder = None
    problems: Annotated[bool, option("--problems", "Name each annotation row that was repaired or left out.")] = False

    @property
    def detects(self) -> bool:
        """Whether it is one of labelled spans."""
        from asst.data import ACTION_DATASETS

        return self.dataset is not None and key_of(self.dataset) in ACTION_DATASETS

    @property
    def named(self) -> tuple[str, str]:
        """Keys of the data set and the split; where one is not given, an `InputError`."""
        if not self.dataset or not self.split:
            raise InputError("which annotation? give --dataset NAME and --split NAME")
        return key_of(self.dataset), self.split


class _Argument(TyperArgument):
    """Shown as what it is called, without a type; in brackets where it may be left out."""

    def get_usage_pieces(self, ctx: Any) -> list[str]:
        name = self.display_name_raw
        return [name if self.required or name.startswith("[") else f"[{name}]"]

    def display_type_rich(self, ctx: Any) -> None:
        return None


class Verb(TyperCommand):
    """Refuses, before the verb begins, files that are none, and to begin without the extra that the verb needs."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        if name in VERBS:
            settings["epilog"] = f"Needs: {install(VERBS[name])}"
        super().__init__(name, **settings)
        for own in self.params:
            if isinstance(own, TyperArgument):
                own.__class__ = _Argument

    def get_short_help_str(self, limit: int = 45) -> str:
        """What the list of verbs says of it, with the extra that it needs."""
        return with_extra(self.name or "", super().get_short_help_str(_WHOLE))

    def invoke(self, ctx: Any) -> Any:
        """Run the verb, without pipes, sockets and devices among its files, and with the extra that it needs."""
        for value in ctx.params.values():
            for path in value if isinstance(value, list | tuple) else (value,):
                if isinstance(path, Path):
                    check_ends(path)
        verb = " ".join(ctx.command_path.split()[1:2])
        if verb in VERBS:
            require(VERBS[verb], f"asst {verb}")
        return super().invoke(ctx)


def print_json(records: Iterable[dict[str, Any]]) -> None:
    """One object a line, to standard output."""
    from asst.outputs.json_lines import as_lines

    typer.echo(as_lines(records), nl=False)


def print_grid(title: str, headings: Sequence[str], rows: Rows, notes: Sequence[str] = (), words: int = 1) -> None:
    """One table to standard output, as `asst.outputs.table.Grid` has it."""
    from asst.outputs.table import Grid, write_grids

    write_grids([Grid(title, headings, rows, notes, words)], sys.stdout)


def tell(line: str) -> None:
    """Say something on standard error."""
    typer.echo(line, err=True)


def with_extra(verb: str, summary: str) -> str:
    """A line about a verb, with the extra that it needs."""
    return f"{summary.removesuffix('.')} (extra: {VERBS[verb]})." if verb in VERBS else summary
