"""A model by its name, or from a checkpoint of any method that answers sentences, of a space, or a model's folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asst.errors import InputError
from asst.local import check_ends
from asst.models import MODELS

if TYPE_CHECKING:
    from asst.models.model import Model


def model_named(name: str | Path) -> Model:
    """The model.

    Args:
        name: one of the names that ``asst models`` prints, the path of a checkpoint that ``asst train`` wrote, or the
            folder of a CLIP or SigLIP.

    Raises:
        InputError: for a name that no model has, a file that is no checkpoint, or when packaged weights are missing.
    """
    if str(name) in MODELS:
        return MODELS[str(name)].build()
    if Path(name).is_dir():
        from asst.models.zeroshot import ClipModel

        return ClipModel(Path(name).name, weights=Path(name))
    if Path(name).suffix in (".safetensors", ".onnx") or Path(name).exists():
        from asst.features.caption_space import is_space

        check_ends(Path(name))
        if is_space(Path(name)):
            from asst.models.zeroshot import SimilarityModel

            return SimilarityModel(Path(name).name, Path(name))
        from asst.models.loading import described_by
        from asst.models.reranked import METHOD, RerankedModel
        from asst.models.trained import TrainedModel

        if described_by(Path(name)).method == METHOD:
            return RerankedModel.load(Path(name))
        return TrainedModel.load([Path(name)])
    raise InputError(f"no model is called {str(name)!r}; choose one of {', '.join(MODELS)}, or name a checkpoint")
