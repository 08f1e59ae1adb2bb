"""The sizes and choices of an ASST: one value, checked when made, that a checkpoint and a recipe can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from asst.errors import InputError
from asst.settings import Settings

Feeding = Literal["none", "final", "last_dilation", "first_dilation", "multiple"]
Head = Literal["detection", "classification", "action"]
AttentionScale = Literal["width", "root", "learnt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ASSTConfig(Settings):
    """The architecture; the defaults are the paper's (section 4.2).

    Attributes:
        feature_channels: dimension of one step's visual feature.
        word_channels: dimension of one word vector.
        dilation_layers: dilated convolutions; layer ``i`` (from 0) has dilation ``2**i``.
        squeezing_layers: stride-2 convolutions, and as many expansions.
        dilation_channels: width of the dilation layers.
        channels: width of the squeezing and expansion layers and of the final representation.
        language_channels: width of the language subnet; half of it is one LSTM direction.
        lstm_layers: stacked biLSTM layers, ``p`` of equation 2.
        attention_channels: ``d_a`` of equation 4.
        attention_scale: what the products of equation 4 are divided by: ``width`` is ``d_a``, as printed, with which
            the weights stay all but uniform; ``root`` its square root; ``learnt`` begins there, and layers learn it.
        feeding: where language enters, a row of Tables 5 and 6; ``multiple`` is every dilation and squeezing layer.
        head: what is predicted for a clip: its presence and offsets (``detection``), one score to compare with the
            other clips' (``classification``), or one of ``classes`` actions and offsets (``action``, the appendix).
        classes: number of actions; zero for the other heads.
        steps: length of the observed window, in steps.
        levels: lengths of clip in the anchor grid (detection and action).
        per_length: steps that an anchor's own length is divided into (detection and action).
        pieces: equal pieces of the window whose runs are the clips (classification; six on DiDeMo).
        endpoint_feature: whether each step's start and end are given to the clip sampler (Table 7).
        standardize: whether each number of the features is brought to mean 0 and deviation 1 over the training videos,
            in front of dropout; the paper does not.
        input_dropout: share of the input features dropped.
        dropout: share dropped elsewhere: after every visual layer, after the language subnet and inside the clip
            sampler. The paper's 0.8 is read as the share kept.

    Raises:
        InputError: for a value that no network can have, naming it.
    """

    feature_channels: int
    word_channels: int = 300
    dilation_layers: int = 4
    squeezing_layers: int = 6
    dilation_channels: int = 1024
    channels: int = 512
    language_channels: int = 512
    lstm_layers: int = 1
    attention_channels: int = 512
    attention_scale: AttentionScale = "width"
    feeding: Feeding = "multiple"
    head: Head = "detection"
    classes: int = field(default=0, metadata={"least": 0})
    steps: int = 128
    levels: int = 6
    per_length: float = 4
    pieces: int = 6
    endpoint_feature: bool = False
    standardize: bool = False
    input_dropout: float = 0.5
    dropout: float = 0.2

    def __post_init__(self) -> None:
        # By name, as a class with slots is made anew and `super()` without arguments means the old one.
        Settings.__post_init__(self)
        for name in ("input_dropout", "dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 0 and below 1, not {getattr(self, name)}")
        if self.language_channels % 2:
            raise InputError(f"language_channels must be even, one half a direction, not {self.language_channels}")
        if self.steps % 2**self.squeezing_layers:
            raise InputError(
                f"steps must be a multiple of {2**self.squeezing_layers} for {self.squeezing_layers} squeezing layers, "
                f"not {self.steps}"
            )
        if self.per_length < 1:
            raise InputError(f"per_length must be at least 1, not {self.per_length}")
        if (self.head == "action") != (self.classes > 0):
            raise InputError(f"classes must be positive for head 'action' and 0 otherwise, not {self.classes}")

    @property
    def fed_layers(self) -> tuple[str, ...]:
        """Names of the layers that attend to words, in the order they run.

        >>> ASSTConfig(feature_channels=8, feeding="last_dilation").fed_layers
        ('dilation4',)
        """
        dilation = tuple(f"dilation{i + 1}" for i in range(self.dilation_layers))
        squeezing = tuple(f"squeezing{i + 1}" for i in range(self.squeezing_layers))
        return {
            "none": (),
            "final": ("final",),
            "last_dilation": dilation[-1:],
            "first_dilation": dilation[:1],
            "multiple": dilation + squeezing,
        }[self.feeding]
