"""The reranker: ASST choosing among the proposals that a model without training found.

To a proposal's score, times a scale that is learnt, come ASST's logit for its clip (sections 3.1 to 3.3, with the
softmax over clips of the classification model) and a small network's for what is known of it besides. What it sees of a
video is not features but how well each step fits the sentence (`asst.models.reranker_inputs`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from asst.data.batch import Batch, ProposalBatch
from asst.errors import InputError
from asst.models.answers import ATTENTION
from asst.models.methods.base import Loss, Share, Trainable
from asst.models.reranker_inputs import FACTS, STEPS
from asst.nn.config import ASSTConfig
from asst.nn.losses import POSITIVE_IOU
from asst.nn.network import ASSTNetwork

_FACTS_WIDTH = 32


class RerankerSettings(ASSTConfig):
    """The network; its window and its head are the same in all."""

    steps: Annotated[int, Field(ge=STEPS, le=STEPS)] = STEPS
    head: Literal["classification"] = "classification"


class RerankerMethod(Trainable):
    """Chooses among the proposals of a batch."""

    relative = True

    _settings: RerankerSettings

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__()
        self._settings = RerankerSettings.from_dict(settings, "a reranker")
        self.network = ASSTNetwork(self._settings)
        self.scale = nn.Parameter(torch.ones(()))
        self.facts = nn.Sequential(nn.Linear(len(FACTS), _FACTS_WIDTH), nn.ReLU(), nn.Linear(_FACTS_WIDTH, 1))

    def loss(self, batch: Batch, share: Share) -> Loss:
        """Cross entropy with the overlaps of the proposals that hold the truth, as shares.

        Samples that bring no proposals with overlaps are an `InputError`.
        """
        given = _proposals(batch)
        if given.overlaps is None:
            raise InputError("these proposals have no known overlap with the truth; train on tapes")
        logits = self.logits(batch).masked_fill(~given.mask, torch.finfo(torch.float32).min)
        wanted = torch.where(given.overlaps >= POSITIVE_IOU, given.overlaps**2, 0) * given.mask
        # A truth that no proposal reaches is stood for by the nearest.
        nearest = functional.one_hot(given.overlaps.argmax(dim=1), wanted.shape[1])
        wanted = torch.where(wanted.sum(dim=1, keepdim=True) > 0, wanted, nearest)
        shares = wanted / wanted.sum(dim=1, keepdim=True)
        return Loss(functional.cross_entropy(logits, shares), {})

    def outputs(self, batch: Batch, *, attention: bool = False) -> dict[str, Tensor]:
        """Every proposal with its logit, on the scale of its score."""
        given = _proposals(batch)
        logits, found = self._run(batch, attention)
        weights = {f"{ATTENTION}{name}": own for name, own in (found or {}).items()}
        return {"spans": given.clips, "scores": logits / self.scale, "kept": given.mask, **weights}

    def logits(self, batch: Batch) -> Tensor:
        """Shape ``(batch, proposals)``, of 32 bits; what stands at padding means nothing."""
        return self._run(batch)[0]

    def _run(self, batch: Batch, attention: bool = False) -> tuple[Tensor, dict[str, Tensor] | None]:
        given = _proposals(batch)
        seen, said = (batch.features, batch.feature_mask), (batch.words, batch.word_mask)
        out = self.network(*seen, *said, attention, given.clips)
        learnt = out.logits[..., 0].float() + self.facts(given.facts)[..., 0].float()
        return self.scale.float() * given.facts[..., 0] + learnt, out.attention


def _proposals(batch: Batch) -> ProposalBatch:
    if batch.proposals is None:
        raise InputError("a reranker chooses among proposals, and these samples bring none; train on tapes")
    return batch.proposals
