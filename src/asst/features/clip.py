"""CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023): pictures and sentences in one space (extra ``clip``).

Each step's middle picture is prepared as the folder's ``preprocessor_config.json`` says: resized, cropped in the
centre, scaled and normalised. Before that a short side of more than twice the side that the network sees is brought to
that, so that little is converted of large pictures. Vectors are the projected ones of the two towers, of unit length:
products are cosines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from asst.errors import InputError
from asst.extras import require
from asst.features.fingerprint import files_hash
from asst.features.frame_network import MIDDLE, Branch, FrameNetwork, PictureSize, centre
from asst.features.precision import fastest_device
from asst.features.state_dict import weights_folder
from asst.features.ticks import Pixels

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME = "clip"
KINDS = frozenset({"clip", "siglip"})
"""Kinds of models, as ``config.json`` names them."""

_BICUBIC = 3
_SENTENCES_AT_ONCE = 64


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
        said = _json(path)
        said = said.get("image_processor", said)
        try:
            size = said["size"]
            size = {"shortest_edge": size} if isinstance(size, int) else size
            exact = (int(size["height"]), int(size["width"])) if "height" in size else None
            short_side = None if exact else int(size["shortest_edge"])
            cut = said["crop_size"] if said.get("do_center_crop") or not exact else size
            crop = (cut, cut) if isinstance(cut, int) else (int(cut["height"]), int(cut["width"]))
            scale = float(said.get("rescale_factor", 1 / 255))
            colours = tuple(map(float, said["image_mean"])), tuple(map(float, said["image_std"]))
            return cls(short_side, exact, int(said.get("resample", _BICUBIC)), crop, scale, *colours)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} does not say how pictures are prepared ({error}); get the folder again"
            ) from error

    @property
    def decoded(self) -> PictureSize:
        """What pictures are brought to while they are decoded."""
        return PictureSize(short_side=2 * max(self.crop), grows=False)

    def __call__(self, pictures: Sequence[Pixels]) -> npt.NDArray[np.uint8]:
        """What is cut from the only picture, ``(*crop, 3)``; scaling is left to the network."""
        (picture,) = pictures
        height, width = self.exact or self._kept(*picture.shape[:2])
        sized = Image.fromarray(picture).resize((width, height), Image.Resampling(self.resample))
        return centre(np.asarray(sized), *self.crop)

    def _kept(self, height: int, width: int) -> tuple[int, int]:
        """Height and width with the aspect kept; the longer side is rounded down, as transformers does."""
        assert self.short_side is not None
        shorter = min(height, width)
        return height * self.short_side // shorter, width * self.short_side // shorter


class ClipTowers(nn.Module):
    """The two towers of a local folder: pictures by `forward`, sentences by `sentence_vectors`.

    Attributes:
        kind: ``clip`` or ``siglip``.
        preparing: how it wants its pictures.
        dimension: numbers in a vector.
        weights: a short hash of them.

    Args:
        folder: as ``save_pretrained`` or a download from the hub leaves it: ``config.json``, the weights,
            ``preprocessor_config.json`` and the tokenizer's files.

    Raises:
        InputError: if something is missing there or does not fit, or transformers is not installed.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.kind = str(_json(folder / "config.json").get("model_type"))
        if self.kind not in KINDS:
            raise InputError(f"{folder} holds a model of the kind {self.kind}; get one of {', '.join(sorted(KINDS))}")
        self.preparing = Preparing.read(folder)
        self.model, self._tokenizer = _loaded(folder)
        self.dimension = _width(self.model)
        self.weights = files_hash(sorted({*folder.glob("*.safetensors")} or {*folder.glob("pytorch_model*.bin")}))

    @property
    def settings(self) -> dict[str, object]:
        """All that decides the numbers besides the weights; fit for JSON."""
        own = self.preparing
        settings: dict[str, object] = {"network": self.kind, "version": 1, "resample": own.resample}
        settings |= {"short_side": own.short_side, "exact": own.exact, "crop": own.crop}
        return settings | {"scale": own.scale, "mean": own.mean, "deviation": own.deviation}

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB, ``uint8``, ``(batch, height, width, 3)`` to unit vectors ``(batch, dimension)``."""
        values = pixels.float() * self.preparing.scale
        mean, deviation = values.new_tensor(self.preparing.mean), values.new_tensor(self.preparing.deviation)
        model: Any = self.model
        normal = ((values - mean) / deviation).permute(0, 3, 1, 2).to(self.model.dtype)
        found = model.get_image_features(pixel_values=normal)
        return F.normalize(found.pooler_output.float(), dim=-1)

    @torch.inference_mode()
    def sentence_vectors(self, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        """Sentences in the space of the pictures, of unit length, shape ``(sentences, dimension)``.

        What is beyond the longest text that the model takes is left out.
        """
        model: Any = self.model
        # SigLIP was trained on texts of one length, and looks at what they are filled up with.
        masked = self.kind != "siglip"
        filled, longest = ("longest" if masked else "max_length"), model.config.text_config.max_position_embeddings
        found = np.zeros((len(sentences), self.dimension), dtype=np.float32)
        for start in range(0, len(sentences), _SENTENCES_AT_ONCE):
            some = list(sentences[start : start + _SENTENCES_AT_ONCE])
            tokens = self._tokenizer(some, padding=filled, truncation=True, max_length=longest, return_tensors="pt").to(
                fastest_device()
            )
            mask = {"attention_mask": tokens["attention_mask"]} if masked else {}
            vectors = model.get_text_features(input_ids=tokens["input_ids"], **mask).pooler_output
            found[start : start + len(some)] = F.normalize(vectors.float(), dim=-1).cpu().numpy()
        return found


class ClipExtractor(FrameNetwork):
    """CLIP or SigLIP from a local folder, four steps a second.

    Attributes:
        towers: of the folder.

    Args:
        folder: as `ClipTowers` has it.

    Raises:
        InputError: if something is missing there or does not fit, or transformers is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.towers = towers = ClipTowers(folder)
        sees = range(MIDDLE, MIDDLE + 1)
        branch = Branch(towers, towers.dimension, sees, towers.preparing, towers.settings, towers.weights)
        super().__init__(NAME, [branch], towers.preparing.decoded)


