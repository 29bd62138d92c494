"""Videos as people have them, the whole way over HTTP: the answers have the right times and boxes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Api
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import FPS, FRAMES, PATH, SIZE, words_of_frame

STRIDE = 5
LEFT_OUT = range(12, 23)
ENCODED = ("-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p")


@dataclass(frozen=True)
class Variant:
    """A way to store the pictures of tiny.mp4: which of them it has, and what the job should tell of it."""

    file: str
    arguments: tuple[tuple[str, ...], ...]
    content_type: str
    facts: dict[str, Any]
    pictures: tuple[int, ...] = tuple(range(FRAMES))


VARIANTS = {
    "a phone's MOV": Variant(
        "phone.mov",
        (
            ("-i", "SOURCE", "-vf", "transpose=cclock", *ENCODED, "STORED"),
            ("-display_rotation", "-90", "-i", "STORED", "-c", "copy", "-f", "mov", "RESULT"),
        ),
        "video/quicktime",
        {"container": "mov", "rotation": 90, "mirrored": False},
    ),
    "interlaced": Variant(
        "camcorder.mp4",
        (("-i", "SOURCE", *ENCODED, "-flags", "+ilme+ildct", "-x264-params", "tff=1", "RESULT"),),
        "video/mp4",
        {"interlaced": True},
    ),
    "AV1": Variant(
        "av1.mp4",
        (("-i", "SOURCE", "-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "20", "RESULT"),),
        "application/octet-stream",
        {"codec": "av1"},
    ),
    "uneven": Variant(
        "screen.mp4",
        (
            (
                *("-i", "SOURCE", "-vf", f"select='not(between(n,{LEFT_OUT[0]},{LEFT_OUT[-1]}))'"),
                *("-fps_mode", "vfr", *ENCODED, "RESULT"),
            ),
        ),
        "video/x-m4v",
        {"variable_frame_rate": True},
        tuple(number for number in range(FRAMES) if number not in LEFT_OUT),
    ),
}


def make(variant: Variant, folder: Path) -> Path:
    """Store the pictures of tiny.mp4 in this way."""
    paths = {"SOURCE": PATH, "STORED": folder / "stored.mp4", "RESULT": folder / variant.file}
    for arguments in variant.arguments:
        run_ffmpeg(*(str(paths.get(argument, argument)) for argument in arguments))
    return paths["RESULT"]


def analysed(api: Api, content: bytes, content_type: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The job of a video, and its results."""
    answer = requests.post(
        f"{api.url}/video/submit",
        data=content,
        headers={"content-type": content_type},
        params={"frame_stride": STRIDE},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    job_id = answer.json()["job_id"]
    assert api.wait_for_end(job_id)[0]["status"] == "completed"
    return api.get(f"/video/jobs/{job_id}").json(), api.get(f"/video/results/{job_id}").json()


Centre = tuple[str, float, float]
"""The class of a detection, and the middle of its box."""


def centres(frame: dict[str, Any], least: float = 0.6) -> list[Centre]:
    """Those of the detections that are more certain than ``least``."""
    certain = [one for one in frame["result"]["detections"] if one["confidence"] > least]
    boxes = ((one["class_name"], *one["xyxy"]) for one in certain)
    return [(name, (x1 + x2) / 2, (y1 + y2) / 2) for name, x1, y1, x2, y2 in boxes]


def is_near(one: Centre, others: list[Centre]) -> bool:
    """Whether one of the others is of the same class, in the same place."""
    kind, x, y = one
    return any(kind == other and abs(x - x2) + abs(y - y2) < 12 for other, x2, y2 in others)


@pytest.fixture(scope="module")
def plain(api: Api) -> dict[int, dict[str, Any]]:
    """The results of tiny.mp4 itself, by the number of the picture."""
    answer = requests.post(f"{api.url}/video/submit", data=PATH.read_bytes(), timeout=30)
    job_id = answer.json()["job_id"]
    api.wait_for_end(job_id)
    results = api.get(f"/video/results/{job_id}").json()["results"]
    return {frame["frame_index"]: frame for frame in results}


@pytest.mark.parametrize("name", VARIANTS)
def test_times_words_and_boxes_are_those_of_the_pictures(
    api: Api, plain: dict[int, dict[str, Any]], tmp_path: Path, name: str
) -> None:
    variant = VARIANTS[name]
    job, results = analysed(api, make(variant, tmp_path).read_bytes(), variant.content_type)
    assert {key: job["video"][key] for key in variant.facts} == variant.facts
    assert (job["video"]["width"], job["video"]["height"]) == SIZE
    indexes = list(range(0, len(variant.pictures), STRIDE))
    assert [frame["frame_index"] for frame in results["results"]] == indexes
    assert results["timestamps_ms"] == [variant.pictures[index] * 1000 / FPS for index in indexes]
    words_read = words_there = 0
    for frame in results["results"]:
        number = variant.pictures[frame["frame_index"]]
        words = words_of_frame(number)
        words_there += len(words)
        words_read += len(words & set(frame["result"]["text"].split()))
        for one, other in ((frame, plain[number]), (plain[number], frame)):
            assert [centre for centre in centres(one) if not is_near(centre, centres(other, 0))] == []
    assert words_read > 0.8 * words_there
