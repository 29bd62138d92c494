"""Labels for training YOLO, as of https://docs.ultralytics.com/datasets/detect/."""

from __future__ import annotations

import os
from pathlib import Path

from video_jobs_client.exports.output import json_of, opened, plain
from video_jobs_client.results import Detection, Results

_DECIMALS = 6


def write_yolo(results: Results, folder: str | os.PathLike[str]) -> None:
    """``labels/frame_000012.txt`` for each frame, and ``data.yaml`` with the names of the classes.

    A line has ``class_id`` and the box, as centre, width and height in shares of the picture. A frame
    without detections has an empty file. The pictures belong into ``images``, named as the labels.

    Raises
    ------
    ResultsError
        If the size of the video is not known.
    """
    size = results.video.width, results.video.height
    labels, names = Path(folder) / "labels", dict(enumerate(results.class_names))
    labels.mkdir(parents=True, exist_ok=True)
    for frame in results.frames():
        lines = [_line(one, size) for one in frame.detections]
        (labels / f"{frame.name}.txt").write_text("".join(lines), encoding="utf-8", newline="")
        for one in frame.detections:
            names.setdefault(one.class_id, one.class_name)
    with opened(Path(folder) / "data.yaml") as file:
        file.write("train: images\nval: images\nnames:\n")
        file.writelines(_names(names))


def _line(one: Detection, size: tuple[int, int]) -> str:
    (left, right), (top, bottom) = (
        (min(1.0, max(0.0, one.xyxy[low] / side)), min(1.0, max(0.0, one.xyxy[low + 2] / side)))
        for low, side in enumerate(size)
    )
    shares = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return f"{one.class_id} {' '.join(plain(share, _DECIMALS) for share in shares)}\n"


def _names(names: dict[int, str]) -> list[str]:
    """Every number has a name, also those of classes that were not seen: Ultralytics allows no gap."""
    numbers = range(max(names, default=-1) + 1)
    return [f"  {number}: {json_of(names.get(number, f'class_{number}'))}\n" for number in numbers]
