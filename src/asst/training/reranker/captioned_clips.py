"""Captioned pictures as clips that tapes are made of: their features, computed once and kept in files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from asst.data.readers.captions import Captioned, Captions, decoded, held_out, read_captions
from asst.features.hashing import LENGTH
from asst.features.zeroshot.crops import CropsExtractor
from asst.simulate.tapes.tapes import Clip, check_clips
from asst.training.simulation import Say
from asst.training.space.cache import CHUNK, KeptArrays

Part = Literal["learnt", "held out"]

_TELL_EVERY = 4


@dataclass(frozen=True, slots=True)
class CaptionedClips:
    """Where captioned pictures and their features are, and what of them is held out.

    Attributes:
        root: folder of the Parquet files.
        folder: where features of all extractors are kept.
        holdout: see `held_out`.
    """

    root: Path
    folder: Path
    holdout: Mapping[str, int]

    def digest(self) -> str:
        """A short hash of all pictures and sentences."""
        return read_captions(self.root).digest()[:LENGTH]

    def make(self, extractor: CropsExtractor, say: Say) -> None:
        """Computes what is missing, a chunk after the other; an interrupted run goes on where it was.

        Raises:
            InputError: as `read_captions`, `held_out` and `check_clips`, for a damaged picture, or a folder that cannot
                be written.
        """
        captions = read_captions(self.root)
        for part in get_args(Part):
            check_clips(self._clips(part, captions))
        kept = self._kept(captions, extractor)
        if not (missing := kept.missing()):
            return
        pictures = len(missing) * CHUNK
        megabytes = pictures * extractor.dimension * np.dtype(np.float16).itemsize / 1e6
        say(f"looking at {pictures} pictures; about {megabytes:.0f} MB are kept in {self.folder}")
        images = captions.images()
        with ThreadPoolExecutor(os.cpu_count() or 1, "looking") as pool:
            for chunk in range(-(-len(kept) // CHUNK)):
                some = list(islice(images, CHUNK))
                if chunk in missing:
                    kept.write(chunk, list(pool.map(partial(_looked, extractor), some)))
                    if chunk % _TELL_EVERY == 0:
                        say(f"looked at {chunk * CHUNK + len(some)} of {len(kept)} pictures")

    def read(self, part: Part, extractor: CropsExtractor) -> tuple[list[Clip], npt.NDArray[np.float16]]:
        """The clips of a part, and the features of all pictures, shape ``(pictures, numbers)``.

        Only pictures that people wrote sentences about make clips.

        Raises:
            InputError: as `held_out`.
        """
        captions = read_captions(self.root)
        kept = self._kept(captions, extractor)
        return self._clips(part, captions), np.stack([kept[i] for i in range(len(kept))])

    def _clips(self, part: Part, captions: Captions) -> list[Clip]:
        learnt, held = held_out(captions, self.holdout)
        found: dict[tuple[str, str], list[int]] = {}
        for index in (learnt if part == "learnt" else np.concatenate(list(held.values()))).tolist():
            picture = captions.pictures[index]
            if not picture.labelled:
                found.setdefault((picture.set, picture.id), []).append(index)
        said = ([text for frame in frames for text in captions.pictures[frame].sentences] for frames in found.values())
        return [Clip(tuple(own), tuple(dict.fromkeys(texts))) for own, texts in zip(found.values(), said, strict=True)]

    def _kept(self, captions: Captions, extractor: CropsExtractor) -> KeptArrays:
        name = f"{extractor.name}-{extractor.weights}-{captions.digest()[:LENGTH]}"
        return KeptArrays(self.folder, name, len(captions.pictures))


def _looked(extractor: CropsExtractor, item: tuple[Captioned, bytes | None]) -> npt.NDArray[np.float16]:
    return extractor.frame_vector(np.asarray(decoded(*item)))
