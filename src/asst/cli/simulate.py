"""``asst simulate``: features of Charades-STA made from its annotation, for methods of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asst.cli.extras import require_training
from asst.errors import InputError


def simulate(
    out: Annotated[Path, typer.Argument(metavar="STORE", help="The folder to write.", show_default=False)],
    modality: Annotated[str, typer.Option(metavar="NAME", help="rgb, flow or c3d.")] = "c3d",
    level: Annotated[str, typer.Option(metavar="NAME", help="easy, standard or hard.")] = "standard",
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of all draws.")] = 0,
    dimension: Annotated[int, typer.Option(min=1, metavar="N", help="Numbers in a vector.")] = 256,
    data: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Charades-STA's annotation files.", show_default=False)
    ] = None,
) -> None:
    """Make simulated features of the videos of Charades-STA in STORE.

    They come from the annotation of actions, objects and scene, not from videos: a controlled benchmark with real
    sentences, spans and splits. Videos that STORE has from the same settings are left as they are.
    """
    require_training()
    from asst.data.folders import data_folder
    from asst.data.simulate.settings import LEVELS, MODALITIES, Settings
    from asst.features.store import Store
    from asst.training.sources import simulate_charades

    if modality not in MODALITIES or level not in LEVELS:
        raise InputError(
            f"no simulated features {modality} {level}; choose one of {', '.join(MODALITIES)} and one of "
            f"{', '.join(LEVELS)}"
        )
    settings = Settings(modality=MODALITIES[modality], level=LEVELS[level], seed=seed, dimension=dimension)
    folder = data or data_folder("charades_sta")
    count = simulate_charades(folder, settings, Store(out), lambda line: typer.echo(line, err=True))
    typer.echo(f"wrote simulated features of {count} videos to {out}")
