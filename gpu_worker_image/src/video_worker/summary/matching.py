"""Which detection of a frame belongs to which track; all of one class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from video_worker.summary.association import best_pairs, grown_iou_matrix, iou_matrix
from video_worker.summary.frames import Box, Frame
from video_worker.summary.track import SURE, Track, TrackState

CONFIDENT = 0.4
"""Detections of this confidence are matched first."""
LEAST_NEW_CONFIDENCE = 0.25
"""Weaker detections begin no track."""
LEAST_CONFIDENCE = 0.1
"""Weaker detections are left out."""

_NEAR_IOU, _WEAK_IOU, _FAR_IOU, _SAME_IOU = 0.15, 0.4, 0.25, 0.5

Slots = list[Track | None]
"""The track of each detection of a frame, in their order."""


class Reach(NamedTuple):
    """How long a track may be unseen to be seen again, and to be recent; the hits that a new one needs."""

    gap_us: int
    recent_us: int
    needed_hits: int


class Match:
    """The matching of the detections ``free`` (their numbers) with tracks.

    Attributes
    ----------
    taken
        The track of each detection that has one.
    """

    def __init__(self, frame: Frame, free: Sequence[int], tracks: Sequence[Track], reach: Reach) -> None:
        self._frame, self._tracks, self._reach = frame, list(tracks), reach
        self._free = [number for number in free if frame.detections[number].confidence >= LEAST_CONFIDENCE]
        self.taken: dict[int, Track] = {}

    def run(self) -> list[Track]:
        """Match in order: what is sure first; then the tracks, new ones included."""
        on_trial = [track for track in self._tracks if track.state is TrackState.ON_TRIAL]
        self._pair_counting(on_trial)
        self._pair_near(self._recent(), LEAST_CONFIDENCE, _WEAK_IOU)
        self._pair_far(self._recent(), CONFIDENT)
        self._pair_near(on_trial, LEAST_NEW_CONFIDENCE, _NEAR_IOU)
        self._pair_far([track for track in on_trial if not self._is_seen(track)], LEAST_NEW_CONFIDENCE)
        on_trial += self._begin()
        self._bridge_gaps([track for track in on_trial if track.state is TrackState.COUNTS])
        return [track for track in self._tracks if not track.continues]

    def _recent(self) -> list[Track]:
        """The tracks that count, were just seen, and have no detection yet."""
        counting = [track for track in self._tracks if track.state is TrackState.COUNTS]
        return [track for track in counting if self._is_recent(track) and not self._is_seen(track)]

    def _is_recent(self, track: Track) -> bool:
        return track.last_us >= self._frame.start_us - self._reach.recent_us

    def _is_seen(self, track: Track) -> bool:
        return track.last_index == self._frame.frame_index

    def _pair_counting(self, on_trial: Sequence[Track]) -> None:
        """Match the tracks that count; lost ones with sure detections only, which do not continue a trial."""
        since_us = self._frame.start_us - self._reach.gap_us
        counting = [track for track in self._tracks if track.state is TrackState.COUNTS]
        tracks, numbers = [one for one in counting if one.last_us >= since_us], self._numbers(CONFIDENT)
        is_lost = np.array([not self._is_recent(track) for track in tracks], bool)
        is_unsure = np.array([self._frame.detections[number].confidence < SURE for number in numbers], bool)
        continues_trial = (self._near(on_trial, numbers) >= _SAME_IOU).any(axis=0)
        is_barred = np.outer(is_lost, is_unsure | continues_trial)
        likeness = np.where(is_barred, 0.0, self._near(tracks, numbers))
        self._take_best(tracks, numbers, likeness, _NEAR_IOU)

    def _pair_near(self, tracks: Sequence[Track], least_confidence: float, least_iou: float) -> None:
        """Match tracks with detections where they are expected."""
        numbers = self._numbers(least_confidence)
        self._take_best(tracks, numbers, self._near(tracks, numbers), least_iou)

    def _pair_far(self, tracks: Sequence[Track], least_confidence: float) -> None:
        """Match tracks with detections that are as far away as the object may have moved."""
        numbers = self._numbers(least_confidence)
        doubts = [track.doubt_at(self._frame.start_us) for track in tracks]
        likeness = grown_iou_matrix(self._expected(tracks), doubts, self._boxes(numbers))
        self._take_best(tracks, numbers, likeness, _FAR_IOU)

    def _near(self, tracks: Sequence[Track], numbers: Sequence[int]) -> NDArray[np.float64]:
        return iou_matrix(self._expected(tracks), self._boxes(numbers))

    def _take_best(
        self, tracks: Sequence[Track], numbers: Sequence[int], likeness: NDArray[np.float64], least: float
    ) -> None:
        for row, column in best_pairs(likeness, least):
            tracks[row].see(self._frame.detections[numbers[column]], self._frame)
            self.taken[numbers[column]] = tracks[row]
            self._free.remove(numbers[column])

    def _numbers(self, least_confidence: float) -> list[int]:
        detections = self._frame.detections
        return [number for number in self._free if detections[number].confidence >= least_confidence]

    def _boxes(self, numbers: Sequence[int]) -> list[Box]:
        return [self._frame.detections[number].box for number in numbers]

    def _expected(self, tracks: Sequence[Track]) -> list[Box]:
        return [track.box_at(self._frame.start_us) for track in tracks]

    def _begin(self) -> list[Track]:
        """New tracks for what is left."""
        begun = []
        for number in self._numbers(LEAST_NEW_CONFIDENCE):
            if not self._is_double(number):
                track = Track(self._frame.detections[number], self._frame, self._reach.needed_hits)
                self.taken[number] = track
                self._tracks.append(track)
                begun.append(track)
        return begun

    def _is_double(self, number: int) -> bool:
        """Whether a weak detection lies on an object that has its own."""
        detection = self._frame.detections[number]
        others = self._boxes(list(self.taken))
        is_weak = detection.confidence < CONFIDENT
        return is_weak and bool((iou_matrix([detection.box], others) > _SAME_IOU).any())

    def _bridge_gaps(self, proven: Sequence[Track]) -> None:
        """Tracks whose trial has just ended may go on with an object that was lost before they began."""
        lost = [
            track for track in self._tracks if track.state is TrackState.COUNTS and not self._is_seen(track)
        ]
        rows = [[self._likeness(before, after) for before in lost] for after in proven]
        for row, column in best_pairs(np.array(rows, float).reshape(len(proven), len(lost)), _FAR_IOU):
            lost[column].go_on_as(proven[row])

    def _likeness(self, before: Track, after: Track) -> float:
        """How well the later track lies on the way of the earlier one, where it began or is now."""
        if not 0 < after.first_us - before.last_us <= self._reach.gap_us:
            return 0.0
        now_us = self._frame.start_us
        sightings = ((after.first_us, after.first_box), (now_us, after.box_at(now_us)))
        return max(
            float(grown_iou_matrix([before.box_at(at_us)], [before.doubt_at(at_us)], [box])[0, 0])
            for at_us, box in sightings
        )
