"""Things that rank moments, and the table of their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


def _concepts() -> Model:
    from asst.models.zeroshot import ConceptsModel

    return ConceptsModel("concepts", "lite2")


def _concepts_fast() -> Model:
    from asst.models.zeroshot import ConceptsModel

    return ConceptsModel("concepts-fast", "lite0")


def _concepts_thorough() -> Model:
    from asst.models.zeroshot import ConceptsModel

    return ConceptsModel("concepts-thorough", "lite2", looks_a_second=2.0)


MODELS = {
    entry.name: entry
    for entry in (
        ModelEntry(
            "concepts", "the default: ImageNet classifier and sentence encoder, no training on video", _concepts
        ),
        ModelEntry("concepts-fast", "the same with a smaller image classifier: faster, finds less", _concepts_fast),
        ModelEntry("concepts-thorough", "the default looking at twice as many pictures: slower", _concepts_thorough),
    )
}
