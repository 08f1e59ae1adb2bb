"""Numbers of 16 bits made numbers of 32: what is kept small on disk, for products."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# The exponent of 16 bits begins 112 lower than that of 32, whose fraction is 13 bits longer.
_LOWER = np.float32(2.0**112)
_LONGER = 13
# Of a shifted number: the sign, the exponent of 16 bits and the fraction.
_KEPT = np.int32(-0x70000001)


def widened(numbers: npt.NDArray[np.float16] | npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The same finite numbers, of the same shape; several times as fast as ``astype``."""
    if numbers.dtype != np.float16:
        return numbers.astype(np.float32)
    bits = numbers.view(np.int16).astype(np.int32)
    bits <<= _LONGER
    bits &= _KEPT
    wide = bits.view(np.float32)
    wide *= _LOWER
    return wide
