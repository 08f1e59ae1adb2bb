"""Typed settings: what they take, what they refuse, and that JSON keeps them."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from asst.errors import InputError
from asst.settings import Natural, Numbers, Positive, Settings


class Oven(Settings):
    trays: Positive
    lamps: Natural = 0
    heat: float = 180.0
    fan: bool = True
    kind: Literal["gas", "electric"] = "gas"
    times: Numbers = ()


def test_they_go_through_json_and_back() -> None:
    oven = Oven(trays=2, heat=200, times=(1.0, 2.5), kind="electric")
    assert Oven.from_dict(json.loads(json.dumps(oven.to_dict()))) == oven
    assert oven.to_dict()["times"] == [1.0, 2.5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "trays: Field required"),
        ({"trays": 0}, "trays: Input should be greater than or equal to 1, not 0"),
        ({"trays": 1, "lamps": -1}, "lamps: Input should be greater than or equal to 0, not -1"),
        ({"trays": 1.0}, "trays: Input should be a valid integer, not 1.0"),
        ({"trays": True}, "trays: Input should be a valid integer, not True"),
        ({"trays": 1, "heat": "hot"}, "heat: Input should be a valid number, not 'hot'"),
        ({"trays": 1, "fan": 1}, "fan: Input should be a valid boolean, not 1"),
        ({"trays": 1, "kind": "wood"}, "kind: Input should be 'gas' or 'electric', not 'wood'"),
        ({"trays": 1, "times": [1, "x"]}, "times.1: Input should be a valid number, not 'x'"),
        ({"trays": 1, "times": 3}, "times: Input should be a valid tuple, not 3"),
        ({"trays": 1, "door": 1}, "door: no such setting; there are fan, heat, kind, lamps, times, trays"),
        ({"trays": 0, "lamps": -1}, "trays: Input should be greater than or equal to 1, not 0 (and 1 more)"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        Oven.from_dict(values, "the oven")
    assert str(refused.value) == f"the oven: {message}"
