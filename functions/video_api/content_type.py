"""What kind of body a request says that it has."""

from __future__ import annotations

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from video_jobs.domain.content_types import DEFAULT_CONTENT_TYPE, VideoContentType, video_content_type
from video_jobs.domain.errors import UnsupportedContentTypeError

_CURLS_DEFAULT = "application/x-www-form-urlencoded"
_SHOWN = 60


def media_type_of(event: APIGatewayProxyEventV2) -> str:
    """The content type without its parameters; empty if the request has none.

    Raises
    ------
    UnsupportedContentTypeError
        If the body is compressed.
    """
    encoding = event.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedContentTypeError(
            f"The body is compressed (content-encoding: {encoding[:_SHOWN]}); send the file as it is, "
            "without this header"
        )
    return event.headers.get("content-type", "").partition(";")[0].strip().lower()


def video_type_of(media_type: str) -> VideoContentType:
    """The content type of a video that is the whole body.

    Raises
    ------
    UnsupportedContentTypeError
        If it is not one of a video; the message says what to send.
    """
    known = video_content_type(media_type or DEFAULT_CONTENT_TYPE)
    if known is not None:
        return known
    if media_type == _CURLS_DEFAULT:
        raise UnsupportedContentTypeError(
            f"The content type is {_CURLS_DEFAULT}, which curl sends if none is named; name that of the "
            "video: -H 'content-type: video/mp4'"
        )
    raise UnsupportedContentTypeError(
        f"The content type {media_type[:_SHOWN]!r} is not supported. "
        f"{UnsupportedContentTypeError.default_message}"
    )
