"""A checkpoint of a method that needs no training: the prior."""

from __future__ import annotations

from pathlib import Path

from asst.data.record import Record
from asst.features.networks.none import NAME
from asst.models.checkpoint import FeatureKind, save_checkpoint
from asst.models.methods.prior import PriorMethod

from .descriptions import description_of


def save_prior(path: Path, records: list[Record]) -> None:
    """Fits a density and writes it."""
    method = PriorMethod({})
    method.fit(records, ())
    kind = FeatureKind(extractor=NAME, dimension=1, step_s=1.0)
    description = description_of(
        "prior", method.settings, observation={"kind": "whole"}, features=kind, recipe="own/prior"
    )
    save_checkpoint(path, description, method.state_dict())
