"""Cross-modal attention: every step of a video looks at every word of the sentence (section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from asst.nn.config import AttentionScale


class CrossModalAttention(nn.Module):
    """Equations 4 to 6: the words, weighed anew for each step, scale that step's feature map.

    The kernel-1 convolutions of the paper act on one word or one step alone, so they are linear maps. Those of language
    end in a GLU (equation 3).

    Args:
        visual_channels: width of ``v``, and so of ``w^v`` and ``u``.
        language_channels: width of ``w^p``.
        attention_channels: ``d_a``, the width of ``w^a`` and ``v^a``.
        scale: what their products are divided by, as `asst.nn.config.ASSTConfig` has it.
    """

    factor: float | nn.Parameter

    def __init__(
        self, visual_channels: int, language_channels: int, attention_channels: int, scale: AttentionScale = "width"
    ) -> None:
        super().__init__()
        root = attention_channels**-0.5
        self.factor = nn.Parameter(torch.tensor(root)) if scale == "learnt" else root if scale == "root" else root**2
        self.word_key = nn.Linear(language_channels, 2 * attention_channels)
        self.word_value = nn.Linear(language_channels, 2 * visual_channels)
        self.step_query = nn.Linear(visual_channels, attention_channels)

    def forward(self, v: Tensor, words: Tensor, word_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Fuse one visual layer with the sentence.

        Args:
            v: the layer after its temporal convolution, shape ``(batch, steps, visual_channels)``.
            words: ``w^p``, shape ``(batch, words, language_channels)``.
            word_mask: true for a real word, at least one a sentence, shape ``(batch, words)``.

        Returns:
            ``u`` of equation 6, shape ``(batch, steps, visual_channels)``, and ``A`` of equation 4, shape
            ``(batch, words, steps)``: one over the real words at each step, zero at padding.
        """
        w_a = functional.glu(self.word_key(words))
        w_v = functional.glu(self.word_value(words))
        v_a = self.step_query(v)
        scores = (w_a * self.factor) @ v_a.transpose(-2, -1)
        a = scores.masked_fill(~word_mask[:, :, None], float("-inf")).softmax(dim=1)
        attended = a.transpose(-2, -1) @ w_v
        return attended * v, a


def relative_entropy(attention: Mapping[str, Tensor], word_mask: Tensor, feature_mask: Tensor) -> Tensor:
    """How evenly steps look at words: one where every word counts alike, zero where each step looks at one.

    ``attention`` has the weights of each layer, ``(batch, words, steps of the layer)``, which divide the steps of the
    mask. Gives the entropy over its maximum, a scalar: the mean over the real steps of sentences with several words,
    then over layers.
    """
    words = word_mask.sum(dim=1)
    most = words.clamp(min=2).log()[:, None]
    found = []
    for weights in attention.values():
        real = feature_mask.view(*weights.shape[::2], -1).any(dim=2) & (words > 1)[:, None]
        entropy = torch.special.entr(weights.detach().float()).sum(dim=1) / most
        found.append((entropy * real).sum() / real.sum().clamp(min=1))
    return torch.stack(found).mean()
