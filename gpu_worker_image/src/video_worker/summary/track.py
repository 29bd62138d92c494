"""An object that is followed from frame to frame."""

from __future__ import annotations

from enum import Enum

from video_worker.summary.frames import Box, Detection, Frame
from video_worker.summary.motion import Motion

SURE = 0.5
"""A track counts only if one of its detections has this confidence."""


class TrackState(Enum):
    """A track on trial either counts after a while, or is dropped."""

    ON_TRIAL = "on_trial"
    COUNTS = "counts"
    DROPPED = "dropped"


class Track:
    """An object, or what may be one: it counts when it was seen on ``needed_hits`` frames, once with `SURE`.

    Attributes
    ----------
    first_us, last_us
        When it was first and last seen.
    last_index
        The last frame on which it was seen.
    first_box
        Where it was first seen.
    continues
        The track of the same object before a gap.
    is_over
        Whether it will not be seen any more.
    """

    def __init__(self, detection: Detection, frame: Frame, needed_hits: int) -> None:
        self.state, self.is_over = TrackState.ON_TRIAL, False
        self.continues: Track | None = None
        self.first_us = self.last_us = frame.start_us
        self.last_index, self.first_box = frame.frame_index, detection.box
        self._motion, self._needed_hits = Motion(detection.box, frame.start_us), needed_hits
        self._hits, self._most_confident = 0, 0.0
        self._count(detection)

    def box_at(self, at_us: int) -> Box:
        """Where it is expected."""
        return self._motion.box_at(at_us)

    def doubt_at(self, at_us: int) -> float:
        """How far from there it may be, in pixels."""
        return self._motion.doubt_at(at_us)

    def see(self, detection: Detection, frame: Frame) -> None:
        """Take the detection of a frame."""
        self._motion.update(detection.box, frame.start_us)
        self.last_us, self.last_index = frame.start_us, frame.frame_index
        self._count(detection)

    def go_on_as(self, later: Track) -> None:
        """After a gap, the object was taken for a new one, which was ``later``."""
        later.continues = self
        self._motion, self.last_us, self.last_index = later._motion, later.last_us, later.last_index

    def end(self) -> None:
        """It will not be seen any more."""
        self.is_over = True
        if self.state is TrackState.ON_TRIAL:
            self.state = TrackState.DROPPED

    def _count(self, detection: Detection) -> None:
        self._hits += 1
        self._most_confident = max(self._most_confident, detection.confidence)
        is_sure = self._hits >= self._needed_hits and self._most_confident >= SURE
        if self.state is TrackState.ON_TRIAL and is_sure:
            self.state = TrackState.COUNTS
