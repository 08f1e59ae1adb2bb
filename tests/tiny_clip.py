"""Tiny CLIP and SigLIP models with random weights, as ``save_pretrained`` leaves them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast, SiglipConfig, SiglipModel

from asst.features.hashing import sha256
from asst.features.image_text.hub import HubFile, Manifest

# As folders for ONNX Runtime are published.
PICTURES, SENTENCES = "onnx/vision_model.onnx", "onnx/text_model.onnx"
WORDS = ["<unk>", "<s>", "</s>", "a", "dog", "cat", "runs", "sits"]
TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {
    **TOWER,
    "max_position_embeddings": 12,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
VISION = {**TOWER, "image_size": 32, "patch_size": 8}
PREPARING: dict[str, dict[str, Any]] = {
    "clip": {
        "size": {"shortest_edge": 32},
        "do_center_crop": True,
        "crop_size": {"height": 32, "width": 32},
        "resample": 3,
        "image_mean": [0.48, 0.46, 0.41],
        "image_std": [0.27, 0.26, 0.28],
    },
    "siglip": {
        "size": {"height": 32, "width": 32},
        "resample": 2,
        "rescale_factor": 1 / 255,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    },
}


def tokenizer(known: Sequence[str] = ()) -> Any:
    """One that knows `WORDS` and some more."""
    vocabulary = {word: index for index, word in enumerate((*WORDS, *known))}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.normalizer = normalizers.Lowercase()
    ends = [("<s>", 1), ("</s>", 2)]
    words.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    specials = {"pad_token": "</s>", "eos_token": "</s>", "bos_token": "<s>", "unk_token": "<unk>"}
    make: Any = PreTrainedTokenizerFast
    return make(tokenizer_object=words, model_max_length=12, **specials)


def model(kind: str, known: Sequence[str] = ()) -> Any:
    """The same each time.

    Args:
        kind: ``clip`` or ``siglip``.
        known: words that it knows besides `WORDS`.
    """
    torch.manual_seed(0)
    words = {**TEXT, "vocab_size": len(WORDS) + len(known)}
    made: Any
    if kind == "clip":
        text, vision = {**words, "projection_dim": 16}, {**VISION, "projection_dim": 16}
        made = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
    else:
        made = SiglipModel(SiglipConfig(text_config={**words, "projection_size": 32}, vision_config=VISION))
    return made.eval()


def write(folder: Path, kind: str, known: Sequence[str] = ()) -> Path:
    """The folder of a model, as a hub has it."""
    model(kind, known).save_pretrained(folder)
    tokenizer(known).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPARING[kind]))
    return folder


def fetched(folder: Path) -> Path:
    """The folder, as if it had been fetched from a hub."""
    stated = {
        path.relative_to(folder).as_posix(): HubFile(size=path.stat().st_size, sha256=sha256(path))
        for path in folder.rglob("*")
        if path.is_file()
    }
    Manifest("owner/name", "0" * 40, stated).write(folder)
    return folder


class Tower(nn.Module):
    """One tower of a model, with the outputs that are published."""

    def __init__(self, whole: nn.Module, call: str, names: Sequence[str]) -> None:
        super().__init__()
        self.whole, self.call, self.names = whole, call, names

    def forward(self, *given: Tensor) -> Tensor:
        found: Tensor = getattr(self.whole, self.call)(**dict(zip(self.names, given, strict=True))).pooler_output
        return found


def exported(folder: Path, kind: str, known: Sequence[str] = ()) -> Path:
    """A tiny model in the form that is published for ONNX Runtime."""
    kind, _, unmasked = kind.partition("-")
    write(folder, kind, known)
    (folder / "model.safetensors").unlink()
    (folder / "onnx").mkdir()
    whole = model(kind, known)
    whole.set_attn_implementation("eager")
    whole.requires_grad_(False)
    outputs = ("image_embeds", "text_embeds") if kind == "clip" else ("pooler_output", "pooler_output")
    texts = ("input_ids",) if unmasked or kind == "siglip" else ("input_ids", "attention_mask")
    ids = torch.tensor([[1, 3, 4, 6, 2] + [2] * 7] * 2)
    given: list[tuple[str, str, tuple[str, ...], tuple[Tensor, ...], str]] = [
        (PICTURES, "get_image_features", ("pixel_values",), (torch.rand(2, 3, 32, 32),), outputs[0]),
        (SENTENCES, "get_text_features", texts, (ids, torch.ones_like(ids))[: len(texts)], outputs[1]),
    ]
    for path, call, names, example, output in given:
        axes = {name: {0: "batch", **({1: "tokens"} if name != "pixel_values" else {})} for name in names}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                Tower(whole, call, names).eval(),
                example,
                str(folder / path),
                input_names=list(names),
                output_names=[output],
                dynamic_axes={**axes, output: {0: "batch"}},
                dynamo=False,
            )
    return folder
