"""Videos that the service fetches itself: which URLs it takes."""

from __future__ import annotations

from urllib.parse import urlsplit

from video_jobs.domain.addresses import check_https_url
from video_jobs.domain.errors import InvalidRequestError

MAX_SOURCE_URL_LENGTH = 8192
"""A presigned URL with a session token is longer than other URLs."""

MAX_REDIRECTS = 5
HTTPS_PORT = 443


def check_source_url(url: str) -> None:
    """Refuse a URL that cannot be a public HTTPS address on the usual port.

    No setting opens a network for sources: whoever may submit a job would reach what is in it.

    Raises
    ------
    ValueError
        If the URL is refused; the message says why, and does not repeat the URL.
    """
    check_https_url(url, longest=MAX_SOURCE_URL_LENGTH)
    if urlsplit(url).port not in (None, HTTPS_PORT):
        raise ValueError(f"must use port {HTTPS_PORT}")


def host_of_source(url: str) -> str:
    """The host of a URL that a client submits, which is all of it that is ever shown.

    Raises
    ------
    InvalidRequestError
        If the URL is refused; the message says why.
    """
    try:
        check_source_url(url)
    except ValueError as exc:
        raise InvalidRequestError(f"source_url: {exc}") from None
    return urlsplit(url).hostname or ""
