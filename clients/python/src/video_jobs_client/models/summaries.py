"""The summary of a video: what was seen, and when."""

from __future__ import annotations

from datetime import datetime

from video_jobs_client.models.base import Model, Rectangle


class InView(Model, frozen=True):
    """A time in view without a pause; ``frame_index`` counts the frames of the video."""

    first_frame: int
    last_frame: int
    start_ms: float
    end_ms: float


class ClassInView(Model, frozen=True):
    """A time when objects of a class were in view: at most ``most_at_once`` of them on one frame."""

    first_frame: int
    last_frame: int
    start_ms: float
    end_ms: float
    most_at_once: int


class Moment(Model, frozen=True):
    """The frame on which something is seen best; ``confidence`` is 0-1."""

    frame_index: int
    timestamp_ms: float
    xyxy: Rectangle
    confidence: float


class PathPoint(Model, frozen=True):
    """Where something was; from one point to the next, its edges move evenly in time."""

    frame_index: int
    timestamp_ms: float
    xyxy: Rectangle


class Alternative(Model, frozen=True):
    """Another spelling of a text, on how many frames it was read, and its mean confidence, 0-1."""

    text: str
    frames: int
    confidence: float


class ClassSummary(Model, frozen=True):
    """All tracks of a class; ``in_view_ms`` is the time when at least one was in view."""

    class_id: int
    class_name: str
    tracks: int
    most_at_once: int
    in_view_ms: float
    intervals: tuple[ClassInView, ...]
    intervals_joined: int


class TrackSummary(Model, frozen=True):
    """One object, followed from frame to frame.

    - ``track_id``: Counts from 1 in the order of the first appearance.
    - ``frames``: On how many analysed frames it was detected.
    - ``confidence``: Their mean confidence, 0-1.
    - ``in_view_ms``: The length of the intervals together.
    - ``intervals_joined``: How many pauses are not told, because there were more than ``intervals`` can have.
    - ``path_error_px``: On each frame on which it was detected, each edge is at most so far from the path.
    """

    track_id: int
    class_id: int
    class_name: str
    first_frame: int
    last_frame: int
    start_ms: float
    end_ms: float
    in_view_ms: float
    frames: int
    confidence: float
    intervals: tuple[InView, ...]
    intervals_joined: int
    best: Moment
    path: tuple[PathPoint, ...]
    path_error_px: float


class TextSummary(Model, frozen=True):
    """One line of text, put together from its readings.

    - ``text_id``: Counts from 1 in the order of the first appearance.
    - ``text``: The spelling with the most votes; each reading votes with its confidence.
    - ``confidence``: The mean confidence of the readings that say ``text``, 0-1.
    - ``agreement``: Their share of all votes, 0-1.
    - ``frames``: On how many analysed frames it was read.
    - ``on_one_frame``: Whether it was read on one frame only, as much of what is no text.
    - ``alternatives``: Other spellings, those with the most votes first.
    - ``best``: The best of the readings that say ``text``.
    - ``path``: Where it stood; ``path_error_px`` as of a track.
    """

    text_id: int
    text: str
    confidence: float
    agreement: float
    frames: int
    on_one_frame: bool
    alternatives: tuple[Alternative, ...]
    first_frame: int
    last_frame: int
    start_ms: float
    end_ms: float
    in_view_ms: float
    intervals: tuple[InView, ...]
    intervals_joined: int
    best: Moment
    path: tuple[PathPoint, ...]
    path_error_px: float


class SummarisedVideo(Model, frozen=True):
    """The video as it was analysed."""

    width: int
    height: int
    duration_ms: float | None


class VideoSummary(Model, frozen=True):
    """What was seen in a video.

    - ``frames``: How many frames were analysed.
    - ``sampling_interval_ms``: The usual time from one analysed frame to the next at the end of the video;
      null if only one was.
    - ``tracks_left_out, texts_left_out``: How many are not listed, because there were too many.
    """

    version: int
    video: SummarisedVideo
    frames: int
    sampling_interval_ms: float | None
    classes: tuple[ClassSummary, ...]
    tracks: tuple[TrackSummary, ...]
    tracks_left_out: int
    texts: tuple[TextSummary, ...]
    texts_left_out: int


class JobSummary(Model, frozen=True):
    """The summary of a job's video; ``summary_url`` and ``tracks_url`` download files, for a short time.

    ``summary`` is null if it is too large for an answer; the file behind ``summary_url`` has it.
    """

    summary: VideoSummary | None
    job_id: str
    created_at: datetime
    updated_at: datetime
    summary_url: str
    tracks_url: str
