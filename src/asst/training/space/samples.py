"""Pictures with some of their sentences each, as a step of training sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from asst.data.readers.captions import Captioned
from asst.data.samples import DRAWS, Key
from asst.moments import Float16Array, IntArray
from asst.training.space.cache import KeptArrays
from asst.training.space.towers import Sentences

_TOGETHER = 64
"""Sentences of like length that are passed at once."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptCaptions:
    """Pictures and sentences as the frozen parts of the towers see them.

    ``groups`` is the number of each picture's group, ``(pictures,)``, ``texts`` those of its sentences; ``views`` are
    of all pictures and ``hidden`` of all distinct sentences.
    """

    pictures: Sequence[Captioned]
    groups: IntArray
    texts: Sequence[IntArray]
    views: Sequence[KeptArrays]
    hidden: KeptArrays


@dataclass(slots=True, eq=False)
class CaptionBatch:
    """Pictures, as parts of views, ``(batch, channels, side, side)``, and as many sentences of each.

    These are a first one of every picture, then a second one of every picture, and so on; ``texts`` are their numbers,
    ``(sentences a picture, batch)``, and ``groups`` the number of each picture's group, ``(batch,)``.
    """

    maps: Tensor
    sentences: Sentences
    groups: Tensor
    texts: Tensor

    def __len__(self) -> int:
        return len(self.groups)


class CaptionSamples(Dataset[tuple[Float16Array, int, IntArray]]):
    """What a step sees of a picture: a function of seed, epoch and index, as `asst.data.samples` has it.

    ``window`` is the side of the part of a view, as a share of its short side. A picture that has fewer sentences
    repeats some.
    """

    def __init__(self, kept: KeptCaptions, learnt: IntArray, window: float, sentences: int, seed: int) -> None:
        self._kept, self._learnt, self._window = kept, learnt, window
        self._sentences, self._seed = sentences, seed

    def __len__(self) -> int:
        return len(self._learnt)

    def __getitem__(self, key: Key) -> tuple[Float16Array, int, IntArray]:
        """Part of a view, the picture's group and the sentences."""
        random = np.random.default_rng((DRAWS, self._seed, *key))
        picture = int(self._learnt[key[1]])
        view = self._kept.views[int(random.integers(len(self._kept.views)))][picture]
        side = max(1, round(self._window * min(view.shape[:2])))
        top, left = (int(random.integers(length - side + 1)) for length in view.shape[:2])
        own = self._kept.texts[picture]
        texts = random.choice(own, self._sentences, replace=len(own) < self._sentences)
        return view[top : top + side, left : left + side], int(self._kept.groups[picture]), texts

    def collate(self, samples: Sequence[tuple[Float16Array, int, IntArray]]) -> CaptionBatch:
        """Samples as a batch."""
        maps, groups, drawn = zip(*samples, strict=True)
        texts = np.stack(drawn, axis=1)
        sentences = sentences_of(self._kept.hidden, texts.ravel().tolist())
        return CaptionBatch(stacked(maps), sentences, torch.tensor(groups), torch.from_numpy(texts))


def stacked(maps: Sequence[Float16Array]) -> Tensor:
    """Kept maps of one size, ``(batch, channels, height, width)``."""
    return torch.from_numpy(np.stack(maps)).permute(0, 3, 1, 2)


def sentences_of(hidden: KeptArrays, texts: Sequence[int]) -> Sentences:
    """The hidden states of sentences by their numbers; short ones beside short ones, so that little is padding."""
    arrays = [hidden[text] for text in texts]
    order = sorted(range(len(arrays)), key=lambda index: len(arrays[index]))
    parts = []
    for chosen in np.array_split(order, max(1, len(order) // _TOGETHER)):
        longest = len(arrays[chosen[-1]])
        states = torch.zeros(len(chosen), longest, arrays[0].shape[1], dtype=torch.float16)
        real = torch.zeros(len(chosen), longest, dtype=torch.bool)
        for row, index in enumerate(chosen):
            states[row, : len(arrays[index])] = torch.from_numpy(np.array(arrays[index]))
            real[row, : len(arrays[index])] = True
        parts.append((states, real))
    return Sentences(parts, torch.from_numpy(np.argsort(order)))