def clip(weights: Path | None = None) -> ClipExtractor:
    """The extractor ``clip``.

    Args:
        weights: a Hugging Face folder, or one that holds it as ``clip``; None for the folder of ``ASST_WEIGHTS``.

    Raises:
        InputError: without such a folder, or without transformers.
    """
    return ClipExtractor(weights_folder(NAME, weights, holds="config.json"))


def _json(path: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; get the folder again") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); get the folder again") from error
    if not isinstance(said, dict):
        raise InputError(f"{path} is no JSON object; get the folder again")
    return said


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing on stderr while a model loads: what does not fit is told as an error."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _loaded(folder: Path) -> tuple[PreTrainedModel, Any]:
    """The model and its tokenizer, without looking anywhere else.

    Raises:
        InputError: for what cannot be read, or does not fit.
    """
    require("clip", "CLIP")
    from transformers import AutoModel, AutoTokenizer

    with _quiet():
        try:
            model, info = AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # transformers raises whatever its many readers do
            told = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(f"{folder} holds no model that can be read ({told}); get the folder again") from error
    wrong = [(kind, sorted(map(str, info[f"{kind}_keys"]))) for kind in ("missing", "unexpected", "mismatched")]
    if faults := [f"{len(names)} tensors are {kind}, first {names[0]}" for kind, names in wrong if names]:
        raise InputError(f"{folder} does not fit its own config.json: {'; '.join(faults)}; get the folder again")
    return model.eval().requires_grad_(False), tokenizer


def _width(model: PreTrainedModel) -> int:
    """Numbers in a vector: of CLIP's projection, or of SigLIP's tower for pictures."""
    config: Any = model.config
    width: int = getattr(config, "projection_dim", None) or config.vision_config.hidden_size
    return width
