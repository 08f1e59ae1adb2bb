"""PyAV, which is imported when it is first used: it takes a fifth of a second, and few commands decode."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av
    import av.container
    import av.filter
    import av.sidedata.sidedata
    import av.stream
    import av.video.reformatter
else:

    class _Late:
        def __getattr__(self, name: str) -> Any:
            return getattr(import_module("av"), name)

    av = _Late()

__all__ = ["av"]
