"""A text that may be read again."""

from __future__ import annotations

from video_jobs.domain.summary import MOST_ALTERNATIVES, MOST_INTERVALS, Alternative, TextSummary

from video_worker.results_serializer import DECIMALS
from video_worker.summary.association import iou_matrix
from video_worker.summary.frames import Frame, Reading
from video_worker.summary.intervals import Intervals
from video_worker.summary.path import Path, Point
from video_worker.summary.spelling import SIMILAR, is_same, similarity, spelling_of
from video_worker.summary.times import every_in_view, ms, path_points
from video_worker.summary.votes import Votes

_SAME_PLACE_IOU = 0.3


class OpenText:
    """The readings of a text so far.

    Attributes
    ----------
    order
        Counts the texts in the order in which they were begun.
    first_us, last_us, last_end_us
        When it was first and last read, and when the last of these frames ended.
    is_settled
        Whether it is certain that it is no misreading of an earlier text.
    box, spelling
        Where it was read last, and what it says by most votes.
    """

    def __init__(self, order: int, frame: Frame, reading: Reading, gap_us: int) -> None:
        self.order, self.first_us, self.is_settled = order, frame.start_us, False
        self.votes, self.intervals, self._path = Votes(), Intervals(MOST_INTERVALS), Path()
        self.frames = 0
        self.see(frame, reading, gap_us)

    def see(self, frame: Frame, reading: Reading, gap_us: int) -> None:
        """Take a reading."""
        self.votes.add(frame, reading)
        self.intervals.add(frame, gap_us)
        self._path.add(Point(frame.frame_index, frame.start_us, reading.box))
        self.frames += 1
        self.box, self.last_us, self.last_end_us = reading.box, frame.start_us, frame.end_us
        self.spelling = spelling_of(self.votes.leader.text)

    def absorb(self, later: OpenText, gap_us: int) -> None:
        """What was begun since the last reading was this text, too."""
        self.votes.absorb(later.votes)
        self.intervals.absorb(later.intervals, gap_us)
        self._path.absorb(later._path)
        self.frames += later.frames
        self.box, self.last_us, self.last_end_us = later.box, later.last_us, later.last_end_us
        self.spelling = spelling_of(self.votes.leader.text)

    def unread_us(self, at_us: int) -> int:
        """The time since the last reading; 0 if that was on the frame before, however long that stood."""
        return at_us - self.last_us if at_us > self.last_end_us else 0

    def may_be_misread(self, earlier: OpenText) -> bool:
        """Whether all of it was read after the earlier text, at the same place, and looks like it."""
        is_alike = similarity(self.spelling, earlier.spelling) >= SIMILAR
        return self.first_us > earlier.last_us and is_alike and self._is_at_place_of(earlier)

    def goes_on_with(self, earlier: OpenText, within_us: int) -> bool:
        """Whether it says the same as the earlier text at the same place, not too long afterwards."""
        is_after = self.first_us > earlier.last_us and earlier.unread_us(self.first_us) <= within_us
        return is_after and is_same(self.spelling, earlier.spelling) and self._is_at_place_of(earlier)

    def summary(self) -> TextSummary:
        """What the summary tells of it; its number is given later."""
        agreed, *others = self.votes.ranking()
        intervals = every_in_view(self.intervals)
        return TextSummary(
            text_id=0,
            text=agreed.text,
            confidence=round(agreed.confidence, DECIMALS),
            agreement=round(agreed.weight / self.votes.weight, DECIMALS) if self.votes.weight else 1.0,
            frames=self.frames,
            on_one_frame=self.frames == 1,
            alternatives=tuple(
                Alternative(text=one.text, frames=one.readings, confidence=round(one.confidence, DECIMALS))
                for one in others[:MOST_ALTERNATIVES]
            ),
            first_frame=intervals[0].first_frame,
            last_frame=intervals[-1].last_frame,
            start_ms=intervals[0].start_ms,
            end_ms=intervals[-1].end_ms,
            in_view_ms=ms(self.intervals.in_view_us),
            intervals=intervals,
            intervals_joined=self.intervals.joined,
            best=agreed.best.moment,
            path=path_points(self._path),
            path_error_px=self._path.error_px,
        )

    def _is_at_place_of(self, earlier: OpenText) -> bool:
        return float(iou_matrix([self.box], [earlier.box])[0, 0]) >= _SAME_PLACE_IOU
