"""A sentence as one vector: the last state of an LSTM over its words, as MCN and CTRL read it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence


class SentenceLSTM(nn.Module):
    """Reads words in order; padding never enters the recurrence.

    Args:
        word_channels: width of a word vector.
        channels: width of the state.
    """

    def __init__(self, word_channels: int, channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(word_channels, channels, batch_first=True)

    def forward(self, words: Tensor, word_mask: Tensor) -> Tensor:
        """The state after each sentence's last word.

        Args:
            words: shape ``(batch, words, word_channels)``.
            word_mask: true for a real word, at least one a sentence; those come first, shape ``(batch, words)``.

        Returns:
            Shape ``(batch, channels)``.
        """
        lengths = word_mask.sum(dim=1).cpu()
        packed = pack_padded_sequence(words, lengths, batch_first=True, enforce_sorted=False)
        _, (state, _) = self.lstm(packed)
        last: Tensor = state[-1]
        return last
