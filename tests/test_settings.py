"""Typed settings: what they take, what they refuse, and that JSON keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from asst.errors import InputError
from asst.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Oven(Settings):
    trays: int
    lamps: int = field(default=0, metadata={"least": 0})
    heat: float = 180.0
    fan: bool = True
    kind: Literal["gas", "electric"] = "gas"
    times: tuple[float, ...] = ()


def test_they_go_through_json_and_back() -> None:
    oven = Oven(trays=2, heat=200, times=(1.0, 2.5), kind="electric")
    assert Oven.from_dict(json.loads(json.dumps(oven.to_dict()))) == oven
    assert oven.to_dict()["times"] == [1.0, 2.5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "trays is missing: the oven needs trays"),
        ({"trays": 0}, "trays must be at least 1, not 0"),
        ({"trays": 1, "lamps": -1}, "lamps must be at least 0, not -1"),
        ({"trays": 1.0}, "trays must be a whole number, not 1.0"),
        ({"trays": True}, "trays must be a whole number, not True"),
        ({"trays": 1, "heat": "hot"}, "heat must be a number, not 'hot'"),
        ({"trays": 1, "fan": 1}, "fan must be true or false, not 1"),
        ({"trays": 1, "kind": "wood"}, "kind must be one of gas, electric, not 'wood'"),
        ({"trays": 1, "times": [1, "x"]}, "times must be a list of numbers, not (1, 'x')"),
        ({"trays": 1, "times": 3}, "times must be a list of numbers, not 3"),
        ({"trays": 1, "door": 1}, "unknown setting door; the oven has fan, heat, kind, lamps, times, trays"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        Oven.from_dict(values, "the oven")
    assert str(refused.value) == message
