"""The format of the tracks file: which track each detection of each frame belongs to.

The file is JSON with one line for each frame of the results, in the same order: the ``track_id`` of each
entry of the frame's ``detections``, in their order; null for a detection that belongs to no track::

    {"track_ids":[
    [1,null],
    []
    ]}

Its index has the format of that of the results (`domain.results`), with offsets into this file. Therefore
record ``i`` of both is the same frame. The ids are those of the summary (`domain.summary`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

TRACKS_HEAD = b'{"track_ids":[\n'
TRACKS_TAIL = b"\n]}\n"


def tracks_line(track_ids: Sequence[int | None]) -> bytes:
    """The line of one frame, without what separates it from the next one."""
    return json.dumps(track_ids, separators=(",", ":")).encode()
