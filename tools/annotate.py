"""Draw the results of a frame onto its picture, for people to check by eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from video_worker.video_reader import Image, VideoReader

_COLORS = ((60, 60, 230), (60, 180, 60), (230, 130, 40), (40, 190, 230), (200, 60, 200), (180, 180, 40))
_TEXT_COLOR = (0, 0, 0)


def write_annotated_frame(video: Path, frames: list[dict[str, Any]], target: Path) -> Path | None:
    """Write the frame with the most found on it as PNG; None where nothing was found."""
    best = max(frames, key=_found_on, default=None)
    if best is None or not _found_on(best):
        return None
    with VideoReader(video) as reader:
        _, picture = next(reader.frames(first=best["frame_index"]))
    annotate(picture, best["result"])
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), picture)
    return target


def annotate(picture: Image, result: dict[str, Any]) -> None:
    """Boxes with class and confidence, and what was read under its place."""
    for one in result.get("detections", []):
        x1, y1, x2, y2 = (round(value) for value in one["xyxy"])
        color = _COLORS[one["class_id"] % len(_COLORS)]
        cv2.rectangle(picture, (x1, y1), (x2, y2), color, 2)
        _label(picture, f"{one['class_name']} {one['confidence']:.2f}", (x1, max(12, y1 - 4)), color)
    for block in result.get("blocks", []):
        box = block["bbox"]
        below = (box["x"], box["y"] + box["height"] + 14)
        _label(picture, block["text"], below, (30, 220, 250))


def _found_on(frame: dict[str, Any]) -> int:
    result = frame["result"]
    return len(result.get("detections", [])) + len(result.get("blocks", []))


def _label(picture: Image, text: str, at: tuple[int, int], color: tuple[int, int, int]) -> None:
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.42, 1)
    cv2.rectangle(picture, (at[0], at[1] - height - 2), (at[0] + width, at[1] + 2), color, -1)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, _TEXT_COLOR, 1, cv2.LINE_AA)
