"""Colours by name: what the names of the web's colours say, and shares."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageColor

from asst.features.zeroshot.colours import COLOURS, colour_shares

# Colours of CSS that nobody would call otherwise.
KNOWN = {
    "black": ["black", "#0a0a0c"],
    "white": ["white", "snow", "whitesmoke"],
    "grey": ["gray", "dimgray", "darkgray"],
    "red": ["red", "firebrick", "crimson", "darkred"],
    "orange": ["orange", "darkorange"],
    "yellow": ["yellow", "gold", "khaki"],
    "green": ["green", "lime", "forestgreen", "darkgreen", "seagreen", "yellowgreen"],
    "blue": ["blue", "navy", "royalblue", "skyblue", "steelblue", "mediumblue"],
    "purple": ["purple", "darkviolet", "darkmagenta"],
    "pink": ["pink", "hotpink", "lightpink", "palevioletred"],
    "brown": ["saddlebrown", "sienna", "#5c4033"],
}


@pytest.mark.parametrize("name", COLOURS)
def test_colours_have_the_names_that_people_give_them(name: str) -> None:
    rgb = np.array([ImageColor.getrgb(css)[:3] for css in KNOWN[name]], dtype=np.uint8)
    shares = colour_shares(rgb[:, None, None])
    assert [COLOURS[i] for i in shares.argmax(axis=1)] == [name] * len(rgb)
    assert (shares.max(axis=1) == 1).all()


def test_shares_are_of_each_picture() -> None:
    pictures = np.zeros((2, 4, 6, 3), dtype=np.uint8)
    pictures[0, :, :3] = 255
    pictures[1, :1] = (255, 0, 0)
    shares = colour_shares(pictures)
    found = [{COLOURS[i]: round(float(share), 3) for i, share in enumerate(row) if share} for row in shares]
    assert found == [{"black": 0.5, "white": 0.5}, {"black": 0.75, "red": 0.25}]
