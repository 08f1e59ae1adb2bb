"""A clip on a full disk: one line, and nothing is left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from asst.errors import WriteError
from asst.video import cut


@pytest.mark.parametrize("exact", [True, False])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exact: bool
) -> None:
    video = make("a.mp4")

    def full(*_: object) -> None:
        raise av.error.OSError(28, "No space left on device", "a")

    # The name in the package is the function's.
    for name in ("encode", "_copy"):
        monkeypatch.setattr(sys.modules["asst.video.cut"], name, full)
    with pytest.raises(WriteError, match="No space left on device; free space or name another folder") as told:
        cut(video, 0.5, 1.0, tmp_path / "c.mp4", exact=exact)
    assert str(told.value).startswith(f"cannot write {tmp_path / 'c.mp4'}: ")
    assert list(tmp_path.iterdir()) == []
