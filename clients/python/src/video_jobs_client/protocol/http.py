"""What both drivers share: how a request is handed to the HTTP library, and what comes back."""

from __future__ import annotations

import logging
import math
import re
from typing import Any, TypeVar

import httpx2

from video_jobs_client.addresses import SettingsError, is_loopback
from video_jobs_client.errors import ArgumentError, TokenProviderError, UnexpectedAnswerError
from video_jobs_client.protocol.effects import Answer, NoAnswer, Request
from video_jobs_client.settings import checked_token

HttpT = TypeVar("HttpT", httpx2.Client, httpx2.AsyncClient)
TRANSPORT_ERRORS = (httpx2.TransportError, httpx2.DecodingError, httpx2.TooManyRedirects)


_QUERY = re.compile(r"\?[^\s\"']+")


class _NoQueries(logging.Filter):
    """Takes queries out of what is logged, because they may hold a signature."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "?" in message:
            record.msg, record.args = _QUERY.sub("?…", message), ()
        return True


_NO_QUERIES = _NoQueries()
_LOGGERS = ("httpx2", "httpcore2.http11", "httpcore2.http2")
"""Those of the library that log URLs and headers."""


def http_client(kind: type[HttpT], url: str, transport: Any = None, **settings: Any) -> HttpT:
    """The library's client for a server; from now on, no query is logged.

    Raises
    ------
    SettingsError
        If a proxy or a certificate of the environment cannot be used; the message does not show it.
    """
    hide_queries()
    try:
        # A proxy is another machine: what is for this one, perhaps without encryption, does not go there.
        return kind(transport=transport, trust_env=not is_loopback(url), **settings)
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise SettingsError(
            f"HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE or SSLKEYLOGFILE cannot be used: {_why_unusable(error)}"
        ) from None


def _why_unusable(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "a SOCKS proxy needs the package socksio"
    if isinstance(error, OSError):
        return f"a file of them cannot be used ({error.strerror or error})"
    return "the address of a proxy begins with http:// or https:// and has a host"  # it may hold a password


def hide_queries() -> None:
    """From now on, the library logs URLs without their queries."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_NO_QUERIES)


def prepared(request: Request, token: str | None, within_s: float | None) -> dict[str, Any]:
    """The arguments of the library's ``stream``, without the content.

    Raises
    ------
    ArgumentError
        If no request can have this path, query or header.
    UnexpectedAnswerError
        If it is for a URL of an answer, which is none.
    """
    headers = dict(request.headers)
    content = request.content
    if content is not None and not isinstance(content, bytes):
        headers["content-length"] = str(content.size_bytes)  # S3 takes no body of unknown length
    if token := checked_token(token):
        headers["authorization"] = f"Bearer {token}"
    try:
        url, told = _url_of(request), _checked_headers(headers)
    except (httpx2.InvalidURL, UnicodeError, TypeError) as error:
        if request.is_signed:
            raise UnexpectedAnswerError(f"The service answered with a URL that is none: {error}") from None
        raise ArgumentError(f"The request cannot be sent: {error}") from None
    timeout_s = request.timeout_s if within_s is None else min(request.timeout_s, within_s)
    return {
        "method": request.method,
        "url": url,
        "headers": told,
        "timeout": None if timeout_s == math.inf else timeout_s,
        "follow_redirects": request.is_signed,
    }


def _url_of(request: Request) -> httpx2.URL:
    params = {name: value for name, value in request.params.items() if value is not None}
    # an empty query would take a signature away
    return httpx2.URL(request.url, params=params) if params else httpx2.URL(request.url)


def _checked_headers(headers: dict[str, str]) -> httpx2.Headers:
    checked = httpx2.Headers(headers)
    if any(letter in value for value in checked.values() for letter in "\r\n\0"):
        raise TypeError("a header has one line")
    return checked


def received(response: httpx2.Response, content: bytes) -> Answer:
    """The answer with its body; a redirect that would turn an upload into a GET is the answer itself."""
    first = response.history[0] if response.history else response
    if first.request.method != response.request.method:
        return Answer(first.status_code, dict(first.headers), b"")
    return Answer(response.status_code, dict(response.headers), content)


def no_answer(error: Exception) -> NoAnswer:
    """Why nothing came back, in words that hold no URL."""
    name = type(error).__name__
    reason = _REASONS.get(name, f"the connection broke: {name}")
    return NoAnswer(reason, was_sent=not isinstance(error, _BEFORE_IT_WAS_SENT))


def failed_provider(error: Exception) -> TokenProviderError:
    """What a token provider failed with, told apart from what the service fails with."""
    return TokenProviderError(f"The token_provider failed with {type(error).__name__}: {error}")


_BEFORE_IT_WAS_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_REASONS = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "no answer in time",
    "WriteTimeout": "the request could not be sent in time",
    "PoolTimeout": "too many requests at the same time",
    "RemoteProtocolError": "the connection was closed before the answer was complete",
    "ReadError": "the connection was closed while it answered",
    "WriteError": "the connection was closed while the request was sent",
}
