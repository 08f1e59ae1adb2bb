"""The language subnet: words in the context of their sentence (section 3.2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from asst.errors import InputError
from asst.nn.config import ASSTConfig
from asst.nn.dropout import Dropout


class LanguageSubnet(nn.Module):
    """Word vectors to ``w^p``: a kernel-1 convolution with GLU (equation 3), then stacked biLSTMs (equation 2).

    The convolution brings the word vectors to the width of the LSTM, each direction of which has half of it, so that
    the shortcut of equation 2 is an identity. Padding never enters a recurrence.
    """

    def __init__(self, config: ASSTConfig) -> None:
        super().__init__()
        width = config.language_channels
        self.projection = nn.Linear(config.word_channels, 2 * width)
        self.layers = nn.ModuleList(
            nn.LSTM(width, width // 2, batch_first=True, bidirectional=True) for _ in range(config.lstm_layers)
        )
        self.dropout = Dropout(config.dropout)

    def forward(self, words: Tensor, word_mask: Tensor) -> Tensor:
        """Read a batch of sentences.

        Args:
            words: word vectors, shape ``(batch, words, word_channels)``; what stands at padding is ignored.
            word_mask: true for a real word; those come first, shape ``(batch, words)``.

        Returns:
            ``w^p``, shape ``(batch, words, language_channels)``, zero at padding.

        Raises:
            InputError: for a sentence without a word, by its place in the batch.
        """
        lengths = word_mask.sum(dim=1).cpu()
        if not lengths.all():
            raise InputError(f"sentence {int(lengths.argmin())} of the batch has no word; leave empty queries out")
        padding = ~word_mask[:, :, None]
        w = functional.glu(self.projection(words.masked_fill(padding, 0))).masked_fill(padding, 0)
        for lstm in self.layers:
            packed = pack_padded_sequence(w, lengths, batch_first=True, enforce_sorted=False)
            context, _ = pad_packed_sequence(lstm(packed)[0], batch_first=True, total_length=words.shape[1])
            w = context + w
        out: Tensor = self.dropout(w)
        return out
