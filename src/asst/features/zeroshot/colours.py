"""Which colours a frame shows, by the names that people give them.

The names are the eleven basic colour terms of English (Berlin and Kay 1969). A pixel has the one whose range of
lightness, chroma and hue in CIELAB it falls into.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from asst.moments import Float32Array, FloatArray, IntArray
from asst.video.picture import Pixels

COLOURS = ("black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
# Bits of each of red, green and blue that the table of names tells apart.
_BITS = 5
# Of CIELAB: below this chroma a colour has no hue, and below the other a dark one; plain colours by lightness.
_GREY_CHROMA, _DARK_CHROMA = 12.0, 25.0
_DARK, _BLACK, _WHITE = 16.0, 25.0, 75.0
# Where each hue ends, in degrees of CIELAB, and its name; red goes on beyond the last.
_HUES = ((45.0, "red"), (80.0, "orange"), (113.0, "yellow"), (180.0, "green"), (312.0, "blue"), (340.0, "purple"))
# Light reds and purples are pink, dark oranges brown.
_PINK_LIGHTNESS, _BROWN_LIGHTNESS = 60.0, 57.0


def colour_shares(pixels: Pixels) -> Float32Array:
    """The share of each colour in RGB frames ``(frames, height, width, 3)``, shape ``(frames, len(COLOURS))``."""
    red, green, blue = np.moveaxis((pixels >> (8 - _BITS)).astype(np.int32), -1, 0)
    names = _table()[(red << 2 * _BITS) | (green << _BITS) | blue].reshape(len(pixels), -1)
    counts = [np.bincount(row, minlength=len(COLOURS)) for row in names]
    shares: Float32Array = (np.stack(counts) / names.shape[1]).astype(np.float32)
    return shares


@cache
def _table() -> IntArray:
    """The colour of each quantised RGB, red slowest."""
    levels = (np.arange(2**_BITS) + 0.5) * 2.0 ** (8 - _BITS)
    rgb = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    lightness, chroma, hue = _lightness_chroma_hue(rgb)
    names = np.full(len(rgb), "red", dtype="<U6")
    for end, name in reversed(_HUES):
        names[hue < end] = name
    light = np.isin(names, ["red", "purple"]) & (lightness > _PINK_LIGHTNESS)
    names[light] = "pink"
    names[(names == "orange") & (lightness < _BROWN_LIGHTNESS)] = "brown"
    plain = (chroma < _GREY_CHROMA) | ((lightness < _DARK) & (chroma < _DARK_CHROMA))
    names[plain] = "grey"
    names[plain & (lightness < _BLACK)] = "black"
    names[plain & (lightness >= _WHITE)] = "white"
    return np.array([COLOURS.index(name) for name in names])


def _lightness_chroma_hue(rgb: FloatArray) -> tuple[FloatArray, ...]:
    """CIELAB of sRGB at the white of D65, as lightness, chroma and hue in degrees; each of shape ``(colours,)``."""
    values = rgb / 255
    linear = np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / to_xyz.sum(axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    a, b = 500 * (x - y), 200 * (y - z)
    return 116 * y - 16, np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
