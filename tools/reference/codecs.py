"""docs/codecs.md, from the decoders of the pinned FFmpeg."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import av
from av.codec.codec import UnknownCodecError
from video_worker.video.resets import EXACT_STARTS

from tools.markdown_writer import code, table

NAMES: Mapping[str, str] = {
    "h264": "H.264 (AVC)",
    "hevc": "H.265 (HEVC)",
    "vvc": "H.266 (VVC)",
    "av1": "AV1",
    "vp9": "VP9",
    "vp8": "VP8",
    "mpeg4": "MPEG-4 part 2 (DivX, Xvid)",
    "mpeg2video": "MPEG-2",
    "mpeg1video": "MPEG-1",
    "h263": "H.263",
    "prores": "Apple ProRes",
    "prores_raw": "Apple ProRes RAW",
    "dnxhd": "Avid DNxHD and DNxHR",
    "cfhd": "GoPro CineForm",
    "apv": "APV",
    "mjpeg": "Motion JPEG",
    "jpeg2000": "JPEG 2000",
    "png": "PNG",
    "dvvideo": "DV",
    "ffv1": "FFV1",
    "rawvideo": "uncompressed",
    "v210": "uncompressed, 10 bit",
    "qtrle": "QuickTime Animation",
    "cinepak": "Cinepak",
    "svq1": "Sorenson Video 1",
    "svq3": "Sorenson Video 3",
    "hap": "Hap",
}
"""Codecs that are met in these containers, by FFmpeg's name; FFmpeg decodes more."""

_HEAD = """# Codecs

Made by `make docs` from the FFmpeg that PyAV contains; `gpu_worker_image/requirements.txt` pins its version.
A test compares them, and reads a video of each codec that it can encode. [Videos](videos.md) tells the rules.

If decoding can start in the middle, a job that is resumed does not decode again what came before. Otherwise
it decodes the video from its start, with the same results.
"""


def codecs_document() -> str:
    """The whole page."""
    decodable = decodable_codecs()
    rows = [
        [code(name), title, "yes" if name in EXACT_STARTS else "no"]
        for name, title in NAMES.items()
        if name in decodable
    ]
    return _HEAD + "\n" + table(["`video.codec`", "codec", "decoding can start in the middle"], rows)


def decodable_codecs() -> set[str]:
    """The codecs that this FFmpeg decodes, by its names for them."""
    found = set()
    for name in av.codec.codecs_available:
        with suppress(UnknownCodecError):  # it only encodes
            found.add(av.codec.Codec(name, "r").canonical_name)
    return found
