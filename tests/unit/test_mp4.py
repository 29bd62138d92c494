"""An MP4 or MOV is told by how it is built; anything else is refused by its name."""

from __future__ import annotations

import gzip
from contextlib import suppress

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from video_jobs.domain.errors import InvalidVideoError
from video_jobs.domain.foreign_files import FOREIGN_BRANDS
from video_jobs.domain.mp4 import MP4_HEAD_BYTES, check_mp4_head

NOISE = bytes(range(1, 250)) * 20


def box(kind: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    """A box; ``size`` in place of its true one."""
    return (8 + len(content) if size is None else size).to_bytes(4, "big") + kind + content


def long_box(kind: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    """A box with a size of 64 bits."""
    size = 16 + len(content) if size is None else size
    return b"\0\0\0\1" + kind + size.to_bytes(8, "big") + content


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    return box(b"ftyp", major + b"\0\0\2\0" + b"".join(compatible))


def refusal(head: bytes) -> str:
    """The sentence of the refusal."""
    with pytest.raises(InvalidVideoError) as refused:
        check_mp4_head(head[:MP4_HEAD_BYTES])
    assert refused.value.message.startswith("Invalid MP4 file: ")
    assert "send a video as MP4 or MOV" in refused.value.message
    return refused.value.message


PADDING = (box(b"free"), box(b"skip", b"x" * 90), box(b"wide"), box(b"uuid", NOISE[:40]), long_box(b"free"))
BEFORE = (*PADDING, box(b"mdat", NOISE[:300]), box(b"sidx", NOISE[:32]), box(b"qqzz", b"made up"))
BRANDS = st.binary(min_size=4, max_size=4)


# --- taken -------------------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from(BEFORE), max_size=5),
    BRANDS,
    st.lists(BRANDS, max_size=6),
    st.binary(max_size=99),
)
@example([], b"qt  ", [b"qt  "], b"")
@example([], b"qt  ", [b"mp42"], b"")
@example([], b"M4V ", [b"M4A ", b"mp42"], b"")
@example([], b"mjp2", [b"mjp2"], b"")
@example([], b"isom", [b"mif1", b"isom"], b"")
def test_any_brand_is_taken_behind_any_boxes_with_anything_after_it(
    before: list[bytes], major: bytes, compatible: list[bytes], after: bytes
) -> None:
    assume(major not in FOREIGN_BRANDS)
    assume(not compatible or set(compatible) - FOREIGN_BRANDS.keys() - {bytes(4)})
    check_mp4_head((b"".join(before) + ftyp(major, *compatible) + after)[:MP4_HEAD_BYTES])


@pytest.mark.parametrize(
    "head",
    [
        box(b"moov", NOISE),
        box(b"moof", NOISE[:50]),
        box(b"styp", b"msdh\0\0\0\0msdh") + box(b"sidx", NOISE),
        box(b"mdat", NOISE, size=0x7FFF_FFFF),
        box(b"mdat", NOISE, size=0),
        long_box(b"mdat", NOISE, size=5 << 32),
        box(b"wide") + box(b"mdat", b"", size=0),
        box(b"pnot", NOISE[:12]) + box(b"PICT", NOISE, size=60_000),
        box(b"free", bytes(MP4_HEAD_BYTES)),
        box(b"free", bytes(MP4_HEAD_BYTES - 8)),
        box(b"free", bytes(MP4_HEAD_BYTES - 20)) + long_box(b"mdat"),
        box(b"uuid", NOISE, size=1 << 30),
        box(b"qqzz", NOISE, size=70_000),
        box(b"jP  ", b"\r\n\x87\n") + ftyp(b"mjp2", b"mjp2"),
        long_box(b"ftyp", b"isom\0\0\2\0iso2"),
        ftyp(b"isom", *[b"iso2"] * 3000),
        box(b"mdat", NOISE[:90]) + NOISE,
        box(b"mdat", NOISE, size=int.from_bytes(b"BM\0\0", "big")),
    ],
    ids=range(18),
)
def test_a_file_without_a_file_type_in_its_head_is_taken(head: bytes) -> None:
    check_mp4_head(head[:MP4_HEAD_BYTES])


# --- something else ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("major", "name"),
    [
        (b"heic", "HEIC"),
        (b"mif1", "HEIC"),
        (b"msf1", "HEIC"),
        (b"avif", "AVIF"),
        (b"avis", "AVIF"),
        (b"M4A ", "M4A audio"),
        (b"M4B ", "audiobook"),
        (b"crx ", "CR3"),
        (b"jp2 ", "JPEG 2000"),
    ],
)
def test_a_brand_of_stills_or_sound_is_refused_whatever_else_the_file_claims_to_be(
    major: bytes, name: str
) -> None:
    for head in (ftyp(major), ftyp(major, b"isom", b"mp42", b"qt  ")):
        for before in (b"", *BEFORE):
            assert name in refusal(before + head + NOISE)


