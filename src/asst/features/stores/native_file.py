"""One video's features in one safetensors file: a tensor ``vectors`` and a header that explains it.

The header's metadata names the form, the extractor, ``start_s``, ``step_s`` and ``dimension``, where shots begin,
and, where known, hashes of the preprocessing, the weights and the video, and how optical flow was found. A file is
written under a temporary name and renamed, so a reader sees all of it or nothing. Vectors are memory-mapped when read.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from asst.atomic import writing_whole
from asst.errors import InputError
from asst.features.disk_rows import pieces
from asst.features.values import Features

FORMAT = "asst-features-1"
TENSOR = "vectors"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What features were made of.

    Attributes:
        preprocessing: hash of how frames were prepared; empty if unknown.
        content: hash of the video file; empty if unknown.
        weights: hash or version of the network's weights; empty if unknown, or if there are none.
        flow: how optical flow was found, for people; empty without. It is part of ``preprocessing``, so that
            provenances are equal whatever it says.
        precision: the number format that the network ran in; empty if unknown, or without one. Features in bfloat16
            and in float32 serve in each other's place (docs/extractors.md says how near they are), so that
            provenances are equal whatever it says.
    """

    preprocessing: str = ""
    content: str = ""
    weights: str = ""
    flow: str = field(default="", compare=False)
    precision: str = field(default="", compare=False)


def write_file(path: Path, features: Features, provenance: Provenance) -> None:
    """Writes one file whole or not at all, making its folder if need be.

    Raises:
        InputError: if it cannot be written.
    """
    header = {
        "format": FORMAT,
        "extractor": features.extractor,
        "start_s": repr(float(features.start_s)),
        "step_s": repr(float(features.step_s)),
        "dimension": str(features.dimension),
        "cuts_s": json.dumps(features.cuts_s.tolist(), allow_nan=False),
        **asdict(provenance),
    }
    vectors = features.vectors
    dtype = {"float32": "F32", "float16": "F16"}[vectors.dtype.name]
    tensor = {"dtype": dtype, "shape": list(vectors.shape), "data_offsets": [0, vectors.nbytes]}
    text = json.dumps({"__metadata__": header, TENSOR: tensor}, allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    with writing_whole(path) as file:
        # By hand and in parts: the library takes the whole file in memory, and features may lie on disk.
        file.write(struct.pack("<Q", len(text)) + text)
        for piece in pieces(vectors):
            file.write(np.ascontiguousarray(piece, dtype=f"<f{vectors.itemsize}").data)


def read_file(path: Path) -> tuple[Features, Provenance]:
    """One file of ours.

    Raises:
        InputError: if it cannot be read, is damaged or is not of ours.
    """
    try:
        header, first_byte = read_header(path)
        metadata = header.get("__metadata__") or {}
        if metadata.get("format") != FORMAT:
            raise InputError(f"{path} has no header of ours; read it with its step length, as a published store")
        tensor = header[TENSOR]
        shape = tuple(tensor["shape"])
        dtype = {"F32": np.float32, "F16": np.float16}[tensor["dtype"]]
        begin, end = tensor["data_offsets"]
        if end - begin != math.prod(shape) * np.dtype(dtype).itemsize or path.stat().st_size < first_byte + end:
            raise ValueError("cut short")
        vectors = np.memmap(path, dtype=dtype, mode="r", offset=first_byte + begin, shape=shape)
        cuts_s = np.array(json.loads(metadata["cuts_s"]), dtype=np.float64)
        clock = float(metadata["start_s"]), float(metadata["step_s"])
        features = Features(vectors, *clock, metadata["extractor"], cuts_s)
        return features, Provenance(*(metadata.get(own.name, "") for own in fields(Provenance)))
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the folder") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and extract the video again") from error


def kind(path: Path) -> tuple[str, int] | None:
    """The extractor and dimension that a file's header names; None if the file is damaged there or not of ours."""
    try:
        metadata = read_header(path)[0].get("__metadata__") or {}
        return (metadata["extractor"], int(metadata["dimension"])) if metadata.get("format") == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error):
        return None


def read_header(path: Path) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file, and where its data starts: eight bytes of length, then JSON, then data.

    Raises:
        OSError, ValueError, struct.error: for a file that cannot be read or is none.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            raise ValueError("cut short")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("no header")
    return header, 8 + length
