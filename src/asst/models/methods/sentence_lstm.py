"""A sentence as one vector: the last state of an LSTM over its words, as MCN, CTRL and 2D-TAN read it."""

from __future__ import annotations

from torch import Tensor, nn


class SentenceLSTM(nn.Module):
    """Reads words in order, in several layers; padding comes after the state that is taken."""

    def __init__(self, word_channels: int, channels: int, layers: int = 1) -> None:
        super().__init__()
        self.lstm = nn.LSTM(word_channels, channels, layers, batch_first=True)

    def forward(self, words: Tensor, word_mask: Tensor) -> Tensor:
        """The state after each sentence's last word, ``(batch, channels)``."""
        states, _ = self.lstm(words)
        last = (word_mask.sum(dim=1) - 1).view(-1, 1, 1).expand(-1, 1, states.shape[2])
        state: Tensor = states.gather(1, last).squeeze(1)
        return state
