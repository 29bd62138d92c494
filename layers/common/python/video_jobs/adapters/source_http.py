"""Reads videos from the URLs that clients submit; neither the URLs nor the servers are trusted.

Each connection is pinned to an address that was checked (`pinned_https`), that of each redirect, too.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

from video_jobs.adapters.pinned_https import (
    Connect,
    NoAddressError,
    Resolve,
    TimedConnection,
    UnreachableAddressError,
    checked_address,
    pinned_connection,
    resolve,
)
from video_jobs.domain.addresses import ForbiddenAddressError
from video_jobs.domain.errors import (
    SourceForbiddenAddressError,
    SourceInterruptedError,
    SourceNotFoundError,
    SourceRedirectError,
    SourceRefusedError,
    SourceUnreachableError,
)
from video_jobs.domain.sources import HTTPS_PORT, MAX_REDIRECTS, check_source_url
from video_jobs.source_ports import SourceAnswer

WAIT_LIMIT_S = 20.0
"""For the head of an answer, connecting and TLS included, and for each further wait for bytes."""

BODY_LIMIT_S = 840.0
"""For a whole body, whatever comes: a bit less than a function may run."""

_BLOCK_BYTES = 1 << 18
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_FOUND = frozenset({404, 410})
_MAY_PASS = frozenset({408, 425, 429})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]{1,1000}"')


@dataclass(frozen=True, slots=True)
class _Reply:
    """The head of an answer, and the connection on which its body comes."""

    connection: TimedConnection
    response: HTTPResponse

    @property
    def status(self) -> int:
        return self.response.status

    def header(self, name: str) -> str:
        return str(self.response.getheader(name, "")).strip()

    @property
    def etag(self) -> str | None:
        """The strong ETag; None if there is none, or the server says that it does not go on."""
        named = self.header("etag")
        can_go_on = self.header("accept-ranges").lower() != "none" and _STRONG_ETAG.fullmatch(named)
        return named if can_go_on else None


class HttpsSourceReader:
    """HTTPS with verified certificates, no proxy, and few redirects.

    Parameters
    ----------
    resolve
        Returns the addresses of a host; by default those of the system's resolver.
    connect
        Opens a connection to an address that was checked.
    wait_s
        Seconds after which a server that sends nothing is given up.
    """

    def __init__(
        self,
        resolve: Resolve = resolve,
        connect: Connect = socket.create_connection,
        wait_s: float = WAIT_LIMIT_S,
    ) -> None:
        self._resolve = resolve
        self._connect = connect
        self._wait_s = wait_s

    @contextmanager
    def open(self, url: str, start: int = 0, etag: str | None = None) -> Iterator[SourceAnswer]:
        """GET the file, or what is left of it."""
        with ExitStack() as opened:
            reply = self._followed(opened, url, _headers(start, etag))
            answer = _answer_of(reply, start, etag)
            if answer is None:  # it is not the rest of the content that was asked for
                opened.close()
                reply = self._followed(opened, url, _headers(0, None))
                answer = _answer_of(reply, 0, None)
            if answer is None:
                raise SourceRefusedError("The server of the source_url gives only a part of the file.")
            yield replace(answer, blocks=_blocks(reply, answer))

    def _followed(self, opened: ExitStack, url: str, headers: Mapping[str, str]) -> _Reply:
        """The answer at the end of the redirects, of which each is checked as the first URL is."""
        for _ in range(MAX_REDIRECTS + 1):
            reply = self._asked(opened, _checked(url), headers)
            if reply.status not in _REDIRECTS:
                _check_status(reply)
                return reply
            opened.close()
            url = urldefrag(_joined(url, reply.header("location"))).url
        raise SourceRedirectError(f"The source_url redirects more than {MAX_REDIRECTS} times.")

    def _asked(self, opened: ExitStack, url: SplitResult, headers: Mapping[str, str]) -> _Reply:
        host = url.hostname or ""
        address = self._checked_address(host)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        try:
            connection = opened.enter_context(
                pinned_connection(host, (address, HTTPS_PORT), self._wait_s, self._connect, whole=True)
            )
            connection.http.request("GET", target, headers={**headers, "host": url.netloc})
            return _Reply(connection, opened.enter_context(closing(connection.http.getresponse())))
        except ssl.SSLCertVerificationError:
            raise SourceUnreachableError("The server of the source_url has no valid certificate.") from None
        except (OSError, HTTPException) as exc:  # what the server sent stays out of the log
            raise SourceUnreachableError(
                f"The server of the source_url could not be reached ({type(exc).__name__}).", may_pass=True
            ) from None

    def _checked_address(self, host: str) -> str:
        try:
            return checked_address(host, HTTPS_PORT, self._resolve)
        except NoAddressError:
            raise SourceUnreachableError(
                "The host of the source_url has no address.", may_pass=True
            ) from None
        except UnreachableAddressError:
            raise SourceForbiddenAddressError from None


def _headers(start: int, etag: str | None) -> Mapping[str, str]:
    headers = {"accept-encoding": "identity", "user-agent": "ForgeSyte-Video-Jobs"}
    if not start or etag is None:
        return headers
    return {**headers, "range": f"bytes={start}-", "if-range": etag}


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise SourceRedirectError("The source_url redirects to what is no URL.") from None


def _checked(url: str) -> SplitResult:
    try:
        check_source_url(url)
    except ForbiddenAddressError:
        raise SourceForbiddenAddressError from None
    except ValueError as exc:
        raise SourceRedirectError(f"The source_url redirects to a URL that is not taken: it {exc}.") from None
    return urlsplit(url)


def _check_status(reply: _Reply) -> None:
    status = reply.status
    if status in _NOT_FOUND:
        raise SourceNotFoundError
    if status >= 500 or status in _MAY_PASS:
        raise SourceUnreachableError(f"The server of the source_url answers {status}.", may_pass=True)
    if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
        raise SourceRefusedError(
            f"The server of the source_url answers {status}; a signed URL may have expired."
        )
    if reply.header("content-encoding").lower() not in ("", "identity"):
        raise SourceRefusedError("The server of the source_url compresses the file; have it sent as it is.")


def _answer_of(reply: _Reply, start: int, etag: str | None) -> SourceAnswer | None:
    """The answer without its blocks; None if it is neither the whole file nor the rest that was asked for."""
    if reply.status == HTTPStatus.OK:
        size_bytes = reply.response.length
        etag = None if size_bytes is None else reply.etag
        return SourceAnswer(start=0, size_bytes=size_bytes, etag=etag, blocks=iter(()))
    part = _CONTENT_RANGE.fullmatch(reply.header("content-range"))
    if part is None or not start or int(part[1]) != start or reply.etag != etag:
        return None
    return SourceAnswer(start=start, size_bytes=int(part[2]), etag=etag, blocks=iter(()))


def _blocks(reply: _Reply, answer: SourceAnswer) -> Iterator[bytes]:
    """The body as it comes: `read1` never waits for more than what is there."""
    reply.connection.allow(BODY_LIMIT_S)
    left = None if answer.size_bytes is None else answer.size_bytes - answer.start
    try:
        while left != 0 and (block := reply.response.read1(_BLOCK_BYTES)):
            left = None if left is None else left - len(block)
            yield block
    except (OSError, HTTPException):
        raise _broken_off() from None
    if left:
        raise _broken_off()


def _broken_off() -> SourceInterruptedError:
    return SourceInterruptedError("The transfer from the source_url broke off.", may_pass=True)
