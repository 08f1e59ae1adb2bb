"""Features in memory as far as they fit, and the others where they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asst.data.held import HeldStore
from asst.features.store import Store, require
from asst.features.values import Features


def test_videos_that_do_not_fit_are_there_still(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for index in range(4):
        store.write(f"v{index}", Features(np.full((5, 2), index, dtype=np.float32), 0.0, 1.0, "toy"))
    held = HeldStore(store, store.videos(), 2 * 5 * 2 * 4)
    assert held.held_bytes == 2 * 5 * 2 * 4
    require(held, store.videos())
    assert "absent" not in held
    assert [held.read(video).vectors[0, 0] for video in held.videos()] == [0, 1, 2, 3]
