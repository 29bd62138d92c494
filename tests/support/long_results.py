"""Results of any length that are never in memory as a whole."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any


class LongResults:
    """Pages that are made when they are asked for, with a text and a track that stay to the end."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for start in range(0, self._count, 100):
            yield {
                "results": [self._frame(index) for index in range(start, start + 100)],
                "timestamps_ms": [40.0 * index for index in range(start, start + 100)],
                "track_ids": [[0, index] for index in range(start, start + 100)],
            }

    def _frame(self, index: int) -> dict[str, Any]:
        box = {"xyxy": [1, 2, 30, 40], "confidence": 0.5, "class_id": 0, "class_name": "car"}
        found = {"detections": [box, box], "text": f"LIVE\nnumber {index}", "blocks": [_word("LIVE")]}
        return {"frame_index": index, "result": found}


def _word(text: str) -> dict[str, Any]:
    box = {"x": 4, "y": 4, "width": 30, "height": 12}
    return {"text": text, "confidence": 90, "bbox": box, "level": 5, "block_num": 1, "line_num": 1}


class Nowhere(io.RawIOBase):
    """Takes text or bytes, and forgets them."""

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return 0

    def write(self, content: Any) -> int:
        return len(content)


def check_memory(write: Callable[[int], object], frames: int) -> None:
    """Ten times as many frames need about as much memory."""

    def most_bytes(frames: int) -> int:
        tracemalloc.reset_peak()
        write(frames)
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        most_bytes(frames)
        few, many = most_bytes(frames), most_bytes(10 * frames)
    finally:
        tracemalloc.stop()
    assert many < few * 1.5
