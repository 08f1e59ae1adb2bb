"""``asst simulate``: features of Charades-STA, DiDeMo or THUMOS14 made from the annotation, for methods of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asst.atomic import check_writable
from asst.cli import options
from asst.cli.options import argument, key_of, option
from asst.cli.verb import tell


def simulate(
    out: Annotated[Path, argument("STORE", "The folder to write.")],
    dataset: Annotated[str, option("--dataset NAME", "charades-sta, didemo or thumos14.")] = "charades-sta",
    modality: Annotated[
        str | None, option("--modality NAME", "rgb, flow, or but for THUMOS14 c3d.", show_default="c3d or flow")
    ] = None,
    level: options.Level = "crowded",
    seed: Annotated[int, option("--seed N", "Of all draws.", min=0)] = 0,
    dimension: Annotated[int, option("--dimension N", "Numbers in a vector.", min=1)] = 256,
    data: options.DataFolder = None,
) -> None:
    """Make simulated features of the videos of Charades-STA, DiDeMo or THUMOS14 in STORE.

    They come from the annotation (actions, objects and scene; sentences; labelled spans), not from videos: a
    controlled benchmark with real sentences, spans and splits. Videos that STORE has from the same settings are left
    as they are.
    """
    from asst.data import data_folder
    from asst.features.stores.native import Store
    from asst.training.simulation import SIMULATIONS, Wanted
    from asst.training.simulation import simulate as make

    check_writable(out)
    key = key_of(dataset)
    usual = list(SIMULATIONS[key].modalities)[-1] if key in SIMULATIONS else ""
    wanted = Wanted(key, modality or usual, level, seed, dimension)
    count = make(wanted, data or data_folder(key), Store(out), tell)
    typer.echo(f"wrote simulated features of {count} videos to {out}")
