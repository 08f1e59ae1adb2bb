"""What a checkpoint that a test writes says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asst.models.checkpoint import Description, FeatureKind

NOISE = FeatureKind(extractor="noise", dimension=5, step_s=0.5)


def description_of(method: str, settings: Mapping[str, Any], **changes: Any) -> Description:
    """Of one training step on features of noise, with ``changes``."""
    usual = {"observation": {"kind": "crops", "steps": 16}, "overlap": 0.5, "words": "glove.6B.50d", "features": NOISE}
    learnt = {"origin": "real", "recipe": "own", "dataset": "jsonlines", "split": "train", "step": 1, "seed": 0}
    return Description(method=method, settings=settings, **{**usual, **learnt, **changes})
