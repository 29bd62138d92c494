"""What the summary tells of tracks and of the classes that they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from video_jobs.domain.summary import (
    MOST_INTERVALS,
    MOST_TRACKS,
    ClassInView,
    ClassSummary,
    TrackSummary,
)

from video_worker.results_serializer import DECIMALS
from video_worker.summary.frames import Detection, Frame
from video_worker.summary.intervals import Interval, Intervals
from video_worker.summary.longest import Longest
from video_worker.summary.numbering import NumberedFrame
from video_worker.summary.path import Path, Point
from video_worker.summary.times import BestMoment, every_in_view, ms, path_points

Kind = tuple[int, str]
"""The id and the name of a class."""


class TrackReports:
    """Holds what is told of tracks that go on, and the summaries of those that ended."""

    def __init__(self) -> None:
        self._open: dict[int, _TrackReport] = {}
        self._classes: dict[Kind, _ClassReport] = {}
        self._ended: Longest[TrackSummary] = Longest(MOST_TRACKS)

    def add(self, numbered: NumberedFrame, gap_us: int) -> None:
        """Take a frame; who is not seen for longer than ``gap_us`` is out of view."""
        frame, seen = numbered.frame, Counter[Kind]()
        for detection, number in zip(frame.detections, numbered.track_ids, strict=True):
            if number is not None:
                self._report_of(number, detection).add(frame, detection, gap_us)
                seen[detection.class_id, detection.class_name] += 1
        for kind, count in seen.items():
            self._classes[kind].intervals.add(frame, gap_us, count)

    def end(self, numbers: Iterable[int]) -> None:
        """These tracks come in no further frame."""
        for number in numbers:
            report = self._open.pop(number)
            self._ended.add(report.intervals.in_view_us, report.summary(number))

    @property
    def left_out(self) -> int:
        """How many tracks are not among `tracks`."""
        return self._ended.left_out

    def tracks(self) -> tuple[TrackSummary, ...]:
        """The ended tracks, by number."""
        return tuple(sorted(self._ended.entries(), key=lambda track: track.track_id))

    def classes(self) -> Iterator[ClassSummary]:
        """The classes, by name."""
        for (class_id, name), report in sorted(self._classes.items(), key=lambda item: (item[0][1], item[0])):
            yield report.summary(class_id, name)

    def _report_of(self, number: int, detection: Detection) -> _TrackReport:
        if number not in self._open:
            kind = (detection.class_id, detection.class_name)
            self._open[number] = _TrackReport(*kind)
            self._classes.setdefault(kind, _ClassReport()).tracks += 1
        return self._open[number]


class _TrackReport:
    def __init__(self, class_id: int, class_name: str) -> None:
        self._class_id, self._class_name = class_id, class_name
        self.intervals = Intervals(MOST_INTERVALS)
        self._path, self._best = Path(), BestMoment()
        self._frames, self._confidences = 0, 0.0

    def add(self, frame: Frame, detection: Detection, gap_us: int) -> None:
        self.intervals.add(frame, gap_us)
        self._path.add(Point(frame.frame_index, frame.start_us, detection.box))
        self._best.offer(frame, detection.box, detection.confidence)
        self._frames += 1
        self._confidences += detection.confidence

    def summary(self, number: int) -> TrackSummary:
        intervals = every_in_view(self.intervals)
        return TrackSummary(
            track_id=number,
            class_id=self._class_id,
            class_name=self._class_name,
            first_frame=intervals[0].first_frame,
            last_frame=intervals[-1].last_frame,
            start_ms=intervals[0].start_ms,
            end_ms=intervals[-1].end_ms,
            in_view_ms=ms(self.intervals.in_view_us),
            frames=self._frames,
            confidence=round(self._confidences / self._frames, DECIMALS),
            intervals=intervals,
            intervals_joined=self.intervals.joined,
            best=self._best.moment,
            path=path_points(self._path),
            path_error_px=self._path.error_px,
        )


class _ClassReport:
    def __init__(self) -> None:
        self.intervals = Intervals(MOST_INTERVALS)
        self.tracks = 0

    def summary(self, class_id: int, class_name: str) -> ClassSummary:
        intervals = tuple(_class_in_view(interval) for interval in self.intervals)
        return ClassSummary(
            class_id=class_id,
            class_name=class_name,
            tracks=self.tracks,
            most_at_once=max(interval.most_at_once for interval in intervals),
            in_view_ms=ms(self.intervals.in_view_us),
            intervals=intervals,
            intervals_joined=self.intervals.joined,
        )


def _class_in_view(interval: Interval) -> ClassInView:
    return ClassInView(
        first_frame=interval.first_index,
        last_frame=interval.last_index,
        start_ms=ms(interval.start_us),
        end_ms=ms(interval.end_us),
        most_at_once=interval.most,
    )
