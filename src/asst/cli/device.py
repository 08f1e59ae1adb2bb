"""``--device``: where networks are computed."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def _use(name: str | None) -> str | None:
    if name is not None:
        from asst.features.runtime import DEVICE, device

        os.environ[DEVICE] = name
        device()
    return name


def _train_on(name: str | None) -> str | None:
    if name is not None:
        import torch

        from asst.errors import InputError
        from asst.features.runtime import DEVICE

        here = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
        if name not in here:
            raise InputError(f"PyTorch has no device {name!r} here, only {' and '.join(here)}")
        os.environ[DEVICE] = name
    return name


DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        callback=_use,
        help="Where networks are computed, one of asst models --devices; the best of them if not given.",
        show_default=False,
    ),
]
"""Read as soon as it is met, so that workers have it too."""

TrainingDeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="cpu|cuda",
        callback=_train_on,
        help="Where PyTorch computes; cuda where it is, if not given.",
        show_default=False,
    ),
]
