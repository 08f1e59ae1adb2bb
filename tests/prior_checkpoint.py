"""A checkpoint of a method that needs no training: the prior."""

from __future__ import annotations

from pathlib import Path

from asst.data.record import Record
from asst.features.networks.none import NAME
from asst.models.checkpoint import Description, FeatureKind, save_checkpoint
from asst.models.methods.prior import PriorMethod
from asst.text import WordVectors


def save_prior(path: Path, records: list[Record]) -> None:
    """Fits a density and writes it."""
    method = PriorMethod({})
    method.fit(records, ())
    description = Description(
        method="prior",
        settings=method.settings,
        observation={"kind": "whole"},
        overlap=0.5,
        words=WordVectors.packaged().source,
        features=FeatureKind(extractor=NAME, dimension=1, step_s=1.0),
        origin="real",
        recipe="own/prior",
        dataset="jsonlines",
        split="train",
        step=1,
        seed=0,
    )
    save_checkpoint(path, description, method.state_dict())
