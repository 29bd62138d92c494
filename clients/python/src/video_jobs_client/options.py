"""What a job can be asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from video_jobs_client.errors import ArgumentError


class Options(TypedDict, total=False):
    """The options of a job; `the API's guide <docs/api.md>`_ explains each.

    Attributes
    ----------
    start_ms, end_ms
        In milliseconds from the first picture of the video.
    region
        Left, top, right and bottom as fractions of the picture.
    min_confidence
        From 0 to 1.
    """

    pipeline_id: str
    frame_stride: int
    max_frames: int
    frames_per_second: float
    start_ms: float
    end_ms: float
    region: Sequence[float]
    classes: Sequence[str]
    min_confidence: float
    text_engine: str
    languages: Sequence[str]
    callback_url: str
    filename: str


class VideoFacts(TypedDict, total=False):
    """What is known of a video that is to be quoted; ``size_bytes`` or ``duration_ms`` is needed."""

    size_bytes: int
    duration_ms: float
    average_frame_rate: float
    width: int
    height: int


class QuoteOptions(Options, VideoFacts, total=False):
    """The options of a job and the facts of its video."""


def as_json(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as JSON has them; those that are None are left out.

    Raises
    ------
    ArgumentError
        If one has a number or a letter that JSON does not have: it would be sent as if it were not there.
    """
    told = {name: value for name, value in options.items() if value is not None}
    for name, value in told.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            _check(name, one)
    return told


def as_query(options: Options) -> dict[str, str]:
    """The options as a query has them: a list is one value, separated by commas."""
    return {name: _text(value) for name, value in as_json(options).items()}


def _check(name: str, value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ArgumentError(f"{name} has a number that is not finite: {value}")
    if isinstance(value, str) and not is_text(value):
        raise ArgumentError(f"{name} has a letter that is none (half of a surrogate pair): {value!a}")


def is_text(value: str) -> bool:
    """Whether UTF-8 can hold it; names of files may have halves of letters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return ",".join(str(one) for one in value)
    return str(value)
