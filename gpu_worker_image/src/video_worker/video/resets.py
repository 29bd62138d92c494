"""Which key pictures reset the decoder, so that decoding from there gives what decoding from the start gives.

A key picture of H.264 that is no IDR picture may be followed by pictures that refer to earlier ones; players
accept that, but it is no exact start. Sources: ITU-T H.264 table 7-1, H.265 table 7-1, H.266 table 5;
ISO/IEC 14496-15 (how the units of a picture are stored).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

_WITHOUT_REFERENCES = frozenset(
    {"mjpeg", "png", "prores", "dnxhd", "rawvideo", "jpeg2000", "mpeg2video", "mpeg1video", "h263"}
    | {
        "vp8",
        "vp9",
        "av1",
        "qtrle",
        "cinepak",
        "svq1",
        "hap",
        "dvvideo",
        "v210",
        "cfhd",
        "ffv1",
        "magicyuv",
        "apv",
        "prores_raw",
    }
)
"""Codecs without references over a key picture. MPEG-4 part 2 needs the times of earlier pictures."""


def resets_decoder(codec: str, packet: bytes | memoryview, configuration: bytes) -> bool:
    """Whether a packet that is marked as a key picture resets the decoder.

    Parameters
    ----------
    codec
        FFmpeg's name.
    configuration
        The codec's record from the sample entry (``avcC``, ``hvcC``, ``vvcC``).
    """
    if codec in _WITHOUT_REFERENCES:
        return True
    rule = _RULES.get(codec)
    return rule is not None and any(map(rule, _units(memoryview(packet), codec, configuration)))


def _is_idr_of_h264(unit: memoryview) -> bool:
    return unit[0] & 0x1F == 5


def _is_random_access_of_hevc(unit: memoryview) -> bool:
    return 16 <= (unit[0] >> 1) & 0x3F <= 21


def _is_random_access_of_vvc(unit: memoryview) -> bool:
    return len(unit) > 1 and 7 <= unit[1] >> 3 <= 9


_RULES: dict[str, Callable[[memoryview], bool]] = {
    "h264": _is_idr_of_h264,
    "hevc": _is_random_access_of_hevc,
    "vvc": _is_random_access_of_vvc,
}


EXACT_STARTS = _WITHOUT_REFERENCES | _RULES.keys()
"""The codecs with key pictures from which decoding can start."""


def _units(packet: memoryview, codec: str, configuration: bytes) -> Iterator[memoryview]:
    """The units (NAL) of a packet, each with its length in front."""
    length_bytes = _length_bytes(codec, configuration)
    at = 0
    while at + length_bytes < len(packet):
        length = int.from_bytes(packet[at : at + length_bytes], "big")
        at += length_bytes
        if not 0 < length <= len(packet) - at:
            return
        yield packet[at : at + length]
        at += length


def _length_bytes(codec: str, configuration: bytes) -> int:
    at = {"h264": 4, "hevc": 21}.get(codec)
    if at is None or len(configuration) <= at:
        return 4
    return (configuration[at] & 3) + 1
