"""Give tracks their numbers, in the order in which they first appear."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from video_worker.summary.frames import Frame
from video_worker.summary.matching import Slots
from video_worker.summary.track import Track, TrackState


class NumberedFrame(NamedTuple):
    """A frame with the number of each detection's track; None for detections that belong to none."""

    frame: Frame
    track_ids: tuple[int | None, ...]


class Numbering:
    """Holds frames back until it is decided which of their tracks count.

    A trial is limited in time, and so is the number of frames that wait.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Frame, Slots]] = deque()
        self._numbers: dict[Track, int] = {}
        self._next = 1

    def add(self, frame: Frame, slots: Slots) -> Iterator[NumberedFrame]:
        """Take a frame; the frames that are decided now."""
        self._waiting.append((frame, slots))
        return self.decided()

    def decided(self) -> Iterator[NumberedFrame]:
        """The frames that need not wait any longer: after the end of all tracks, all of them."""
        while self._waiting and not _is_open(self._waiting[0][1]):
            frame, tracks = self._waiting.popleft()
            yield NumberedFrame(frame, tuple(self._number(track) for track in tracks))

    def forget_ended(self) -> list[int]:
        """The numbers of the tracks that come in no further frame."""
        ended = [track for track in self._numbers if track.is_over and not self._waits_for(track)]
        return [self._numbers.pop(track) for track in ended]

    def _waits_for(self, track: Track) -> bool:
        return bool(self._waiting) and track.last_index >= self._waiting[0][0].frame_index

    def _number(self, track: Track | None) -> int | None:
        if track is None or track.state is TrackState.DROPPED:
            return None
        track = track.continues or track
        if track not in self._numbers:
            self._numbers[track] = self._next
            self._next += 1
        return self._numbers[track]


def _is_open(tracks: Slots) -> bool:
    return any(track is not None and track.state is TrackState.ON_TRIAL for track in tracks)
