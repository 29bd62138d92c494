"""The summary of a video: what was seen, and when.

It is stored as one JSON object with sorted keys: `Summary`, with its fields as they are named here. All times
are in milliseconds of the frame clock, with at most three decimals: from the first picture of the video. All
coordinates are in pixels of ``video``. An analysed frame stands for the time until the next analysed one; so
an interval ends (``end_ms``) where the first frame begins that does not belong to it any more, while
``last_frame`` is the last one that does.

No list grows with the number of frames. What each field means, and its limits: docs/summary.md.
"""

from __future__ import annotations

from dataclasses import dataclass

SUMMARY_VERSION = 1
MOST_TRACKS, MOST_TEXTS = 2000, 2000
"""How many a summary lists: those that were longest in view."""
MOST_INTERVALS = 200
"""How many intervals a track, a class or a text lists."""
MOST_ALTERNATIVES = 5
"""How many other spellings a text lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InView:
    """A time in view without a pause; ``frame_index`` counts the frames of the video."""

    first_frame: int
    last_frame: int
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassInView(InView):
    """A time when objects of a class were in view: at most ``most_at_once`` of them on one frame."""

    most_at_once: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPoint:
    """Where something was; from one point to the next, its edges move evenly in time."""

    frame_index: int
    timestamp_ms: float
    xyxy: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The frame on which something is seen best; ``confidence`` is 0-1."""

    frame_index: int
    timestamp_ms: float
    xyxy: tuple[float, float, float, float]
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSummary:
    """One object, followed from frame to frame.

    Attributes
    ----------
    track_id
        Counts from 1 in the order of the first appearance.
    frames
        On how many analysed frames it was detected.
    confidence
        Their mean confidence, 0-1.
    in_view_ms
        The length of the intervals together.
    intervals_joined
        How many pauses are not told, because there were more than ``intervals`` can have.
    path_error_px
        On each frame on which it was detected, each edge is at most so far from the path.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSummary:
    """All tracks of a class; ``in_view_ms`` is the time when at least one was in view."""

    class_id: int
    class_name: str
    tracks: int
    most_at_once: int
    in_view_ms: float
    intervals: tuple[ClassInView, ...]
    intervals_joined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another spelling of a text, on how many frames it was read, and its mean confidence, 0-1."""

    text: str
    frames: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSummary:
    """One line of text, put together from its readings.

    Attributes
    ----------
    text_id
        Counts from 1 in the order of the first appearance.
    text
        The spelling with the most votes; each reading votes with its confidence.
    confidence
        The mean confidence of the readings that say ``text``, 0-1.
    agreement
        Their share of all votes, 0-1.
    frames
        On how many analysed frames it was read.
    on_one_frame
        Whether it was read on one frame only, as much of what is no text.
    alternatives
        Other spellings, those with the most votes first.
    best
        The best of the readings that say ``text``.
    path
        Where it stood; ``path_error_px`` as of a track.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SummarisedVideo:
    """The video as it was analysed."""

    width: int
    height: int
    duration_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was seen in a video.

    Attributes
    ----------
    frames
        How many frames were analysed.
    sampling_interval_ms
        The usual time from one analysed frame to the next at the end of the video; null if only one was.
    tracks_left_out, texts_left_out
        How many are not listed, because there were too many.
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
