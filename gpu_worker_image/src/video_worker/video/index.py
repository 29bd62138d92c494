"""The index of a video track: every packet and every shown picture, found by demuxing without decoding."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple

SEGMENT_PACKETS = 240
"""Decoding can start at key pictures that are at least so many packets apart."""

MAX_LEADING = 16
"""Most pictures that come after a key picture in the file and are shown before it."""

_MICROSECONDS = 1_000_000


class PacketRecord(NamedTuple):
    """One packet of the track. Times are in ticks of the track.

    Attributes
    ----------
    is_discarded
        Whether an edit list leaves its picture out.
    is_reset
        Whether it is a key picture that resets the decoder.
    position
        Where it is in the file, if that is known.
    """

    pts: int | None
    dts: int | None
    size: int
    duration: int
    is_discarded: bool
    is_reset: bool
    position: int | None = None

    def is_same(self, other: PacketRecord) -> bool:
        """Whether another pass over the file has come to this packet again."""
        return self[:3] == other[:3] and self.is_discarded == other.is_discarded


@dataclass(frozen=True, slots=True)
class Segment:
    """Packets that are decoded on their own.

    Attributes
    ----------
    packets
        Their numbers. The last ones may be the first of the next segment too: its key picture, and pictures
        that come after it in the file but are shown before it, and refer to both sides (open GOP).
    pictures
        The indexes of the pictures that they give.
    """

    packets: range
    pictures: range


class VideoIndex:
    """The pictures of a track in the order of display.

    Parameters
    ----------
    begin
        Pictures with an earlier timestamp are not shown.

    Attributes
    ----------
    is_exact
        Whether each shown packet has a timestamp of its own, by which its picture is found again.
    segments
        Where decoding can start: pictures of a segment depend on its packets alone.
    """

    def __init__(
        self, packets: Sequence[PacketRecord], time_base: Fraction, begin: int | None = None
    ) -> None:
        self.packets = packets
        self._time_base = time_base
        self._us_a_tick = time_base * _MICROSECONDS
        self._begin = begin
        shown = [record for record in packets if self._is_shown(record)]
        self._pts = sorted({record.pts for record in shown if record.pts is not None})
        self.is_exact = len(self._pts) == len(shown)
        self._numbers = {pts: number for number, pts in enumerate(self._pts)}
        self.segments = self._cut() if self.is_exact else ()

    def __len__(self) -> int:
        return len(self._pts)

    def without_dangling(self, decoded: set[int]) -> VideoIndex:
        """The index without pictures that refer to ones before the file's first one.

        They are left where a file was cut from a longer one: shown before the first key picture, and before
        any picture that can be decoded. ``decoded`` are the timestamps of the first pictures that can.
        """
        key = self.packets[0].pts
        if key is None or not decoded:
            return self
        begin = min(decoded | {key})
        return (
            self
            if not self._pts or self._pts[0] >= begin
            else VideoIndex(self.packets, self._time_base, begin)
        )

    def _is_shown(self, record: PacketRecord) -> bool:
        is_dangling = self._begin is not None and record.pts is not None and record.pts < self._begin
        return not (record.is_discarded or is_dangling)

    def number_of(self, pts: int | None) -> int | None:
        """The index of the picture with this timestamp; None if no such picture is shown."""
        return None if pts is None else self._numbers.get(pts)

    def time_us(self, index: int) -> int:
        """When a picture is shown, in microseconds from the first one on."""
        return self.microseconds(self._pts[index] - self._pts[0])

    @property
    def first_us(self) -> int:
        """When the first picture is shown, in microseconds of the movie."""
        return self.microseconds(self._pts[0]) if self._pts else 0

    @property
    def duration_us(self) -> int:
        """From the first picture's start to the last one's end."""
        if not self._pts:
            return 0
        last = next(
            record for record in self.packets if self._is_shown(record) and record.pts == self._pts[-1]
        )
        steps = [later - earlier for earlier, later in pairwise(self._pts[-2:])]
        return self.microseconds(self._pts[-1] - self._pts[0] + (last.duration or sum(steps)))

    @property
    def is_uneven(self) -> bool:
        """Whether the time from one picture to the next differs by more than rounding explains."""
        steps = [later - earlier for earlier, later in pairwise(self._pts)]
        if not steps:
            return False
        millisecond = Fraction(1, 1000) / self._time_base
        rounding = max(Fraction(1), min(millisecond, Fraction(min(steps), 10)))
        return max(steps) - min(steps) > rounding

    def microseconds(self, ticks: int) -> int:
        """Ticks of the track in microseconds, rounded half to even."""
        whole, rest = divmod(ticks * self._us_a_tick.numerator, self._us_a_tick.denominator)
        twice = 2 * rest - self._us_a_tick.denominator
        return whole + int(twice > 0 or (twice == 0 and whole % 2 == 1))

    def _cut(self) -> tuple[Segment, ...]:
        starts = [_Start(0, 0)]
        for start in _exact_starts(self.packets):
            if start.packet - starts[-1].packet >= SEGMENT_PACKETS:
                starts.append(start)
        firsts = [0, *(self._first_shown(start) for start in starts[1:]), len(self)]
        ends = [*(start.packet + start.needed_before for start in starts[1:]), len(self.packets)]
        return tuple(
            Segment(range(start.packet, end), range(*pictures))
            for start, end, pictures in zip(starts, ends, pairwise(firsts), strict=True)
        )

    def _first_shown(self, start: _Start) -> int:
        return bisect_left(self._pts, self.packets[start.packet].pts or 0)


class _Start(NamedTuple):
    """A packet where decoding can start; the segment before needs ``needed_before`` packets from it on."""

    packet: int
    needed_before: int


def _exact_starts(packets: Sequence[PacketRecord]) -> Iterator[_Start]:
    """Packets that reset the decoder and are shown after all earlier ones."""
    pts = [record.pts or 0 for record in packets]
    highest_before = list(accumulate(pts, max))
    lowest_after = list(accumulate(reversed(pts), min))[::-1]
    for number in range(1, len(packets)):
        if packets[number].is_reset and highest_before[number - 1] < pts[number]:
            leading = 0
            following = lowest_after[number + 1 : number + 2 + MAX_LEADING]
            while leading < len(following) and following[leading] < pts[number]:
                leading += 1
            if leading <= MAX_LEADING:
                yield _Start(number, leading + 1 if leading else 0)
