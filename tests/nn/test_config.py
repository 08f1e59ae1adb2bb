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
        ({"feature_channels": 0}, "feature_channels must be at least 1, not 0"),
        ({"channels": 5.0}, "channels must be a whole number, not 5.0"),
        ({"levels": True}, "levels must be a whole number, not True"),
        ({"dropout": "0.2"}, "dropout must be a number, not '0.2'"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1, not 1.0"),
        ({"input_dropout": -0.1}, "input_dropout must be at least 0 and below 1, not -0.1"),
        ({"endpoint_feature": 1}, "endpoint_feature must be true or false, not 1"),
        (
            {"feeding": "first"},
            "feeding must be one of none, final, last_dilation, first_dilation, multiple, not 'first'",
        ),
        ({"head": "rank"}, "head must be one of detection, classification, action, not 'rank'"),
        ({"language_channels": 5}, "language_channels must be even, one half a direction, not 5"),
        ({"steps": 18}, "steps must be a multiple of 4 for 2 squeezing layers, not 18"),
        ({"per_length": 0.5}, "per_length must be at least 1, not 0.5"),
        ({"classes": 3}, "classes must be positive for head 'action' and 0 otherwise, not 3"),
        ({"head": "action"}, "classes must be positive for head 'action' and 0 otherwise, not 0"),
        ({"colour": 1, "beta": 2}, "unknown setting beta, colour; the network has "),
    ],
)
def test_what_no_network_can_have_is_refused(
    small: Callable[..., ASSTConfig], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refusal:
        small(**changes)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


def test_the_feature_size_has_no_default() -> None:
    with pytest.raises(InputError, match="feature_channels is missing"):
        ASSTConfig.from_dict({})
