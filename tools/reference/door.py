"""What the console needs to refuse a file as the service would, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from video_jobs.domain import foreign_files, mp4
from video_jobs.domain.errors import InvalidVideoError

_NOISE = bytes(range(1, 250)) * 20


def door_tables() -> str:
    """The tables of the rules as JSON; bytes as hexadecimal digits."""
    tables = {
        "headBytes": mp4.MP4_HEAD_BYTES,
        "fileTypeBoxes": _hex_all(mp4._FILE_TYPE_BOXES),
        "mediaBoxes": _hex_all(mp4._MEDIA_BOXES),
        "paddingBoxes": _hex_all(mp4._PADDING_BOXES),
        "otherBoxes": _hex_all(mp4._OTHER_BOXES),
        "brands": _hex_keys(foreign_files.FOREIGN_BRANDS),
        "starts": {name: [one.hex() for one in starts] for name, starts in foreign_files._STARTS.items()},
        "startLikeWords": sorted(foreign_files._START_LIKE_WORDS),
        "riff": _hex_keys(foreign_files._RIFF),
        "textStarts": _hex_keys(foreign_files._TEXT_STARTS),
        "remedy": mp4._REMEDY,
    }
    return json.dumps(tables, indent=2) + "\n"


def door_cases() -> str:
    """Beginnings of files, each with what the service says of it; the console's tests say the same."""
    cases = (json.dumps({"head": head.hex(), "refusal": _refusal(head)}) for head in _heads())
    return "[\n" + ",\n".join(cases) + "\n]\n"


def _hex_all(values: frozenset[bytes]) -> list[str]:
    return sorted(value.hex() for value in values)


def _hex_keys(values: Mapping[bytes, str]) -> dict[str, str]:
    return {key.hex(): text for key, text in values.items()}


def _refusal(head: bytes) -> str | None:
    try:
        mp4.check_mp4_head(head)
    except InvalidVideoError as error:
        return error.message
    return None


def _heads() -> Iterator[bytes]:
    yield from (_box(b"ftyp", major + b"\0\0\2\0" + others) for major, others in _BRANDS)
    yield from (_box(b"ftyp", brand + b"\0\0\2\0" + brand) for brand in foreign_files.FOREIGN_BRANDS)
    for starts in foreign_files._STARTS.values():
        yield from (start + _NOISE[:30] for start in starts)
    yield from (b"RIFF\x10\0\0\0" + kind + _NOISE[:40] for kind in (*foreign_files._RIFF, b"sfbk"))
    yield from (b"\xef\xbb\xbf \n" + start + b" x>" for start in foreign_files._TEXT_STARTS)
    yield from _OTHERS


def _box(kind: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    return (8 + len(content) if size is None else size).to_bytes(4, "big") + kind + content


_BRANDS: tuple[tuple[bytes, bytes], ...] = (
    (b"isom", b"iso2avc1mp41"),
    (b"qt  ", b"qt  "),
    (b"M4V ", b"M4A mp42"),
    (b"isom", b"mif1isom"),
    (b"isom", b"mif1heic"),
    (b"abcd", b""),
    (b"isom", b"isom\0\0\0\0"),
)
_OTHERS: tuple[bytes, ...] = (
    b"",
    b"\0",
    b"hello world, this is a text\n",
    b"BMW and MINI, a list\n",
    b"MZ is no program here\n",
    b"--a\r\nContent-Disposition: form-data; name=file\r\n\r\n",
    b'<?xml version="1.0"?>\n<svg xmlns="x">',
    b'<?xml version="1.0"?><MPD>',
    b"#EXTM3U\n#EXT-X-VERSION:3\n",
    b"#!/bin/sh\n",
    b"G" + bytes(range(1, 188)) + b"G" + bytes(range(1, 188)) + b"G\1\2",
    bytes(4) + (b"G" + bytes(191)) * 3,
    bytes(257) + b"ustar" + bytes(30),
    bytes(300),
    _box(b"moov", _NOISE[:90]),
    _box(b"moof", _NOISE[:50]),
    _box(b"mdat", _NOISE[:50], size=0),
    _box(b"mdat", _NOISE[:50], size=3),
    _box(b"wide") + _box(b"mdat", b"", size=0),
    _box(b"free", b"x" * 20, size=0),
    _box(b"free", b"x" * 20),
    _box(b"free", bytes(4088)),
    _box(b"free", size=4) + bytes(20),
    _box(b"qqzz", b"made up") + _box(b"ftyp", b"isom\0\0\2\0isom"),
    _box(b"qqzz", b"made up", size=1 << 25),
    _box(b"skip", b"x" * 90) + _NOISE[:50],
    _box(b"mdat", _NOISE[:90]) + _NOISE[:60],
    _box(b"ftyp", b"isom"),
    _box(b"ftyp", b"isom\0\0\2\0isom", size=400),
    _box(b"ftyp", b"isom\0\0\2\0isom", size=2 << 20),
    b"\0\0\0\1ftyp\0\0\0\0\0\0\0\x1cisom\0\0\2\0iso2",
    b"\0\0\0\1mdat\0\0\0\5\0\0\0\0" + _NOISE[:40],
    b"\0\0\0\1mdat\xff\0\0\5\0\0\0\0" + _NOISE[:40],
    _box(b"styp", b"msdh\0\0\0\0msdh") + _box(b"sidx", _NOISE[:32]),
    _box(b"jP  ", b"\r\n\x87\n") + _box(b"ftyp", b"jp2 \0\0\0\0jp2 "),
)
