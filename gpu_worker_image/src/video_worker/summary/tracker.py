"""Follow objects from frame to frame, in the manner of ByteTrack (Zhang et al., 2022).

Each class is followed by itself. What is different: time instead of frames, so that sparse and uneven frames
work; a trial before a track counts, whose frames are not lost; and gaps are bridged when it is over.
"""

from __future__ import annotations

from video_worker.summary.frames import Detection, Frame
from video_worker.summary.matching import Match, Reach, Slots
from video_worker.summary.sampling import SamplingInterval
from video_worker.summary.track import Track, TrackState

TRACK_GAP_US = 1_500_000
"""What is not seen for longer is another track afterwards."""
MOST_HITS = 3
"""A track counts when it was seen so often; with sparse frames less is enough, see `needed_hits`."""

_TRIAL_US = 1_000_000
_TRIAL_GAP_US, _RECENT_US, _CLOSE_US = 300_000, 300_000, 300_000


def needed_hits(interval_us: int) -> int:
    """On how many frames an object must be seen: 3 if there are 7 or more a second, 1 if 3 or less."""
    if not interval_us:  # there is one frame only
        return 1
    return min(MOST_HITS, 1 + _CLOSE_US // interval_us)


class Tracker:
    """Holds the tracks that may still be seen."""

    def __init__(self, interval: SamplingInterval) -> None:
        self._interval = interval
        self._by_class: dict[tuple[int, str], list[Track]] = {}

    def step(self, frame: Frame) -> Slots:
        """Take the next frame; a track on trial in the answer is decided by later frames."""
        slots: Slots = [None] * len(frame.detections)
        self._end_overdue(frame.start_us)
        for kind in dict.fromkeys(map(_kind, frame.detections)):
            free = [number for number, one in enumerate(frame.detections) if _kind(one) == kind]
            match = Match(frame, free, self._by_class.get(kind, []), self._reach())
            self._by_class[kind] = match.run()
            for number, track in match.taken.items():
                slots[number] = track
        return slots

    def end(self) -> None:
        """The video has ended."""
        for tracks in self._by_class.values():
            for track in tracks:
                track.end()
        self._by_class.clear()

    def _reach(self) -> Reach:
        gap_us, recent_us = self._interval.gap_us(TRACK_GAP_US), self._interval.gap_us(_RECENT_US)
        return Reach(gap_us, recent_us, needed_hits(self._interval.us))

    def _end_overdue(self, now_us: int) -> None:
        every = [track for tracks in self._by_class.values() for track in tracks]
        for track in every:
            if self._is_overdue(track, now_us):
                track.end()
        alive = {kind: [one for one in tracks if not one.is_over] for kind, tracks in self._by_class.items()}
        self._by_class = {kind: tracks for kind, tracks in alive.items() if tracks}

    def _is_overdue(self, track: Track, now_us: int) -> bool:
        unseen_us = now_us - track.last_us
        trial_us = max(_TRIAL_US, (MOST_HITS + 1) * self._interval.us)
        if track.state is TrackState.COUNTS:  # what goes on after the gap is known after its trial
            return unseen_us > self._interval.gap_us(TRACK_GAP_US) + trial_us
        return unseen_us > self._interval.gap_us(_TRIAL_GAP_US) or now_us - track.first_us > trial_us


def _kind(detection: Detection) -> tuple[int, str]:
    return (detection.class_id, detection.class_name)
