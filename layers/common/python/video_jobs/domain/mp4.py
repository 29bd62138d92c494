"""Whether a file is built as an MP4 or MOV, told by its first bytes and never by a name or a declared type.

Both are a row of boxes, each with its size and a type of four characters. Sources: ISO/IEC 14496-12 (ISO
base media file format), sections 4.2 "Object structure" and 4.3 "File Type Box"; Apple's QuickTime File
Format Specification, which has no file type box.
"""

from __future__ import annotations

from dataclasses import dataclass

from video_jobs.domain.errors import InvalidVideoError
from video_jobs.domain.foreign_files import FOREIGN_BRANDS, is_text, name_of_foreign_file

MP4_HEAD_BYTES = 4096
"""How many bytes of a file `check_mp4_head` needs at most."""

_FILE_TYPE_BOXES = frozenset({b"ftyp", b"styp"})
_MEDIA_BOXES = frozenset({b"moov", b"mdat", b"moof", b"imda"})
_PADDING_BOXES = frozenset({b"free", b"skip", b"wide", b"junk"})
_OTHER_BOXES = frozenset(
    {b"uuid", b"sidx", b"ssix", b"prft", b"emsg", b"pdin", b"meta", b"meco", b"mfra", b"udta", b"bloc"}
    | {b"pnot", b"pict", b"PICT", b"prfl", b"ediw", b"jP  "}
)
_KNOWN_BOXES = _FILE_TYPE_BOXES | _MEDIA_BOXES | _PADDING_BOXES | _OTHER_BOXES
_SIZE_TO_THE_END, _SIZE_FOLLOWS = 0, 1
_FILE_TYPE_BYTES = range(8, 1 << 20)
"""Bytes of a file type box behind its header: major brand, version, compatible brands."""

_LARGEST_UNKNOWN = 1 << 24
"""Larger boxes of an unknown type are not believed: text, read as a size, is larger."""

_NO_BOXES = "it does not start with the boxes of an MP4 or MOV"
_REMEDY = (
    "send a video as MP4 or MOV (this makes an MP4 of most videos: "
    "ffmpeg -i input -c:v libx264 -pix_fmt yuv420p output.mp4)"
)


@dataclass(frozen=True, slots=True)
class _Box:
    """A box of the file.

    Attributes
    ----------
    start, header
        Where it begins, and how many bytes its header has.
    size
        How many bytes it has with its header; None if it goes on to the end of the file.
    """

    kind: bytes
    start: int
    header: int
    size: int | None

    def __str__(self) -> str:
        return f"{self.kind.decode('latin-1')!r} box"


def check_mp4_head(head: bytes) -> None:
    """Check that a file starts as an MP4 or MOV does, whatever its brand.

    Parameters
    ----------
    head
        The first bytes of the file; `MP4_HEAD_BYTES` of them are always enough.

    Raises
    ------
    InvalidVideoError
        If the file is known to be something else, or does not start with the boxes of an MP4 or MOV; the
        message says which.
    """
    reason = _why_not_mp4(head)
    if reason is not None:
        raise InvalidVideoError(f"Invalid MP4 file: {reason}; {_REMEDY}")


def _why_not_mp4(head: bytes) -> str | None:
    if not head:
        return "it is empty"
    if head[4:8] not in _KNOWN_BOXES or (head.isascii() and is_text(head)):
        foreign = name_of_foreign_file(head)
        if foreign is not None:
            return f"it is {foreign}"
    return _why_not_boxes(head)


def _why_not_boxes(head: bytes) -> str | None:
    """Look at one box after the other, until one tells what the file is or ``head`` ends."""
    at, has_media = 0, False
    while (box := _box_at(head, at)) is not None:
        broken = _why_broken(box)
        if broken is not None:
            return None if has_media else broken
        if box.kind in _FILE_TYPE_BOXES:
            return _why_not_file_type(box, head)
        has_media |= box.kind in _MEDIA_BOXES
        at = len(head) + 1 if box.size is None else at + box.size
    if has_media or at > len(head) or len(head) >= MP4_HEAD_BYTES:
        return None  # what `head` does not show, the worker sees
    return "it ends before any video begins" if at else _NO_BOXES


def _box_at(head: bytes, at: int) -> _Box | None:
    """The box at a position; None if ``head`` does not show its whole header."""
    first, kind = int.from_bytes(head[at : at + 4], "big"), head[at + 4 : at + 8]
    header = 16 if first == _SIZE_FOLLOWS else 8
    if at + header > len(head):
        return None
    size = int.from_bytes(head[at + 8 : at + 16], "big") if first == _SIZE_FOLLOWS else first
    return _Box(kind, at, header, None if first == _SIZE_TO_THE_END else size)


def _why_broken(box: _Box) -> str | None:
    if not all(0x20 <= code < 0x7F for code in box.kind):
        return "its first boxes are followed by something else" if box.start else _NO_BOXES
    if box.size is not None and not box.header <= box.size < 1 << 63:
        return f"its {box} is broken: it cannot have {box.size} bytes"
    if box.kind in _MEDIA_BOXES | _OTHER_BOXES:
        return None
    if box.size is None:
        return f"its {box} has no size, so no video can follow it"
    if box.kind not in _KNOWN_BOXES and box.size > _LARGEST_UNKNOWN:
        return _NO_BOXES
    return None


def _why_not_file_type(box: _Box, head: bytes) -> str | None:
    """Judge by the brands; ``box`` is no larger than they need."""
    size = box.size or 0
    content = head[box.start + box.header : box.start + size]
    if size - box.header not in _FILE_TYPE_BYTES:
        return f"its {box} is broken: it cannot have {size} bytes"
    if box.start + size > len(head) and len(head) < MP4_HEAD_BYTES:
        return f"it is cut off inside its {box}"
    compatible = {content[at : at + 4] for at in range(8, len(content) - 3, 4)} - {bytes(4)}
    return _why_not_brands(content[:4], compatible)


def _why_not_brands(major: bytes, compatible: set[bytes]) -> str | None:
    """The major brand tells, unless all compatible ones are those of something else."""
    foreign = [brand for brand in (major, *sorted(compatible)) if brand in FOREIGN_BRANDS]
    if major in FOREIGN_BRANDS or (compatible and compatible <= FOREIGN_BRANDS.keys()):
        return f"it is {FOREIGN_BRANDS[foreign[0]]} (brand {foreign[0].decode()!r})"
    return None
