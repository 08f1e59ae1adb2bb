from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from asst import InputError
from asst.nn.config import ASSTConfig


def test_it_goes_through_json_and_back(small: Callable[..., ASSTConfig]) -> None:
    config = small(head="action", classes=20, feeding="none", dropout=0.1)
    assert ASSTConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert ASSTConfig.from_dict({"feature_channels": 7}) == ASSTConfig(feature_channels=7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature_channels": 0}, "feature_channels: Input should be greater than or equal to 1, not 0"),
        ({"channels": 5.0}, "channels: Input should be a valid integer, not 5.0"),
        ({"levels": True}, "levels: Input should be a valid integer, not True"),
        ({"dropout": "0.2"}, "dropout: Input should be a valid number, not '0.2'"),
        ({"dropout": 1.0}, "dropout: Input should be less than 1, not 1.0"),
        ({"input_dropout": -0.1}, "input_dropout: Input should be greater than or equal to 0, not -0.1"),
        ({"endpoint_feature": 1}, "endpoint_feature: Input should be a valid boolean, not 1"),
        ({"feeding": "first"}, "feeding: Input should be 'none', 'final', 'last_dilation', 'first_dilation' or "),
        ({"head": "rank"}, "head: Input should be 'detection', 'classification' or 'action', not 'rank'"),
        ({"language_channels": 5}, "language_channels must be even, one half a direction, not 5"),
        ({"steps": 18}, "steps must be a multiple of 4 for 2 squeezing layers, not 18"),
        (
            {"levels": 20},
            "levels and dilation_layers must be at most 5 and per_length 16 for 16 steps, not 20",
        ),
        ({"dilation_layers": 40}, "levels and dilation_layers must be at most"),
        ({"per_length": 1e9}, "levels and dilation_layers must be at most"),
        ({"per_length": 0.5}, "per_length: Input should be greater than or equal to 1, not 0.5"),
        ({"classes": 3}, "classes must be positive for head 'action' and 0 otherwise, not 3"),
        ({"head": "action"}, "classes must be positive for head 'action' and 0 otherwise, not 0"),
        ({"colour": 1}, "colour: no such setting; there are attention_channels, "),
    ],
)
def test_what_no_network_can_have_is_refused(
    small: Callable[..., ASSTConfig], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        small(**changes)
    assert str(refusal.value).startswith(f"the network: {message}")
    assert "\n" not in str(refusal.value)


def test_the_feature_size_has_no_default() -> None:
    with pytest.raises(InputError, match="feature_channels: Field required"):
        ASSTConfig.from_dict({})
