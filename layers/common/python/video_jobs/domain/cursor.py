"""Opaque cursors: where the next page of a list begins.

A checksum binds a cursor to its scope (the owner of the list and its filters), so that a changed cursor, or
one of another list, is refused instead of returning a wrong page. It needs no secret, because a list
contains only its caller's own items. So anybody can make a cursor of any position: those who decode one
check the position.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from video_jobs.domain.errors import InvalidCursorError

_CHECKSUM_BYTES = 12
_MAX_LENGTH = 400


def encode_cursor(position: str, *scope: str | None) -> str:
    """A cursor for ``position`` in the list of ``scope``."""
    content = position.encode()
    return urlsafe_b64encode(_checksum(content, scope) + content).decode().rstrip("=")


def decode_cursor(cursor: str, *scope: str | None) -> str:
    """The position that a cursor stands for.

    Raises
    ------
    InvalidCursorError
        If the cursor was not made for this list.
    """
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except ValueError:
        raise InvalidCursorError from None
    checksum, content = raw[:_CHECKSUM_BYTES], raw[_CHECKSUM_BYTES:]
    if len(cursor) > _MAX_LENGTH or checksum != _checksum(content, scope):
        raise InvalidCursorError
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidCursorError from None


def _checksum(content: bytes, scope: tuple[str | None, ...]) -> bytes:
    return sha256(repr((content, scope)).encode()).digest()[:_CHECKSUM_BYTES]
