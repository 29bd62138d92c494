"""Turn frames into bytes; equal frames always give equal bytes.

The format is described in `video_jobs.domain.results`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from video_jobs.domain.results import END_FRAME, HEAD, INDEX_RECORD, SEPARATOR, TAIL

DECIMALS = 4
_FRAME_START = b'{"frame_index":'


def frame_line(frame: Mapping[str, Any]) -> bytes:
    """One frame as one line of JSON: sorted keys, fixed rounding, UTF-8, no NaN.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    text = json.dumps(
        _normal(frame), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def frame_index_of(line: bytes) -> int:
    """The ``frame_index`` of a line that `frame_line` made."""
    end = line.index(b",", len(_FRAME_START))
    return int(line[len(_FRAME_START) : end])


def write_results(parts: Iterable[Path], results: Path, index: Path) -> int:
    """Join parts (one line for each frame) into the results file and its index.

    Returns
    -------
    int
        How many frames there are.
    """
    count = 0
    with results.open("wb") as body, index.open("wb") as records:
        position = body.write(HEAD)
        for part in parts:
            with part.open("rb") as lines:
                for line in lines:
                    frame = line.rstrip(b"\n")
                    if count:
                        body.write(SEPARATOR)
                    records.write(INDEX_RECORD.pack(frame_index_of(frame), position))
                    position += body.write(frame) + len(SEPARATOR)
                    count += 1
        records.write(INDEX_RECORD.pack(END_FRAME, position))
        body.write(TAIL)
    return count


def _normal(value: Any) -> Any:
    match value:
        case float():
            return round(value, DECIMALS) + 0.0  # adding zero turns -0.0 into 0.0
        case Mapping():
            return {str(key): _normal(item) for key, item in value.items()}
        case list() | tuple():
            return [_normal(item) for item in value]
    return value