def test_an_unknown_brand_that_is_compatible_only_with_stills_is_one() -> None:
    assert "HEIC" in refusal(ftyp(b"abcd", b"mif1", b"heic", bytes(4)))


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x1a\x45\xdf\xa3" + NOISE, "WebM or Matroska"),
        (b"RIFF\1\2\0\0AVI LIST" + NOISE, "AVI"),
        (b"RIFF\1\2\0\0WAVEfmt " + NOISE, "WAV"),
        (b"RIFF\1\2\0\0WEBPVP8 " + NOISE, "WebP"),
        (b"\0\0\1\xba\x44\0\4\0" + NOISE, "MPEG program stream"),
        (b"\0\0\0\1\x67\x42\0\x1e" + NOISE, "raw H.264"),
        (b"FLV\1\5\0\0\0\x09" + NOISE, "FLV"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + NOISE, "WMV"),
        (b"OggS\0\2" + NOISE, "Ogg"),
        (b"ID3\4\0\0" + NOISE, "MP3"),
        (b"fLaC\0\0\0\x22" + NOISE, "FLAC"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + NOISE, "JPEG image"),
        (b"\x89PNG\r\n\x1a\n" + NOISE, "PNG"),
        (b"GIF89a" + NOISE, "GIF"),
        (b"BM\x36\0\x0c\0" + NOISE, "BMP"),
        (b"II*\0\x08\0\0\0" + NOISE, "TIFF"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + ftyp(b"jxl "), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + ftyp(b"jp2 ", b"jp2 "), "JPEG 2000"),
        (b"%PDF-1.7\n" + NOISE, "PDF"),
        (b"PK\3\4" + NOISE, "ZIP"),
        (gzip.compress(ftyp(b"isom")), "gzip"),
        (b"--b1\r\nContent-Disposition: form-data; name=file\r\n\r\n" + ftyp(b"isom"), "form"),
        (b"\n<!DOCTYPE html><title>403</title>", "HTML"),
        (b'<?xml version="1.0"?>\n<svg>', "SVG"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML"),
        (b'{"size_bytes": 5}', "JSON"),
        (b"#EXTM3U\n#EXTINF:4,\n1.ts", "HLS"),
        (b"just some text, renamed to .mp4", "a text"),
        ("Straße, frei".encode("latin-1"), "a text"),
        ("\ufefftext".encode("utf-16-le"), "UTF-16"),
        (b"BMW and MZ are letters", "a text"),
        (b"MZ\x90\0\3" + NOISE, "a program"),
        (b"The free lunch and the wide mdat", "a text"),
        (b"", "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_known_to_be_something_else_is_called_by_its_name(head: bytes, name: str) -> None:
    assert name in refusal(head)


@pytest.mark.parametrize("packet", [188, 192, 204])
@pytest.mark.parametrize("start", [0, 4, 100])
def test_a_transport_stream_is_known_by_its_sync_bytes(packet: int, start: int) -> None:
    content = bytearray(bytes(packet) * 30)
    content[start::packet] = b"G" * len(content[start::packet])
    assert "MPEG transport stream" in refusal(bytes(content))
    content[start + 3 * packet] = 0
    assert "transport" not in refusal(bytes(content))


# --- broken ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        *(
            (box(b"ftyp", b"isom\0\0\2\0isom", size=size), "cannot have")
            for size in (2, 7, 8, 15, 0xFFFF_FFFC)
        ),
        (long_box(b"ftyp", b"isom\0\0\2\0", size=7), "cannot have 7 bytes"),
        (long_box(b"mdat", NOISE, size=15), "cannot have 15 bytes"),
        (long_box(b"mdat", NOISE, size=1 << 63), "cannot have"),
        (box(b"free", NOISE, size=5), "cannot have 5 bytes"),
        (box(b"free", NOISE, size=0), "no video can follow"),
        (box(b"ftyp", b"isom\0\0\2\0", size=0), "no video can follow"),
        (ftyp(b"isom", b"isom")[:14], "cut off inside its 'ftyp' box"),
        (ftyp(b"isom")[:7], "does not start with the boxes"),
        (box(b"free"), "ends before any video"),
        (box(b"free") + b"\0\0", "ends before any video"),
        (box(b"ft\0p", NOISE), "does not start with the boxes"),
        (bytes(100), "does not start with the boxes"),
        (NOISE, "does not start with the boxes"),
        (box(b"abcd", NOISE, size=0x1_0000_0000 - 1), "does not start with the boxes"),
        (box(b"free") + NOISE, "followed by something else"),
    ],
)
def test_what_is_broken_is_refused_with_the_reason(head: bytes, reason: str) -> None:
    assert reason in refusal(head)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_end_in_another_error(content: bytes) -> None:
    for head in (content, b"\0\0\0\x40ftyp" + content, box(b"free") + content):
        with suppress(InvalidVideoError):
            check_mp4_head(head)
