"""The results of a short job: every third frame, with times, tracks, and text that needs escaping."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import msgspec
from video_jobs_client import Results
from video_jobs_client.models import JobResource, Video

SIZE = (640, 360)
CLASSES = ("car", 'van "R&D" <1>', "person")
STRIDE, STEP_MS = 3, 100.1
FIRST_PICTURE_MS, DURATION_MS = 250.5, 1300.0

_VIDEO: dict[str, Any] = {
    "container": "mp4",
    "codec": "h264",
    "width": SIZE[0],
    "height": SIZE[1],
    "frame_count": 13,
    "duration_ms": DURATION_MS,
    "average_frame_rate": 10,
    "first_picture_ms": FIRST_PICTURE_MS,
    "rotation": 0,
    "mirrored": False,
    "interlaced": False,
    "variable_frame_rate": False,
    "hdr": None,
}
_JOB: dict[str, Any] = {
    "job_id": "3f2b8c1e-5d44-4a0e-9a57-0c1d2e3f4a5b",
    "status": "completed",
    "progress": 1,
    "pipeline_id": "yolo_ocr",
    "frame_stride": STRIDE,
    "max_frames": None,
    "filename": "clip.mp4",
    "text_engine": None,
    "languages": [],
    "classes": [],
    "min_confidence": None,
    "region": None,
    "start_ms": None,
    "end_ms": None,
    "frames_per_second": None,
    "source_host": None,
    "size_bytes": 70000,
    "frames_done": 4,
    "frames_total": 4,
    "percent": 100,
    "helpers": 0,
    "attempt": 1,
    "warnings": [],
    "warning_details": [],
    "fingerprint": {
        "id": "0123456789abcdef",
        "opencv": "4.12.0",
        "plugins": {"ocr": {"version": "1.0.0"}, "yolo": {"version": "1.0.0", "classes": list(CLASSES)}},
    },
    "error": None,
    "webhook": None,
    "usage": None,
    "created_at": "2026-11-25T10:00:00.000Z",
    "updated_at": "2026-11-25T10:01:00.000Z",
}

Box = tuple[float, float, float, float]
_CAR: Box = (10.25, 20.5, 110.35, 80.75)
_VAN: Box = (300, 100, 420.5, 200)
_PERSON: Box = (600, 0, 640, 359.99)

_FOUND: list[tuple[list[tuple[int, Box, int | None]], str]] = [
    ([(0, _CAR, 7), (2, _PERSON, 8)], "EXIT 12\nCafé & <Bar>"),
    ([(0, _CAR, 7), (1, _VAN, None)], 'EXIT 12\n=1+1, "q" --> 北'),
    ([], "Café & <Bar>"),
    ([(0, _CAR, 7), (1, _VAN, 9)], "Café & <Bar>"),
]
"""Of each analysed frame: class, box and track of its detections, and its text."""


def job_answer(**changes: Any) -> dict[str, Any]:
    """What ``GET /video/jobs/{job_id}`` answers."""
    return {**_JOB, "video": video_answer(), **changes}


def job(**changes: Any) -> JobResource:
    """The same as a model."""
    return msgspec.convert(job_answer(**changes), JobResource)


def video_answer(**changes: Any) -> dict[str, Any]:
    """The ``video`` of the job."""
    return {**_VIDEO, **changes}


def video(**changes: Any) -> Video:
    """The same as a model."""
    return msgspec.convert(video_answer(**changes), Video)


def pages(has_tracks: bool = True) -> list[dict[str, Any]]:
    """The results as two answers of the API."""
    return [_page(slice(0, 3), has_tracks), _page(slice(3, None), has_tracks)]


def sample(has_tracks: bool = True) -> Results:
    """The results, to be read as often as is wanted."""
    return Results.of_job(job(), pages(has_tracks))


def without_times() -> Results:
    """The same results of a job that ran before results had times."""
    old = copy.deepcopy(pages())
    for page in old:
        page["timestamps_ms"] = None
    return Results.of_job(job(), old)


def text_of(write: Callable[[Results, Any], None], results: Results) -> str:
    """What an export writes."""
    target = io.StringIO()
    write(results, target)
    return target.getvalue()


def _page(part: slice, has_tracks: bool) -> dict[str, Any]:
    numbers = range(len(_FOUND))[part]
    page = {
        "results": [{"frame_index": STRIDE * number, "result": _result(number)} for number in numbers],
        "timestamps_ms": [round(STRIDE * STEP_MS * number, 3) for number in numbers],
    }
    tracks = [[track_id for *_, track_id in _FOUND[number][0]] for number in numbers]
    return {**page, "track_ids": tracks} if has_tracks else page


def _result(number: int) -> dict[str, Any]:
    found, text = _FOUND[number]
    return {
        "detections": [
            {"xyxy": list(box), "confidence": 0.9 - place / 8, "class_id": kind, "class_name": CLASSES[kind]}
            for place, (kind, box, _) in enumerate(found)
        ],
        "text": text,
        "blocks": [
            {
                "text": word,
                "confidence": 93.25,
                "bbox": {"x": 40 * place, "y": 30 * line, "width": 38, "height": 14},
                "level": 5,
                "block_num": 1,
                "line_num": line,
            }
            for line, words in enumerate(text.split("\n"), start=1)
            for place, word in enumerate(words.split())
        ],
    }
