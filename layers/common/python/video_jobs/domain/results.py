"""The format of the results file and of its index, with which a page is read by byte range.

The results file is UTF-8 JSON with one line for each frame; it contains nothing about the job::

    {"results":[
    {"frame_index":0,"result":{...}},
    {"frame_index":5,"result":{...}}
    ]}

The index has one record for each frame: two little-endian unsigned 64-bit numbers, ``frame_index`` and the
byte offset of the frame's line. A closing record (`END_FRAME`) holds the offset at which the next line would
start. Line ``i`` is therefore the bytes ``offset[i] : offset[i + 1] - len(SEPARATOR)``.
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
    """Some frames of a results file.

    ``frames_json`` holds them as they are in the file: JSON objects joined by commas, without brackets.
    """

    frames_json: bytes
    count: int
    next_cursor: str | None
    results_url: str
