"""What only the boxes of a file tell: its brand, whether it is whole, and whether it is encrypted.

Everything else about a video comes from FFmpeg. Source: ISO/IEC 14496-12 and 23001-7 (common encryption);
box names are those of the standards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from video_jobs.domain.errors import UnreadableVideoError

from video_worker.video.file_view import VideoFile

_MAX_MOOV_BYTES = 256 << 20
_MAX_MOOF_BYTES = 1 << 20
_MAX_BOXES = 100_000
_MAX_FRAGMENTS_SEEN = 16
_PIFF_TRACK = bytes.fromhex("8974dbce7be74c5184f97148f9882554")
_PIFF_SAMPLES = bytes.fromhex("a2394f525a9b4f14a2446c427c648df4")
_PIFF_SYSTEM = bytes.fromhex("d08a4f1810f34a82b6c832d8aba183d3")
_PIFF = (_PIFF_TRACK, _PIFF_SAMPLES, _PIFF_SYSTEM)
_VISUAL_ENTRY_BYTES = 78


@dataclass(frozen=True, slots=True)
class TrackBoxes:
    """A track.

    Attributes
    ----------
    codec
        Four-character code of its first sample entry.
    encryption
        The scheme by which its samples are encrypted, such as ``cenc``; None if they are not.
    sizes
        Width and height in pixels that each of its sample entries tells.
    """

    codec: str
    encryption: str | None
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FileBoxes:
    """A file.

    Attributes
    ----------
    brand
        The major brand; empty if the file has no ``ftyp`` box.
    missing_bytes
        How many bytes are missing at its end, because it was cut off.
    tracks
        Its tracks, by ``track_ID``.
    is_fragmented
        Whether it has ``moof`` boxes, each with the index of some pictures.
    """

    brand: str
    missing_bytes: int
    tracks: dict[int, TrackBoxes]
    is_fragmented: bool


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    end: int


def read_boxes(file: VideoFile) -> FileBoxes:
    """Read the boxes of an open file.

    Raises
    ------
    UnreadableVideoError
        If it has no ``moov`` box.
    """
    size = file.size
    boxes = list(_top_level_boxes(file, size))
    moov = next((box for box in boxes if box.kind == b"moov"), None)
    if moov is None:
        raise _unreadable("it has no index (moov box), so it is cut off, unfinished or damaged")
    if moov.end - moov.start > _MAX_MOOV_BYTES:
        raise _unreadable("its index (moov box) is too large")
    ftyp = next((box for box in boxes if box.kind == b"ftyp"), None)
    brand = b"" if ftyp is None else file.read_whole(ftyp.start, 4)
    fragments = [box for box in boxes if box.kind == b"moof"]
    return FileBoxes(
        brand.decode("latin-1"),
        max(0, boxes[-1].end - size),
        _tracks(_content(file, moov), [_content(file, box) for box in fragments[:_MAX_FRAGMENTS_SEEN]]),
        bool(fragments),
    )


def _unreadable(reason: str) -> UnreadableVideoError:
    return UnreadableVideoError(f"Unable to read video file: {reason}; upload the whole, playable file")


def _content(file: VideoFile, box: _Box) -> memoryview:
    most = _MAX_MOOV_BYTES if box.kind == b"moov" else _MAX_MOOF_BYTES
    return memoryview(file.read_whole(box.start, min(most, box.end - box.start)))


def _top_level_boxes(file: VideoFile, size: int) -> Iterator[_Box]:
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 8 > size:
            return
        head = file.read_whole(at, 16)
        length, header = _length_of(head, size - at)
        if length < header:
            return
        yield _Box(head[4:8], at + header, at + length)
        at += length


def _length_of(head: bytes | memoryview, rest: int) -> tuple[int, int]:
    """Length of a box and of its header; ``rest`` is what is left of the box around it."""
    length = int.from_bytes(head[:4], "big")
    if length == 1:
        return int.from_bytes(head[8:16], "big"), 16
    return (rest if length == 0 else length), 8


def _children(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(data):
        length, header = _length_of(data[at : at + 16], len(data) - at)
        if length < header or at + length > len(data):
            return
        yield bytes(data[at + 4 : at + 8]), data[at + header : at + length]
        at += length


def _child(data: memoryview | None, *path: bytes) -> memoryview | None:
    for kind in path:
        if data is None:
            return None
        data = next((body for name, body in _children(data) if name == kind), None)
    return data


def _tracks(moov: memoryview, fragments: list[memoryview]) -> dict[int, TrackBoxes]:
    traks = [body for kind, body in _children(moov) if kind == b"trak"]
    found = {_track_id(trak): _track(trak) for trak in traks}
    scheme = _scheme_of_file(moov, list(found.values()))
    encrypted = _encrypted_fragments(fragments)
    for number, track in found.items():
        if track.encryption is None and (scheme or number in encrypted):
            found[number] = replace(track, encryption=scheme or "unknown")
    return found


def _track_id(trak: memoryview) -> int:
    header = _child(trak, b"tkhd") or b""
    at = 20 if header[:1] == b"\x01" else 12
    return int.from_bytes(header[at : at + 4], "big")


def _track(trak: memoryview) -> TrackBoxes:
    descriptions = _child(trak, b"mdia", b"minf", b"stbl", b"stsd") or memoryview(b"")
    entries = list(_children(descriptions[8:]))
    schemes = (_scheme_of_entry(kind, body) for kind, body in entries)
    codec = entries[0][0].decode("ascii", "replace") if entries else "?"
    sizes = tuple(_size_of_entry(body) for _, body in entries)
    return TrackBoxes(codec, next((scheme for scheme in schemes if scheme), None), sizes)


def _size_of_entry(entry: memoryview) -> tuple[int, int]:
    return int.from_bytes(entry[24:26], "big"), int.from_bytes(entry[26:28], "big")


def _scheme_of_entry(kind: bytes, entry: memoryview) -> str | None:
    """The scheme of a sample entry; one of a sound starts otherwise, so that its ``sinf`` is not found."""
    protection = _child(entry[_VISUAL_ENTRY_BYTES:], b"sinf")
    if protection is None:
        return "unknown" if kind in (b"encv", b"drmi") else None
    scheme = _child(protection, b"schm")
    return "unknown" if scheme is None else bytes(scheme[4:8]).decode("latin-1").strip("\0 ")


def _scheme_of_file(moov: memoryview, tracks: list[TrackBoxes]) -> str | None:
    """The encryption that the file states without a sample entry that has it.

    A ``pssh`` box belongs to some encrypted track. If that is a sound, it says nothing about the pictures.
    """
    explained = any(track.encryption or track.codec == "enca" for track in tracks)
    for kind, body in _children(moov):
        if kind == b"uuid" and bytes(body[:16]) in _PIFF:
            return "piff"
        if kind == b"pssh" and not explained:
            return "unknown"
    return None


def _encrypted_fragments(fragments: list[memoryview]) -> set[int]:
    """The tracks whose fragments state the encryption of their samples."""
    found = set()
    for moof in fragments:
        for kind, traf in _children(moof):
            header = _child(traf, b"tfhd") if kind == b"traf" else None
            if header is not None and _states_encryption(traf):
                found.add(int.from_bytes(header[4:8], "big"))
    return found


def _states_encryption(traf: memoryview) -> bool:
    return any(
        kind == b"senc" or (kind == b"uuid" and bytes(body[:16]) in _PIFF) for kind, body in _children(traf)
    )
