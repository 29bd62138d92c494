"""COCO object detection, as of https://cocodataset.org/#format-data.

A frame is an image, whose id is its ``frame_index``. Categories and annotations are numbered from 1, since
many readers take 0 for "none"; the id of a category is ``class_id`` + 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

from video_jobs_client.exports.output import Target, json_of, opened, rounded
from video_jobs_client.exports.sorted_lines import SortedLines
from video_jobs_client.results import Detection, Frame, Results

_INFO = {"description": "Results of ForgeSyte Video Jobs", "version": "1.0"}


def write_coco(results: Results, target: Target) -> None:
    """Images, annotations and categories; an annotation has its ``score``, and ``track_id`` if it has one.

    The images are named as `write_yolo` names the labels: ``frame_000012.jpg``.

    Raises
    ------
    ResultsError
        If the size of the video is not known.
    """
    size = {"width": results.video.width, "height": results.video.height}
    names = dict(enumerate(results.class_names))
    with opened(target) as file, SortedLines() as annotations:
        file.write(f'{{"info":{json_of(_INFO)},\n"licenses":[],\n"images":[')
        _write_items(file, _images(results, size, annotations, names))
        file.write('],\n"annotations":[')
        _write_items(file, (annotation for *_, annotation in annotations))
        file.write('],\n"categories":[')
        _write_items(file, (_category(number, names[number]) for number in sorted(names)))
        file.write("]}\n")


def _images(
    results: Results, size: dict[str, int], annotations: SortedLines, names: dict[int, str]
) -> Iterable[str]:
    """The image of each frame; its annotations are put aside, and the names of their classes noted."""
    count = 0
    for frame in results.frames():
        for one in frame.detections:
            count += 1
            names.setdefault(one.class_id, one.class_name)
            annotations.add(count, 0, _annotation(count, frame, one))
        about = {"frame_index": frame.index, "timestamp_ms": frame.timestamp_ms}
        yield json_of({"id": frame.index, "file_name": f"{frame.name}.jpg", **size, **about})


def _annotation(number: int, frame: Frame, one: Detection) -> str:
    left, top, *_ = one.xyxy
    annotation: dict[str, Any] = {
        "id": number,
        "image_id": frame.index,
        "category_id": one.class_id + 1,
        "bbox": [rounded(value) for value in (left, top, one.width, one.height)],
        "area": rounded(one.width * one.height),
        "segmentation": [],
        "iscrowd": 0,
        "score": one.confidence,
    }
    return json_of(annotation if one.track_id is None else {**annotation, "track_id": one.track_id})


def _category(class_id: int, name: str) -> str:
    return json_of({"id": class_id + 1, "name": name, "supercategory": ""})


def _write_items(file: TextIO, items: Iterable[str]) -> None:
    for number, item in enumerate(items):
        file.write(("," if number else "") + "\n" + item)
