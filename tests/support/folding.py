"""Fold frames in tests."""

from __future__ import annotations

from collections.abc import Iterable

from video_jobs.domain.summary import Summary
from video_jobs.domain.video import VideoFacts
from video_worker.analysis import AnalysedFrame
from video_worker.summary.fold import FrameTracks, SummaryFold


def video_facts(duration_ms: float | None = None, average_frame_rate: float | None = 30.0) -> VideoFacts:
    """A video of 1280x720."""
    return VideoFacts(
        container="mp4",
        codec="h264",
        width=1280,
        height=720,
        frame_count=None,
        duration_ms=duration_ms,
        average_frame_rate=average_frame_rate,
        first_picture_ms=0,
        rotation=0,
        mirrored=False,
        interlaced=False,
        variable_frame_rate=False,
        hdr=None,
    )


def folded(
    frames: Iterable[AnalysedFrame], video: VideoFacts | None = None
) -> tuple[Summary, list[FrameTracks]]:
    """The summary and the exact tracks of some frames."""
    tracks: list[FrameTracks] = []
    fold = SummaryFold(tracks.append)
    for frame in frames:
        fold.add(frame)
    return fold.end(video or video_facts()), tracks
