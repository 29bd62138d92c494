"""Fold the frames of a video into its summary, one after the other.

The fold sees the frames of all parts in order, and nothing else: the summary does not depend on parts,
threads, attempts or workers. It holds what is on screen, and what the summary will tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import NamedTuple

from video_jobs.domain.results import microseconds
from video_jobs.domain.summary import SUMMARY_VERSION, SummarisedVideo, Summary
from video_jobs.domain.video import VideoFacts

from video_worker.analysis import AnalysedFrame
from video_worker.results_serializer import frame_line
from video_worker.summary.frames import Frame, detections_of, readings_of
from video_worker.summary.intervals import IN_VIEW_GAP_US
from video_worker.summary.numbering import NumberedFrame, Numbering
from video_worker.summary.sampling import SamplingInterval
from video_worker.summary.texts import TextFold
from video_worker.summary.times import ms
from video_worker.summary.track_reports import TrackReports
from video_worker.summary.tracker import Tracker

US_A_SECOND = 1_000_000


class FrameTracks(NamedTuple):
    """The number of the track of each detection of a frame, in their order; None where there is none."""

    frame_index: int
    track_ids: tuple[int | None, ...]


TracksSink = Callable[[FrameTracks], None]
"""Takes each frame once, in order; up to a second of the video after it was added."""


class SummaryFold:
    """Takes frames in order; `end` gives the summary.

    Each frame is folded when the next one comes, because it stands for the time until then.
    """

    def __init__(self, sink: TracksSink) -> None:
        self._sink = sink
        self._interval = SamplingInterval()
        self._tracker, self._numbering = Tracker(self._interval), Numbering()
        self._tracks, self._texts = TrackReports(), TextFold(self._interval)
        self._held: Frame | None = None
        self._frames = 0

    def add(self, analysed: AnalysedFrame) -> None:
        """Take the next frame; a time before that of the last frame counts as that one."""
        start_us = microseconds(analysed.timestamp_ms)
        if self._held:
            start_us = max(start_us, self._held.start_us)
            self._interval.add(start_us - self._held.start_us)
            self._fold(self._held._replace(end_us=start_us))
        result = analysed.result
        self._held = Frame(
            analysed.frame_index, start_us, start_us, detections_of(result), readings_of(result)
        )
        self._frames += 1

    def end(self, video: VideoFacts) -> Summary:
        """The summary; the sink has all frames then. The fold takes no more."""
        if self._held:
            self._fold(self._held._replace(end_us=self._end_of_last(self._held.start_us, video)))
        self._tracker.end()
        self._report(self._numbering.decided())
        self._texts.end()
        return Summary(
            version=SUMMARY_VERSION,
            video=_summarised(video),
            frames=self._frames,
            sampling_interval_ms=ms(self._interval.us) if self._interval.us else None,
            classes=tuple(self._tracks.classes()),
            tracks=self._tracks.tracks(),
            tracks_left_out=self._tracks.left_out,
            texts=self._texts.texts(),
            texts_left_out=self._texts.left_out,
        )

    def _fold(self, frame: Frame) -> None:
        self._report(self._numbering.add(frame, self._tracker.step(frame)))
        self._texts.add(frame)

    def _report(self, decided: Iterable[NumberedFrame]) -> None:
        for numbered in decided:
            self._tracks.add(numbered, self._interval.gap_us(IN_VIEW_GAP_US))
            self._sink(FrameTracks(numbered.frame.frame_index, numbered.track_ids))
        self._tracks.end(self._numbering.forget_ended())

    def _end_of_last(self, start_us: int, video: VideoFacts) -> int:
        """The last frame stands for the usual time, but not beyond the end of the video."""
        interval_us = self._interval.us
        if not interval_us and video.average_frame_rate:
            interval_us = round(US_A_SECOND / video.average_frame_rate)
        end_us = start_us + interval_us
        if video.duration_ms is not None:
            end_us = min(end_us, microseconds(video.duration_ms))
        return max(start_us, end_us)


def _summarised(video: VideoFacts) -> SummarisedVideo:
    duration_ms = None if video.duration_ms is None else ms(microseconds(video.duration_ms))
    return SummarisedVideo(width=video.width, height=video.height, duration_ms=duration_ms)


def summary_bytes(summary: Summary) -> bytes:
    """The summary as one line of canonical JSON: equal summaries give equal bytes."""
    return frame_line(asdict(summary)) + b"\n"
