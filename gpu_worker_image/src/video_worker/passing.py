"""How long a decoder may take to pass over the pictures that a job does not want."""

from __future__ import annotations

from typing import NamedTuple

from video_jobs.domain.sampling import Sampling
from video_jobs.domain.video import VideoFacts

_PICTURE_S = 0.1
"""Enough for the largest pictures; ordinary ones take a hundredth of it."""
_MOST_RATE = 240
"""Pictures a second of a video whose rate is not known or varies: as phones film slow motion."""
_MOST_S = 3600.0


class PassingTimes(NamedTuple):
    """Additional seconds that a decoder may take up to the first wanted picture, and up to each later one."""

    to_first_s: float
    to_next_s: float


def passing_times(sampling: Sampling, first: int, video: VideoFacts) -> PassingTimes:
    """The time to pass over all pictures up to the candidate ``first``, and between two candidates.

    Decoding may have to start at the first picture, wherever the first candidate is. From one candidate to
    the next there are as many pictures as the stride says, or as the video has between two ticks of the
    clock; if no picture is shown for many ticks, there is none to pass over. There are never more than the
    video has, where it tells. Whatever it tells, the time ends after an hour, so that a decoder that hangs is
    found; one that works passes over hundreds of thousands of pictures meanwhile.
    """
    rate = _rate(video)
    between: float = sampling.stride
    if sampling.frames_per_second is not None:
        between = rate / sampling.frames_per_second + 1
    before = rate * (sampling.start_ms or 0) / 1000 + (first + 1) * between
    return PassingTimes(_seconds(before, video.frame_count), _seconds(between, video.frame_count))


def _rate(video: VideoFacts) -> float:
    if video.variable_frame_rate or not video.average_frame_rate:
        return _MOST_RATE
    return video.average_frame_rate


def _seconds(pictures: float, most: int | None) -> float:
    return min(_MOST_S, _PICTURE_S * (pictures if most is None else min(pictures, most)))
