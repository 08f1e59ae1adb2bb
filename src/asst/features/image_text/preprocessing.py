"""How an image-text model wants its pictures, as the folder of the model says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from asst.errors import InputError
from asst.features.picture_size import PictureSize, centre
from asst.features.resampling import Pixels

_BICUBIC = 3


@dataclass(frozen=True, slots=True)
class Preparing:
    """How a model wants its pictures.

    Attributes:
        short_side: pixels that the shorter side is brought to; None if ``exact`` is given.
        exact: height and width that a picture is brought to, its aspect not kept.
        resample: Pillow's number of how that is done.
        crop: height and width of what is cut from the centre.
        scale: what values are multiplied by.
        mean: of each colour, which is then subtracted.
        deviation: of each colour, which is then divided by.
    """

    short_side: int | None
    exact: tuple[int, int] | None
    resample: int
    crop: tuple[int, int]
    scale: float
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What a folder's ``preprocessor_config.json`` says, or ``processor_config.json`` as newer folders have it.

        Raises:
            InputError: if there is none, or it does not say all that is needed.
        """
        path = folder / "preprocessor_config.json"
        if not path.is_file() and (newer := folder / "processor_config.json").is_file():
            path = newer
        said = read_object(path)
        said = said.get("image_processor", said)
        try:
            size = said["size"]
            size = {"shortest_edge": size} if isinstance(size, int) else size
            exact = (int(size["height"]), int(size["width"])) if "height" in size else None
            short_side = None if exact else int(size["shortest_edge"])
            cut = said["crop_size"] if said.get("do_center_crop") or not exact else size
            crop = (cut, cut) if isinstance(cut, int) else (int(cut["height"]), int(cut["width"]))
            scale = float(said.get("rescale_factor", 1 / 255)) if said.get("do_rescale", True) else 1.0
            normal = said if said.get("do_normalize", True) else {"image_mean": (0, 0, 0), "image_std": (1, 1, 1)}
            colours = tuple(map(float, normal["image_mean"])), tuple(map(float, normal["image_std"]))
            return cls(short_side, exact, int(said.get("resample", _BICUBIC)), crop, scale, *colours)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} does not say how pictures are prepared ({error}); get the folder again"
            ) from error

    @property
    def settings(self) -> dict[str, object]:
        """All that decides the pixels; fit for JSON."""
        settings: dict[str, object] = {"resample": self.resample, "short_side": self.short_side, "exact": self.exact}
        return settings | {"crop": self.crop, "scale": self.scale, "mean": self.mean, "deviation": self.deviation}

    @property
    def decoded(self) -> PictureSize:
        """What pictures are brought to while they are decoded."""
        return PictureSize(short_side=2 * max(self.crop), grows=False)

    def __call__(self, pictures: Sequence[Pixels]) -> npt.NDArray[np.uint8]:
        """What is cut from the only picture, ``(*crop, 3)``; scaling is left to the network."""
        from PIL import Image

        (picture,) = pictures
        height, width = self.exact or self._kept(*picture.shape[:2])
        sized = Image.fromarray(picture).resize((width, height), Image.Resampling(self.resample))
        return centre(np.asarray(sized), *self.crop)

    def _kept(self, height: int, width: int) -> tuple[int, int]:
        """Height and width with the aspect kept; the longer side is rounded down, as transformers does."""
        assert self.short_side is not None
        shorter = min(height, width)
        return height * self.short_side // shorter, width * self.short_side // shorter


def read_object(path: Path) -> Mapping[str, Any]:
    """The JSON object in a file of a model's folder.

    Raises:
        InputError: for a file that cannot be read, or that holds something else.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; get the folder again") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); get the folder again") from error
    if not isinstance(said, dict):
        raise InputError(f"{path} is no JSON object; get the folder again")
    return said
