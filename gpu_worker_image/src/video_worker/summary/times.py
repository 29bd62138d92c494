"""Times and places as the summary tells them."""

from __future__ import annotations

from video_jobs.domain.results import US_A_MS
from video_jobs.domain.summary import InView, Moment, PathPoint

from video_worker.results_serializer import DECIMALS
from video_worker.summary.frames import Box, Frame
from video_worker.summary.intervals import Interval, Intervals
from video_worker.summary.motion import size_of
from video_worker.summary.path import Path

_DECIMALS_PX = 1


def ms(time_us: int) -> float:
    """Microseconds in milliseconds, as a whole number where it is one, as in the results."""
    whole, rest = divmod(time_us, US_A_MS)
    return time_us / US_A_MS if rest else whole


def rounded_box(box: Box) -> Box:
    """A box with as many decimals as the summary has."""
    left, top, right, bottom = (round(edge, _DECIMALS_PX) + 0.0 for edge in box)
    return (left, top, right, bottom)


def in_view(interval: Interval) -> InView:
    """An interval as the summary tells it."""
    return InView(
        first_frame=interval.first_index,
        last_frame=interval.last_index,
        start_ms=ms(interval.start_us),
        end_ms=ms(interval.end_us),
    )


def every_in_view(intervals: Intervals) -> tuple[InView, ...]:
    """All intervals as the summary tells them."""
    return tuple(in_view(interval) for interval in intervals)


def path_points(path: Path) -> tuple[PathPoint, ...]:
    """A path as the summary tells it."""
    return tuple(
        PathPoint(frame_index=point.frame_index, timestamp_ms=ms(point.at_us), xyxy=rounded_box(point.box))
        for point in path.points()
    )


class BestMoment:
    """Keeps the first frame of the highest ``rank``."""

    def __init__(self) -> None:
        self.rank = -1.0
        self._moment: Moment | None = None

    @property
    def moment(self) -> Moment:
        """The moment that is kept; there is one after the first offer."""
        if self._moment is None:
            raise LookupError("no moment was offered")
        return self._moment

    def offer(self, frame: Frame, box: Box, confidence: float) -> None:
        """Take a sighting: large and confident ones rank highest."""
        rank = confidence * size_of(box)
        if rank > self.rank:
            self.rank = rank
            self._moment = Moment(
                frame_index=frame.frame_index,
                timestamp_ms=ms(frame.start_us),
                xyxy=rounded_box(box),
                confidence=round(confidence, DECIMALS),
            )
