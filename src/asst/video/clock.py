"""The clock of a transport or program stream, which may begin anew where recordings were joined, dropped or resumed.

At such a seam the clock goes on as ffmpeg lets it: a packet's decoding time that lies more than ten seconds from where
it is due, or a tenth of a second before the last one's, is taken to be due, and all that follow move as far.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from asst.video.pyav import av

_JUMP_S = 10
_BACK_S = Fraction(1, 10)
_FORMATS = frozenset({"mpeg", "mpegts"})
# Key packets closer than this to the last one are left out of an index.
_KEY_EVERY_S = Fraction(1, 4)
# Reading begins so many places before a key packet's own, so that times are there when it comes.
_PLACES_BACK = 3


def may_begin_anew(container: av.container.InputContainer) -> bool:
    """Whether a file of this format may have seams; such formats have no index either."""
    return container.format.name in _FORMATS


class Clock:
    """Brings one stream's packets onto one clock; one that does not say how long it lasts has a frame's length.

    Attributes:
        offset: what is added to stored times, in ticks.
        damaged: how many packets had a time far from those of both their neighbours.
    """

    def __init__(self, time_base: Fraction, frame_ticks: int, offset: int = 0) -> None:
        self.offset = offset
        self.damaged = 0
        self._jump, self._back = int(_JUMP_S / time_base), int(_BACK_S / time_base)
        self._frame_ticks = frame_ticks
        self._last: int | None = None
        self._due = 0

    def running(self, packets: Iterable[av.Packet[Any]]) -> Iterator[av.Packet[Any]]:
        """The same packets, their times changed in place."""
        before: av.Packet[Any] | None = None
        for packet in packets:
            if before is not None:
                yield self._set(before, packet.dts)
            before = packet
        if before is not None:
            yield self._set(before, None)

    def _set(self, packet: av.Packet[Any], following: int | None) -> av.Packet[Any]:
        moved, stored = self.offset, packet.dts
        if stored is not None:
            moved += self._off(stored)
            if moved != self.offset and following is not None and not self._off(following):
                self.damaged += 1
            else:
                self.offset = moved
            packet.dts = self._last = stored + moved
            self._due = self._last + (packet.duration or self._frame_ticks)
        if packet.pts is not None:
            # At a seam the time of the frame after it may be given to the one before it.
            far = stored is not None and abs(packet.pts - stored) > self._jump
            packet.pts = None if far else packet.pts + moved
        return packet

    def _off(self, stored: int) -> int:
        """How far from where it is due a stored decoding time lies; zero where it may be right."""
        at = stored + self.offset
        if self._last is None or (abs(at - self._due) <= self._jump and at + self._back >= self._last):
            return 0
        return self._due - at


@dataclass(slots=True)
class Index:
    """What reading all packets of a file tells, where the file has no index of its own.

    Attributes:
        end: where the frame that is shown last ends, in ticks of the running clock; None without a packet.
        stretches: where in the file each stretch between seams begins, and what is added to its stored times.
    """

    end: int | None = None
    stretches: list[tuple[int, int]] = field(default_factory=list)
    _known: deque[tuple[int, int]] = field(default_factory=lambda: deque([(0, 0)], maxlen=_PLACES_BACK))
    _times: array[int] = field(default_factory=lambda: array("q"))
    _places: array[int] = field(default_factory=lambda: array("q"))
    _offsets: array[int] = field(default_factory=lambda: array("q"))

    def add(self, packet: av.Packet[Any], offset: int, lasts: int) -> None:
        """Take in the next packet: its time on the running clock, what was added to that, how long it is shown."""
        shown = packet.pts if packet.pts is not None else packet.dts
        if shown is None or packet.is_discard:
            return
        self.end = max(self.end or shown, shown + lasts)
        # A program stream tells the place of some packets only, and times a little after any place.
        if packet.pos is not None and packet.pos != self._known[-1][0]:
            self._known.append((packet.pos, offset))
        if not self.stretches or self.stretches[-1][1] != offset:
            self.stretches.append((self._known[-1][0], offset))
        apart = int(_KEY_EVERY_S / packet.time_base)
        if packet.is_keyframe and (not self._times or shown >= self._times[-1] + apart):
            self._times.append(shown)
            self._places.append(self._known[0][0])
            self._offsets.append(self._known[0][1])

    def key_before(self, tick: int) -> tuple[int, int, int] | None:
        """Of the last key packet at or before a tick: its tick, a place before it, and what is added to times there."""
        at = bisect_right(self._times, tick) - 1
        return None if at < 0 else (self._times[at], self._places[at], self._offsets[at])

    def offset_near(self, place: int, stored: int, due: int) -> int:
        """What is added to a stored time of another stream, whose packets lie about those of the video.

        Of the stretches at a place in the file and beside it the one counts by which the packet is most nearly due.
        """
        at = bisect_right(self.stretches, place, key=lambda stretch: stretch[0])
        near = self.stretches[max(0, at - 2) : at + 1]
        return min((offset for _, offset in near), key=lambda offset: abs(stored + offset - due), default=0)
