"""Models of pictures and sentences that are fetched by name, and where they are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from asst.errors import InputError
from asst.features.manifest import NAME as MANIFEST
from asst.features.state_dict import weights_home


@dataclass(frozen=True, slots=True)
class ImageText:
    """A model that can be fetched.

    Attributes:
        name: what ``--model`` calls it.
        repository: on the hub, ``owner/name``.
        megabytes: about how much is fetched.
        licence: of the weights.
        dimension: numbers in a vector.
    """

    name: str
    repository: str
    megabytes: int
    licence: str
    dimension: int

    @property
    def place(self) -> Path:
        """The folder that it is fetched into."""
        return weights_home() / self.name

    @property
    def here(self) -> bool:
        """Whether it was fetched."""
        return (self.place / MANIFEST).is_file()

    def folder(self, weights: Path | None = None) -> Path:
        """Its folder.

        Args:
            weights: it, or one that holds it by its name; None for where it is fetched into.

        Raises:
            InputError: if it is not there.
        """
        if weights is None:
            places = [self.place] if self.here else []
        else:
            places = [path for path in (weights / self.name, weights) if (path / "config.json").is_file()]
        if not places:
            home = weights or weights_home()
            raise InputError(f"{self.name} is not in {home}; fetch it: asst models get {self.name}")
        return places[0]


_APPLE = "Apple's, for research"
IMAGE_TEXT = {
    model.name: model
    for model in (
        ImageText("tinyclip", "onnx-community/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M-ONNX", 96, "MIT", 512),
        ImageText("mobileclip-s0", "Xenova/mobileclip_s0", 218, _APPLE, 512),
        ImageText("clip-b32", "Xenova/clip-vit-base-patch32", 608, "MIT", 512),
        ImageText("siglip-base", "Xenova/siglip-base-patch16-224", 815, "Apache-2.0", 768),
        ImageText("siglip2-base", "onnx-community/siglip2-base-patch16-224-ONNX", 1540, "Apache-2.0", 768),
        ImageText("clip-l14", "openai/clip-vit-large-patch14", 1713, "MIT", 768),
        ImageText("siglip2-large", "google/siglip2-large-patch16-256", 3560, "Apache-2.0", 1024),
        ImageText("siglip2-so400m", "google/siglip2-so400m-patch14-384", 4580, "Apache-2.0", 1152),
    )
}
"""From small to large. Those of the first five are networks that ONNX Runtime computes, the others need PyTorch."""


def image_text_named(name: str) -> ImageText:
    """A model by its name.

    Raises:
        InputError: for a name that is none.
    """
    if name not in IMAGE_TEXT:
        raise InputError(f"no model that can be fetched is called {name!r}; choose one of {', '.join(IMAGE_TEXT)}")
    return IMAGE_TEXT[name]
