"""A job that looks at some pictures only, at a part of them and at some objects, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.e2e.conftest import Api
from tests.fixtures.make_tiny_mp4 import PATH, SIZE

CHOSEN: Mapping[str, Any] = {
    "classes": ["car"],
    "min_confidence": 0.5,
    "region": [0, 0.5, 1, 1],
    "start_ms": 1000,
    "end_ms": 3000,
    "frames_per_second": 2,
}


def submit_query(api: Api) -> str:
    lists = {"classes": "car", "region": "0,0.5,1,1"}
    return str(api.submit_body(PATH.read_bytes(), **{**CHOSEN, **lists}).json()["job_id"])


def submit_json(api: Api) -> str:
    return api.submit_presigned(PATH, **CHOSEN)


@pytest.mark.parametrize("submit", [submit_query, submit_json])
def test_the_job_tells_what_it_looks_at(api: Api, submit: Callable[[Api], str]) -> None:
    job = api.job(submit(api))
    assert {name: job[name] for name in CHOSEN} == CHOSEN


@pytest.mark.parametrize("submit", [submit_query, submit_json])
def test_the_results_have_only_what_was_chosen(api: Api, submit: Callable[[Api], str]) -> None:
    job_id = submit(api)
    assert api.wait_for_end(job_id)[0]["status"] == "completed"
    results = api.get(f"/video/results/{job_id}").json()
    frames = {frame["frame_index"]: frame["result"] for frame in results["results"]}
    # the pictures
    assert list(frames) == [10, 15, 20, 25]
    assert results["timestamps_ms"] == [1000, 1500, 2000, 2500]
    for frame in frames.values():
        # the objects, in pixels of the whole picture; YOLO11n finds none in this drawn one
        assert {one["class_name"] for one in frame["detections"]} <= {"car"}
        assert all(one["xyxy"][1] >= 0.5 * SIZE[1] for one in frame["detections"])
        # what is written on them, but not on the sign, which is in the upper half
        assert set(frame["text"].split()) == {"KXR742", "BTU395"}
