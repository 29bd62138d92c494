"""Entity tags (RFC 9110, section 8.8.3), so that a client need not fetch an answer again."""

from __future__ import annotations

from hashlib import sha256


def weak_etag(*parts: object) -> str:
    """A tag that changes with any of ``parts``; weak, because signed URLs in an answer always differ."""
    return f'W/"{sha256(repr(parts).encode()).hexdigest()[:32]}"'


def is_matched(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has this answer already, by weak comparison."""
    known = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return "*" in known or etag.removeprefix("W/") in known
