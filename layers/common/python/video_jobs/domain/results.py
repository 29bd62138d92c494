"""The results file and its sidecar, so that a page is read by byte range.

Results file, UTF-8 JSON, one frame a line, nothing about the job in it::

    {"results":[
    {"frame_index":0,"result":{...}},
    {"frame_index":5,"result":{...}}
    ]}

Sidecar: one record of two little-endian unsigned 64-bit numbers a frame, ``frame_index`` and the byte
offset of the frame's line; one closing record (`END_FRAME`) holds the offset at which the next line
would start. Line ``i`` is therefore the bytes ``offset[i] : offset[i + 1] - len(SEPARATOR)``.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from video_jobs.domain.errors import InvalidCursorError

HEAD = b'{"results":[\n'
SEPARATOR = b",\n"
TAIL = b"\n]}\n"
INDEX_RECORD = struct.Struct("<QQ")
END_FRAME = 2**64 - 1


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """Some frames of a results file, as the bytes that stand in it.

    ``frames_json`` is a run of JSON objects joined by commas, ready to stand between brackets.
    """

    frames_json: bytes
    count: int
    next_cursor: str | None
    results_url: str | None


def encode_cursor(record: int) -> str:
    """An opaque cursor for the frame at position ``record`` of the file."""
    return urlsafe_b64encode(f"v1:{record}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The position that a cursor stands for.

    Raises
    ------
    InvalidCursorError
        Where this service did not make it.
    """
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise InvalidCursorError from None
    version, _, record = text.partition(":")
    if version != "v1" or not (record.isascii() and record.isdigit()) or len(record) > 12:
        raise InvalidCursorError
    return int(record)
