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
from dataclasses import dataclass

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
    results_url: str
