"""Optical flow: how far each pixel moves from one frame to the next, by OpenCV (extra ``flow``).

TV-L1 (Zach, Pock and Bischof 2007) is what two-stream networks were trained on. OpenCV lets it go on for up to 300
iterations a warp; 30 give nearly the same (a fiftieth of a pixel apart at half of the pixels, a fifth on average). DIS
(Kroeger et al. 2016) is more than a hundred times as fast and far less exact where motion is large.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from asst.errors import InputError
from asst.extras import install, require
from asst.moments import Float32Array
from asst.video.picture import Pixels

Algorithm = Literal["tvl1", "dis"]

TVL1_ITERATIONS = 30
"""Iterations a warp at most, of five warps on each of five scales."""

BOUND = 20.0
"""Pixels of motion, beyond which it is clipped."""


class OpticalFlow:
    """One algorithm with its settings; an `InputError` when OpenCV, or its contributed part, is not installed.

    Attributes:
        settings: all that decides its numbers, fit for JSON.
        description: the same for people, in a few words.
    """

    def __init__(self, algorithm: Algorithm, iterations: int = TVL1_ITERATIONS) -> None:
        require("flow", "optical flow")
        import cv2

        self._cv2: Any = cv2
        try:
            self._make = self._maker(algorithm, iterations)
        except AttributeError as error:
            raise InputError(f"optical flow needs OpenCV's contributed part; run: {install('flow')}") from error
        self.settings: dict[str, object] = {"algorithm": algorithm}
        self.description = "DIS"
        if algorithm == "tvl1":
            self.settings["iterations"] = iterations
            self.description = f"TV-L1 of at most {iterations} iterations"

    def _maker(self, algorithm: Algorithm, iterations: int) -> Callable[[], Any]:
        if algorithm == "dis":
            return lambda: self._cv2.DISOpticalFlow.create(self._cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        create = self._cv2.optflow.DualTVL1OpticalFlow_create
        # The keyword's odd spelling is OpenCV's.
        return lambda: create(outerIterations=1, innnerIterations=iterations)

    def fields(self, pictures: Sequence[Pixels]) -> list[Float32Array]:
        """Pixels of motion right and down, ``(height, width, 2)``, from each RGB frame to the next."""
        # An OpenCV object holds buffers, which threads must not share.
        flow = self._make()
        greys: list[Pixels] = [self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2GRAY) for picture in pictures]
        return [
            flow.calc(first, second, None)
            if first.shape == second.shape
            else np.zeros((*first.shape, 2), dtype=np.float32)
            for first, second in pairwise(greys)
        ]


def quantised(fields: Float32Array) -> Pixels:
    """Motion in pixels as bytes, the way two-stream networks are given it: -20 is 0, none is 128, 20 is 255.

    >>> quantised(np.array([-99.0, -20.0, 0.0, 10.0, 20.0], dtype=np.float32)).tolist()
    [0, 0, 128, 191, 255]
    """
    scaled = (np.clip(fields, -BOUND, BOUND) + BOUND) * (255 / (2 * BOUND))
    levels: Pixels = np.rint(scaled).astype(np.uint8)
    return levels
