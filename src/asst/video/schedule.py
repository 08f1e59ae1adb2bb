"""Which frames of a stream are worth decoding, told from the packets around them."""

from __future__ import annotations

import itertools
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from asst.video.pyav import av

# Frames are stored at most 16 places away from where they are shown (H.264, HEVC), so this many packets show the
# neighbour in time of the middle one.
_REORDER = 32
# A packet so many times as large as those around it is of a frame that little before it resembles.
_FRESH = 3


@dataclass(slots=True)
class Schedule:
    """What of a stream will be looked at; may change while it is read.

    Attributes:
        wanted: tells whether any instant of ``[pts, next_pts)`` will be looked at. Where it says no, a frame that no
            other refers to need not be decoded. ``None`` wants everything.
        changes: want also what is shown just before a frame that little before it resembles, so that none is missing
            where a shot ends.
    """

    wanted: Callable[[int, int], bool] | None = None
    changes: bool = False

    def of(self, packets: Iterable[av.Packet[Any]]) -> Iterator[tuple[av.Packet[Any], bool]]:
        """Packets in their order, and whether the frame in each is going to be looked at."""
        ahead: deque[av.Packet[Any]] = deque()
        around: list[int] = []
        passed: deque[tuple[int, int, bool]] = deque()
        bytes_around = 0
        for packet in itertools.chain(packets, itertools.repeat(None, _REORDER)):
            if packet is not None:
                ahead.append(packet)
                bytes_around += packet.size
                if packet.pts is not None and not packet.is_discard:
                    insort(around, packet.pts)
            if not ahead or (packet is not None and len(ahead) <= _REORDER):
                continue
            ready = ahead.popleft()
            if ready.pts is None or ready.is_discard:
                bytes_around -= ready.size
                yield ready, True
                continue
            yield ready, self.wanted is None or self._wants(ready.pts, around, passed)
            fresh = ready.is_keyframe or ready.size * (len(ahead) + len(passed) + 1) > _FRESH * bytes_around
            passed.append((ready.pts, ready.size, fresh))
            if len(passed) > _REORDER:
                pts, size, _ = passed.popleft()
                around.remove(pts)
                bytes_around -= size

    def _wants(self, pts: int, around: list[int], passed: Iterable[tuple[int, int, bool]]) -> bool:
        """Whether a frame is wanted, by when those around are shown and what is known of those stored before it."""
        after = bisect_right(around, pts)
        if after == len(around) or self.wanted is None or self.wanted(pts, around[after]):
            return True
        return self.changes and any(later > pts and fresh for later, _, fresh in passed)
