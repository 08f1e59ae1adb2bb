"""The moment frequency prior of a data set as a model, fitted on the spot."""

from __future__ import annotations

from collections.abc import Sequence

from asst.data.record import Record
from asst.errors import InputError
from asst.evaluation.protocol import protocol_of
from asst.features.absent import NAME, absent_features
from asst.models.checkpoint import Description, FeatureKind
from asst.models.loading import window_steps
from asst.models.prior import PriorMethod
from asst.models.restored import RestoredMethod
from asst.models.trained import TrainedModel
from asst.text import WordVectors

OVERLAP = 0.5
"""IoU above which the weaker of two spans of a density is dropped."""


def fitted_prior(dataset: str, records: Sequence[Record]) -> TrainedModel:
    """A prior that ranks what the data set's protocol asks for: DiDeMo's clips, or spans of any length.

    Args:
        dataset: a key of `asst.data.DATASETS`.
        records: to count.

    Raises:
        InputError: for no record, or annotation that is not what the protocol ranks.
    """
    if not records:
        raise InputError(f"{dataset}: no record to fit a prior on; is the annotation file the right one?")
    pieces = protocol_of(dataset).pieces
    method = PriorMethod({"clips": "pieces" if pieces else "density"})
    method.fit(records, ())
    words = WordVectors.packaged()
    description = Description(
        method="prior",
        settings=method.settings,
        observation={"kind": "pieces" if pieces else "whole"},
        overlap=1.0 if pieces else OVERLAP,
        words=words.source,
        features=FeatureKind(extractor=NAME, dimension=absent_features(1.0).dimension, step_s=1.0),
        origin="real",
        recipe=f"{dataset}/prior",
        dataset=dataset,
        split="+".join(dict.fromkeys(record.split for record in records)),
        step=1,
        seed=0,
    )
    return TrainedModel([RestoredMethod(method, window_steps(description))], description, "prior", words)
