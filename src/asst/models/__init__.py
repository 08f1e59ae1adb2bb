"""Things that rank moments, and the table of their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from asst.features.image_text import IMAGE_TEXT

if TYPE_CHECKING:
    from asst.models.model import Model


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be named.

    Attributes:
        name: what ``--model`` calls it.
        summary: one line on what it is.
        build: makes it; takes what a fresh process needs to read weights.
    """

    name: str
    summary: str
    build: Callable[[], Model]


def _default() -> Model:
    from asst.models.reranked import packaged_default

    return packaged_default()


def _similarity() -> Model:
    from asst.models.zeroshot import SimilarityModel

    return SimilarityModel()


def _similarity_fast() -> Model:
    from asst.models.zeroshot import SimilarityModel

    return SimilarityModel("similarity-fast", looks_a_second=0.75)


def _clip() -> Model:
    from asst.models.zeroshot import ClipModel

    return ClipModel()


def _fetched(name: str) -> Model:
    from asst.models.zeroshot import zeroshot_of

    return zeroshot_of(name, name)


MODELS = {
    entry.name: entry
    for entry in (
        ModelEntry("default", "ASST, trained on sentences alone, choosing among what similarity finds", _default),
        ModelEntry("similarity", "space learnt from captioned pictures, no training on video", _similarity),
        ModelEntry("similarity-fast", "similarity looking at fewer pictures: faster, finds less", _similarity_fast),
        ModelEntry("clip", "CLIP or SigLIP from the folder ASST_WEIGHTS, no training on video", _clip),
        *(
            ModelEntry(
                model.name,
                f"{model.repository}: {model.megabytes} MB, {model.licence}, {model.dimension} numbers",
                partial(_fetched, model.name),
            )
            for model in IMAGE_TEXT.values()
        ),
    )
}
