"""How well held-out sentences and pictures find each other in a space."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from asst.evaluation.retrieval import Ranks, retrieval_ranks
from asst.features.zeroshot.captions import pooled_crops
from asst.moments import IntArray
from asst.training.space.samples import KeptCaptions, sentences_of, stacked
from asst.training.space.towers import LearningTowers
from asst.training.validation import Validation

HEADLINE = "r@10"
"""How often a sentence's picture is among the ten best, averaged over the sets."""

Seen = tuple[int, Tensor]
_PICTURES, _SENTENCES = 32, 1024


class CaptionValidation(Validation):
    """Asks for every held-out picture and sentence among those of its set."""

    headline = HEADLINE

    def __init__(self, kept: KeptCaptions, held: Mapping[str, IntArray]) -> None:
        self._kept, self._held = kept, held

    def batches(self) -> list[list[int]]:
        """The held-out pictures, those of one size together."""
        sizes: dict[tuple[int, ...], list[int]] = {}
        for index in np.concatenate(list(self._held.values())).tolist():
            sizes.setdefault(self._kept.views[0].shape(index), []).append(index)
        return [own[at : at + _PICTURES] for own in sizes.values() for at in range(0, len(own), _PICTURES)]

    def loader(self) -> DataLoader[Any]:
        """Of `batches`."""
        return DataLoader(self.batches(), batch_size=None)  # type: ignore[arg-type]

    def answers(self, method: LearningTowers, batch: Sequence[int]) -> Iterable[Seen]:
        """Each picture of a batch as the crops that videos are searched by, ``(crops, dimension)``."""
        maps = method.maps(stacked([self._kept.views[0][index] for index in batch]))
        pooled = pooled_crops(maps.float().permute(0, 2, 3, 1).cpu().numpy())
        return zip(batch, method.embedded(torch.from_numpy(pooled).to(method.device)).float().cpu(), strict=True)

    def ranks(self, towers: LearningTowers, answers: Iterable[Seen]) -> Iterator[tuple[str, Ranks]]:
        """By set and by what is found (``flickr8k/pictures``): clips by all of their frames, and by their first."""
        seen = dict(answers)
        for name, held in self._held.items():
            clips: dict[str, list[int]] = {}
            for index in held.tolist():
                clips.setdefault(self._kept.pictures[index].id, []).append(index)
            written = [self._kept.texts[own[0]].tolist() for own in clips.values()]
            asked = [text for own in written for text in own]
            parts = [asked[at : at + _SENTENCES] for at in range(0, len(asked), _SENTENCES)]
            read = [towers.vectors(sentences_of(self._kept.hidden, part)).float().cpu() for part in parts]
            vectors = torch.cat(read)
            # A picture is as similar as the best of its crops.
            frames = {index: (vectors @ seen[index].T).amax(dim=1) for index in held.tolist()}
            owners = np.repeat(np.arange(len(written)), [len(own) for own in written])
            whole = torch.stack([torch.stack([frames[i] for i in own]).mean(dim=0) for own in clips.values()], dim=1)
            for what, ranks in retrieval_ranks(whole.numpy(), owners).items():
                yield f"{name}/{what}", ranks
            if len(clips) < len(held):
                first = torch.stack([frames[own[0]] for own in clips.values()], dim=1)
                for what, ranks in retrieval_ranks(first.numpy(), owners).items():
                    yield f"{name}/one-frame/{what}", ranks

    def metrics(self, method: LearningTowers, answers: Iterable[Seen]) -> dict[str, float]:
        """All ranks' metrics, and the headline."""
        found = {name: ranks.metrics() for name, ranks in self.ranks(method, answers)}
        headline = float(np.mean([found[f"{name}/pictures"][HEADLINE] for name in self._held]))
        details = {f"{name}/{key}": value for name, own in found.items() for key, value in own.items()}
        return {HEADLINE: headline, **details}
