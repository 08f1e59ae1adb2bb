"""Things that rank moments, and the table of their names."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from asst.errors import InputError
from asst.features.image_text.hub import IMAGE_TEXT
from asst.local import check_ends

if TYPE_CHECKING:
    from asst.models.base import Model


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model that can be named."""

    name: str
    summary: str
    module: str
    function: str
    arguments: tuple[str, ...] = ()

    def build(self) -> Model:
        """The model; an `InputError` when weights are missing."""
        model: Model = getattr(import_module(f"asst.models.{self.module}"), self.function)(*self.arguments)
        return model


_DEFAULT = "ASST, trained on sentences alone, choosing among what similarity finds"
_SIMILARITY = "space learnt from captioned pictures, no training on video"
_FAST = "similarity looking at fewer pictures: faster, finds less"
_CLIP = "CLIP or SigLIP from the folder ASST_WEIGHTS, no training on video"

MODELS = {
    entry.name: entry
    for entry in (
        ModelEntry("default", _DEFAULT, "reranked", "packaged_default"),
        ModelEntry("similarity", _SIMILARITY, "zeroshot.model", "SimilarityModel"),
        ModelEntry("similarity-fast", _FAST, "zeroshot.model", "fast_similarity"),
        ModelEntry("clip", _CLIP, "zeroshot.model", "ClipModel"),
        *(
            ModelEntry(
                name,
                f"{model.repository}: {model.megabytes} MB, {model.licence}, dimension {model.dimension}",
                "zeroshot.model",
                "zeroshot_of",
                (name, name),
            )
            for name, model in IMAGE_TEXT.items()
        ),
    )
}


def model_named(name: str | Path) -> Model:
    """The model of a name that ``asst models`` prints, of a checkpoint's path, or of the folder of a CLIP or SigLIP.

    Raises an `InputError` for a name that no model has, a file that is no checkpoint, or when packaged weights are
    missing.
    """
    if str(name) in MODELS:
        return MODELS[str(name)].build()
    if (Path(name) / "checkpoints").is_dir():
        raise InputError(f"{name} is the folder of a run; name its checkpoint: {name}/checkpoints/best.safetensors")
    if Path(name).is_dir():
        from asst.models.zeroshot.model import ClipModel

        return ClipModel(Path(name).name, weights=Path(name))
    if Path(name).suffix in (".safetensors", ".onnx") or Path(name).exists():
        from asst.features.zeroshot.captions import is_space

        check_ends(Path(name))
        if is_space(Path(name)):
            from asst.models.zeroshot.model import SimilarityModel

            return SimilarityModel(Path(name).name, Path(name))
        from asst.models.reranked import RerankedModel
        from asst.models.trained.loading import RERANKER, loaded
        from asst.models.trained.model import TrainedModel

        methods, description = loaded([Path(name)])
        if description.method == RERANKER:
            return RerankedModel(methods[0], description, Path(name))
        return TrainedModel(methods, description, Path(name).name)
    raise InputError(f"no model is called {str(name)!r}; choose one of {', '.join(MODELS)}, or name a checkpoint")
