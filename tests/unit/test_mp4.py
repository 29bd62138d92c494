"""MP4 is recognised by its bytes."""

from __future__ import annotations

import pytest
from video_jobs.domain.errors import InvalidVideoError
from video_jobs.domain.mp4 import check_mp4_head


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + b"\0\0\2\0" + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize("major", [b"isom", b"mp42", b"avc1", b"M4V ", b"iso5"])
def test_an_mp4_brand_passes(major: bytes) -> None:
    check_mp4_head(ftyp(major) + b"\0" * 100)


def test_a_compatible_brand_is_enough() -> None:
    check_mp4_head(ftyp(b"qt  ", b"isom") + b"\0" * 100)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", "empty"),
        (b"just some text, renamed to .mp4", "ftyp"),
        (b"\x1a\x45\xdf\xa3" + b"\0" * 40, "WebM"),
        (ftyp(b"qt  ", b"qt  "), "QuickTime"),
        (ftyp(b"heic", b"mif1"), "heic"),
        (ftyp(b"isom", b"isom")[:14], "cut off"),
        (b"\xff\xff\xff\xfcftypisom" + b"\0" * 40, "broken"),
    ],
)
def test_anything_else_is_refused_with_the_reason(head: bytes, reason: str) -> None:
    with pytest.raises(InvalidVideoError, match=f"^Invalid MP4 file: .*{reason}"):
        check_mp4_head(head)
