"""Makes ``src/asst/library/basis.npy``, what libraries of the packaged space are kept in; run it for a new space.

Run: ``python scripts/build_basis.py``.
"""

from __future__ import annotations

import numpy as np

from asst.library.engine import BASIS, principal
from asst.models.zeroshot.model import SimilarityModel


def main() -> None:
    """Write it."""
    np.save(BASIS, principal(SimilarityModel().reader.sentences.glosses))


if __name__ == "__main__":
    main()
