"""Whether a file is an MP4, decided by its first bytes and never by a name or a declared type.

Source: ISO/IEC 14496-12 (ISO base media file format), section 4.3 "File Type Box"; brands as
registered at mp4ra.org.
"""

from __future__ import annotations

from video_jobs.domain.errors import InvalidVideoError

MP4_HEAD_BYTES = 4096
"""How many bytes of a file `check_mp4_head` needs at most."""

_SMALLEST_FTYP = 16
MP4_BRANDS = frozenset(
    {b"isom", b"mp41", b"mp42", b"mp71", b"avc1", b"hvc1", b"dash", b"cmfc", b"M4V ", b"M4VH", b"M4VP"}
    | {b"MSNV", b"NDSC", b"NDSH", b"f4v ", b"F4V ", b"XAVC", b"3gp4", b"3gp5", b"3gp6"}
    | {f"iso{digit}".encode() for digit in "23456789abc"}
)
_FOREIGN_STARTS = {
    b"\x1a\x45\xdf\xa3": "it is a WebM or Matroska file",
    b"RIFF": "it is an AVI or WAV file",
    b"\x00\x00\x01\xba": "it is an MPEG program file",
    b"FLV": "it is a Flash video",
    b"%PDF": "it is a PDF",
    b"PK\x03\x04": "it is a ZIP archive",
}
_HINT = "send an MP4 (for example: ffmpeg -i input -c:v libx264 -pix_fmt yuv420p output.mp4)"


def check_mp4_head(head: bytes) -> None:
    """Check that a file starts as an MP4 does.

    Parameters
    ----------
    head
        The first bytes of the file; `MP4_HEAD_BYTES` of them are always enough.

    Raises
    ------
    InvalidVideoError
        If the file does not start with an ``ftyp`` box of an MP4 brand; the message says why.
    """
    reason = _why_not_mp4(head)
    if reason is not None:
        raise InvalidVideoError(f"Invalid MP4 file: {reason}; {_HINT}")


def _why_not_mp4(head: bytes) -> str | None:
    if not head:
        return "it is empty"
    for start, what in _FOREIGN_STARTS.items():
        if head.startswith(start):
            return what
    if head[4:8] != b"ftyp":
        return "it does not start with an ftyp box"
    size = int.from_bytes(head[:4], "big")
    if not _SMALLEST_FTYP <= size <= MP4_HEAD_BYTES or size % 4 or len(head) < size:
        return "its ftyp box is broken or cut off"
    return _why_not_brand(head[8:12], head[16:size])


def _why_not_brand(major: bytes, compatible: bytes) -> str | None:
    brands = {major} | {compatible[at : at + 4] for at in range(0, len(compatible), 4)}
    if brands & MP4_BRANDS:
        return None
    if major == b"qt  ":
        return "it is a QuickTime file (MOV)"
    return f"its brand {major.decode('latin-1')!r} is not one of MP4"
