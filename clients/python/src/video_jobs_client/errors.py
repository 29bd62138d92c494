"""What goes wrong, told so that the caller can do something about it."""

from __future__ import annotations


class VideoJobsClientError(Exception):
    """Something did not work; the message says what to do."""


class ResultsError(VideoJobsClientError):
    """The results contradict themselves, or lack what is asked of them."""


class MissingExtraError(VideoJobsClientError):
    """A package that this needs is not installed; the message says how to install it."""


class AnnotationError(VideoJobsClientError):
    """The video cannot be annotated."""


class SoundError(AnnotationError):
    """MP4 cannot hold a sound of the video: annotate it without sound."""
