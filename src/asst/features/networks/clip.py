"""CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023): pictures and sentences in one space (extra ``clip``).

Each step's middle frame is prepared as the folder's ``preprocessor_config.json`` says: resized, cropped in the
centre, scaled and normalised. Before that a short side of more than twice the side that the network sees is brought to
that, so that little is converted of large pictures. Vectors are the projected ones of the two towers, of unit length:
products are cosines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from asst.extras import require
from asst.features.hashing import files_hash
from asst.features.image_text.towers import SentenceTokens, Towers, unfit
from asst.features.networks.frame_network import MIDDLE, Branch, FrameNetwork
from asst.features.runtime import CARD_BATCH, fastest_device, precision_name
from asst.features.weights import misfits, weights_folder
from asst.moments import Float32Array
from asst.video.picture import Pixels

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME = "clip"


class ClipTowers(Towers, nn.Module):
    """Towers that PyTorch runs; frames also go through as `forward`, between tensors."""

    def __init__(self, folder: Path) -> None:
        nn.Module.__init__(self)
        Towers.__init__(self, folder)
        # SigLIP was trained on texts of one length, and looks at what they are filled up with.
        self._tokens = SentenceTokens(folder, self.kind, filled=self.kind == "siglip")
        self.model = _loaded(folder)
        config: Any = self.model.config
        # Of CLIP's projection, or of SigLIP's tower for pictures.
        self.dimension = getattr(config, "projection_dim", None) or config.vision_config.hidden_size
        self.weights = files_hash(sorted({*folder.glob("*.safetensors")} or {*folder.glob("pytorch_model*.bin")}))
        self.precision = precision_name()

    def forward(self, pixels: Tensor) -> Tensor:
        """RGB, ``uint8``, ``(batch, height, width, 3)`` to unit vectors ``(batch, dimension)``."""
        values = pixels.float() * self.preprocessing.scale
        mean, deviation = values.new_tensor(self.preprocessing.mean), values.new_tensor(self.preprocessing.deviation)
        model: Any = self.model
        normal = ((values - mean) / deviation).permute(0, 3, 1, 2).to(self.model.dtype)
        found = model.get_image_features(pixel_values=normal)
        return F.normalize(found.pooler_output.float(), dim=-1)

    @contextmanager
    def single_threaded(self) -> Iterator[int]:
        """See `Towers`."""
        if fastest_device() != "cpu":
            yield CARD_BATCH
            return
        before = torch.get_num_threads()
        # PyTorch's setting holds for the thread that sets it and for all that start later.
        torch.set_num_threads(1)
        try:
            yield 1
        finally:
            torch.set_num_threads(before)

    @torch.inference_mode()
    def picture_vectors(self, pictures: Pixels) -> Float32Array:
        """See `Towers`."""
        found: Float32Array = self(torch.from_numpy(pictures).to(fastest_device())).cpu().numpy()
        return found

    @torch.inference_mode()
    def _embedded(self, sentences: Sequence[str]) -> Float32Array:
        tokens, real = (torch.from_numpy(array).to(fastest_device()) for array in self._tokens(sentences))
        model: Any = self.model
        mask = {} if self.kind == "siglip" else {"attention_mask": real}
        found: Float32Array = model.get_text_features(input_ids=tokens, **mask).pooler_output.float().cpu().numpy()
        return found


class ClipExtractor(FrameNetwork):
    """CLIP or SigLIP from a local folder, four steps a second."""

    def __init__(self, folder: Path) -> None:
        self.towers = towers = ClipTowers(folder)
        sees = range(MIDDLE, MIDDLE + 1)
        branch = Branch(towers, towers.dimension, sees, towers.preprocessing, towers.settings, towers.weights)
        super().__init__(NAME, [branch], towers.preprocessing.decoded)


def clip(weights: Path | None = None) -> ClipExtractor:
    """The extractor ``clip``."""
    return ClipExtractor(weights_folder(NAME, weights))


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


def _loaded(folder: Path) -> PreTrainedModel:
    """The model, without looking anywhere else."""
    require("clip", "CLIP")
    from transformers import AutoModel

    with _quiet():
        try:
            model, info = AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
        except Exception as error:  # transformers raises whatever its many readers do
            told = next(iter(str(error).splitlines()), type(error).__name__)
            raise unfit(f"{folder} holds no model that can be read ({told})") from error
    kinds = ("missing", "unexpected", "mismatched")
    if faults := misfits(**{kind: sorted(map(str, info[f"{kind}_keys"])) for kind in kinds}):
        raise unfit(f"{folder} does not fit its own config.json: {faults}")
    frozen: PreTrainedModel = model.eval().requires_grad_(False)
    return frozen
