"""Names of what people send in place of an MP4 or MOV, told by the first bytes.

Sources: the specification of each format; brands as registered at mp4ra.org.
"""

from __future__ import annotations

from collections.abc import Mapping

FOREIGN_BRANDS: Mapping[bytes, str] = {
    brand.encode(): name
    for name, brands in {
        "a HEIC or HEIF image": (
            "heic heix heim heis hevc hevx hevm hevs mif1 mif2 mif3 msf1 miaf MiHB MiHE MiHA "
            "avci avcs jpeg jpgs j2ki j2is vvic vvis evbi evbs evmi evms jxsi"
        ),
        "an AVIF image": "avif avis avio MA1A MA1B",
        "a JPEG 2000 image": "jp2  jpx  jpm  jph  jpxb",
        "a JPEG XL image": "jxl ",
        "a JPEG XS image": "jxs ",
        "a Canon raw image (CR3)": "crx ",
        "an M4A audio file": "M4A ",
        "an audiobook (M4B)": "M4B  aax  aaxc",
        "a protected audio file (M4P)": "M4P ",
        "a Flash audio file (F4A)": "F4A  F4B ",
    }.items()
    for brand in (brands[at : at + 4] for at in range(0, len(brands), 5))
}
"""Brands of files that are built like an MP4, but hold stills or sound."""

_FIRST_UNITS = (
    *(b"\x67", b"\x27", b"\x47", b"\x09", b"\x06"),
    *(b"\x40\1", b"\x42\1", b"\x46\1", b"\x4e\1"),
    *(b"\0\x71", b"\0\x79", b"\0\x81", b"\0\xa1"),
)
"""Headers of the units with which a raw H.264, H.265 or H.266 stream begins."""

