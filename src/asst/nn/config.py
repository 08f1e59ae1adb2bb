"""The sizes and choices of an ASST: one value, checked when made, that a checkpoint and a recipe can hold."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from asst.settings import Fraction, Natural, Positive, Settings

Feeding = Literal["none", "final", "last_dilation", "first_dilation", "multiple"]
Head = Literal["detection", "classification", "action"]
AttentionScale = Literal["width", "root", "learnt"]


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
    """

    feature_channels: Positive
    word_channels: Positive = 300
    dilation_layers: Positive = 4
    squeezing_layers: Positive = 6
    dilation_channels: Positive = 1024
    channels: Positive = 512
    language_channels: Positive = 512
    lstm_layers: Positive = 1
    attention_channels: Positive = 512
    attention_scale: AttentionScale = "width"
    feeding: Feeding = "multiple"
    head: Head = "detection"
    classes: Natural = 0
    steps: Positive = 128
    levels: Positive = 6
    per_length: Annotated[float, Field(ge=1)] = 4
    pieces: Positive = 6
    endpoint_feature: bool = False
    standardize: bool = False
    input_dropout: Fraction = 0.5
    dropout: Fraction = 0.2

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.language_channels % 2:
            raise ValueError(f"language_channels must be even, one half a direction, not {self.language_channels}")
        if self.steps % 2**self.squeezing_layers:
            raise ValueError(
                f"steps must be a multiple of {2**self.squeezing_layers} for {self.squeezing_layers} squeezing layers, "
                f"not {self.steps}"
            )
        # Beyond these a clip is shorter than a step, and taps of a convolution lie outside the window.
        most, grid = self.steps.bit_length(), self.head != "classification"
        if self.dilation_layers > most or (grid and (self.levels > most or self.per_length > self.steps)):
            raise ValueError(
                f"levels and dilation_layers must be at most {most} and per_length {self.steps} for {self.steps} "
                f"steps, not {self.levels}, {self.dilation_layers} and {self.per_length:g}"
            )
        if (self.head == "action") != (self.classes > 0):
            raise ValueError(f"classes must be positive for head 'action' and 0 otherwise, not {self.classes}")
        return self

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
