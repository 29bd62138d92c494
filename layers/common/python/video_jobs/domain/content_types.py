"""The content types that a client may name for its video."""

from __future__ import annotations

from typing import Literal, get_args

VideoContentType = Literal[
    "video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp", "video/3gpp2", "application/octet-stream"
]
VIDEO_CONTENT_TYPES: tuple[VideoContentType, ...] = get_args(VideoContentType)
"""All of them. What a file really is, its bytes tell (`domain.mp4`)."""

DEFAULT_CONTENT_TYPE: VideoContentType = "video/mp4"


def video_content_type(named: str) -> VideoContentType | None:
    """``named`` as one of them; None if it is another."""
    return next((known for known in VIDEO_CONTENT_TYPES if known == named), None)