_STARTS: Mapping[str, tuple[bytes, ...]] = {
    "a WebM or Matroska file": (b"\x1a\x45\xdf\xa3",),
    "an MPEG program stream (MPG or VOB)": (b"\0\0\1\xba",),
    "a raw MPEG video": (b"\0\0\1\xb3", b"\0\0\1\xb0", b"\0\0\1\xb5", b"\0\0\1\xb6", b"\0\0\1\xe0"),
    "a raw H.264, H.265 or H.266 video": tuple(
        start + unit for start in (b"\0\0\1", b"\0\0\0\1") for unit in _FIRST_UNITS
    ),
    "a raw AV1 video": (b"\x12\0\x0a",),
    "an FLV file (Flash video)": (b"FLV",),
    "a Flash film (SWF)": (b"FWS", b"CWS", b"ZWS"),
    "an ASF file (WMV or WMA)": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",),
    "an Ogg file": (b"OggS",),
    "a RealMedia file": (b".RMF", b".ra\xfd"),
    "an MXF file": (b"\x06\x0e\x2b\x34",),
    "a GXF file": (b"\0\0\0\0\1\xbc",),
    "a raw DV file": (b"\x1f\x07\0",),
    "an IVF file": (b"DKIF",),
    "a Y4M file (raw pictures)": (b"YUV4MPEG2",),
    "a NUT file": (b"nut/multimedia container",),
    "a Windows recording (WTV)": (b"\xb7\xd8\0\x20\x37\x49\xda\x11",),
    "an MP3 file": (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2"),
    "an AAC file": (b"\xff\xf1", b"\xff\xf9", b"ADIF"),
    "a FLAC file": (b"fLaC",),
    "an AIFF file": (b"FORM",),
    "a CAF audio file": (b"caff",),
    "an AMR audio file": (b"#!AMR",),
    "an AC-3 audio file": (b"\x0b\x77",),
    "a Sun audio file (AU)": (b".snd",),
    "a WAV file": (b"riff\x2e\x91\xcf\x11",),
    "a MIDI file": (b"MThd",),
    "a JPEG image": (b"\xff\xd8\xff",),
    "a PNG image": (b"\x89PNG", b"\x8aMNG"),
    "a GIF image": (b"GIF8",),
    "a BMP image": (b"BM",),
    "a TIFF or camera raw image": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIU\0", b"IIRO", b"FUJIFILM"),
    "a Photoshop image": (b"8BPS",),
    "an icon (ICO)": tuple(b"\0\0\1\0" + bytes([count, 0]) for count in range(1, 17)),
    "a JPEG 2000 image": (b"\xff\x4f\xff\x51",),
    "a JPEG XL image": (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    "an OpenEXR image": (b"\x76\x2f\x31\x01",),
    "a DPX image": (b"SDPX", b"XPDS"),
    "a PNM image": tuple(b"P%d\n" % kind for kind in range(1, 8)),
    "a QOI image": (b"qoif",),
    "a PDF": (b"%PDF",),
    "a ZIP archive": (b"PK\3\4", b"PK\5\6", b"PK\7\x08"),
    "a RAR archive": (b"Rar!",),
    "a 7-Zip archive": (b"7z\xbc\xaf\x27\x1c",),
    "compressed with gzip": (b"\x1f\x8b",),
    "compressed with bzip2": (b"BZh",),
    "compressed with xz": (b"\xfd7zXZ",),
    "compressed with Zstandard": (b"\x28\xb5\x2f\xfd",),
    "an Office document of the old kind": (b"\xd0\xcf\x11\xe0",),
    "a database (SQLite)": (b"SQLite format 3",),
    "a program": (b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe"),
    "a text in UTF-16": (b"\xff\xfe", b"\xfe\xff"),
}
_START_LIKE_WORDS = frozenset(
    {"a BMP image", "a program", "an AIFF file", "an MP3 file", "a Flash film (SWF)"}
)
"""A text may begin with the same letters."""

_RIFF = {b"AVI ": "an AVI file", b"AVIX": "an AVI file", b"WAVE": "a WAV file", b"WEBP": "a WebP image"}
_TEXT_STARTS = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<svg": "an SVG image",
    b"<mpd": "a DASH playlist (MPD)",
    b"<": "an XML text",
    b"{\\rtf": "a text (RTF)",
    b"{": "a JSON text",
    b"[": "a JSON text",
    b"#extm3u": "an HLS playlist (M3U8)",
    b"#!": "a script",
}
_FORM_START = b"--"
_TS_SYNC = b"G"
_TS_PACKET_BYTES = (188, 192, 204)
_TEXT_CONTROLS = b"\t\n\v\f\r\x1b"
_NO_TEXT = bytes(code for code in range(0x20) if code not in _TEXT_CONTROLS)


def name_of_foreign_file(head: bytes) -> str | None:
    """What a file is that is not built of boxes, with its article ("a PNG image"); None if unknown."""
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return _RIFF.get(head[8:12], "a RIFF file")
    is_plain = head.isascii() and is_text(head)
    for name, starts in _STARTS.items():
        if head.startswith(starts) and not (is_plain and name in _START_LIKE_WORDS):
            return name
    if head.startswith(_FORM_START) and b"content-disposition" in head[:1024].lower():
        return "a form that was sent as a video"
    if is_text(head):
        return _name_of_text(head)
    if _is_mpeg_ts(head):
        return "an MPEG transport stream (TS or M2TS)"
    return "a TAR archive" if head[257:262] == b"ustar" else None


def is_text(head: bytes) -> bool:
    """Whether a text could begin so: no byte is one of the control characters that no text has."""
    return len(head.translate(None, _NO_TEXT)) == len(head)


def _name_of_text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"<?xml"):
        _, _, after = start.partition(b"?>")
        start = after.lstrip() or start
    return next((name for mark, name in _TEXT_STARTS.items() if start.startswith(mark)), "a text")


def _is_mpeg_ts(head: bytes) -> bool:
    """Whether every packet begins with the sync byte; the first packet may be cut off."""
    return any(
        _has_only_sync(head[start::size])
        for size in _TS_PACKET_BYTES
        if len(head) >= 2 * size
        for start in range(size)
    )


def _has_only_sync(starts: bytes) -> bool:
    return starts.count(_TS_SYNC) == len(starts)
