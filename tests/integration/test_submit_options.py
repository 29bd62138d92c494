"""Classes, confidence, region, times and rate of a job: every way of choosing them, and every mistake."""

from __future__ import annotations

from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.job import JobOptions
from video_jobs.domain.region import Region

from tests.integration.conftest import asked, assert_refused, call, load_event
from tests.integration.job_states import saved_job, stored_job
from tests.integration.test_submit_kinds import FILE, described, form

CHOSEN = JobOptions(
    classes=("car", "traffic light"),
    min_confidence=0.25,
    region=Region(0.0, 0.5, 1.0, 1.0),
    start_ms=1000.0,
    end_ms=3000.5,
    frames_per_second=2.0,
)
BODY: dict[str, Any] = {
    "classes": ["traffic light", "car", "car"],
    "min_confidence": 0.25,
    "region": [0, 0.5, 1, 1],
    "start_ms": 1000,
    "end_ms": 3000.5,
    "frames_per_second": 2,
}
QUERY = {
    "classes": "traffic light, car",
    "min_confidence": "0.25",
    "region": "0,0.5,1,1",
    "start_ms": "1e3",
    "end_ms": "3000.5",
    "frames_per_second": "2",
}
FIELDS = tuple(QUERY.items())


def from_url(**body: Any) -> dict[str, Any]:
    event = described(**body, source_url="https://source.example/a.mp4")
    return event | {"body": event["body"].replace('"size_bytes": 9, ', "")}


@pytest.mark.parametrize(
    "event",
    [
        described(**BODY),
        described(**BODY, upload_method="multipart"),
        from_url(**BODY),
        asked("submit_video", QUERY),
        form(FILE, *FIELDS),
        form(FILE, *FIELDS[:3], query=dict(FIELDS[2:])),
    ],
    ids=["JSON", "multipart", "URL", "query", "form", "form and query"],
)
def test_every_way_of_submitting_takes_the_options(app: VideoJobs, event: dict[str, Any]) -> None:
    status, body = call(event)
    assert status == 201
    assert stored_job(app, body["job_id"]).options == CHOSEN


@pytest.mark.parametrize("event", [described(), asked("submit_video")])
def test_a_job_need_not_choose(app: VideoJobs, event: dict[str, Any]) -> None:
    assert stored_job(app, call(event)[1]["job_id"]).options.sampling == JobOptions().sampling


def test_the_options_of_a_job_resource_can_be_sent_again(app: VideoJobs) -> None:
    saved_job(app)
    told = {name: call("job")[1][name] for name in BODY}
    assert told == dict.fromkeys(BODY) | {"classes": []}
    assert stored_job(app, call(described(**told))[1]["job_id"]).options == JobOptions()


def test_the_job_resource_and_the_list_tell_the_options(app: VideoJobs) -> None:
    saved_job(app, options=CHOSEN)
    for job in (call("job")[1], *call("list_jobs")[1]["jobs"]):
        assert {name: job[name] for name in BODY} == BODY | {"classes": ["car", "traffic light"]}


def test_the_sample_event_chooses_everything(app: VideoJobs) -> None:
    job = stored_job(app, call(load_event("submit_options"))[1]["job_id"])
    assert [name for name in BODY if getattr(job.options, name) == getattr(JobOptions(), name)] == []


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"classes": "car"}, "classes: Input should be a valid array"),
    ({"classes": ["car", " "]}, "classes.1: String should have at least 1 character"),
    ({"classes": ["x" * 65]}, "classes.0: String should have at most 64 characters"),
    ({"classes": [5]}, "classes.0: Input should be a valid string"),
    ({"classes": [f"c{n}" for n in range(101)]}, "classes: Tuple should have at most 100 items"),
    ({"min_confidence": 1.01}, "min_confidence: Input should be less than or equal to 1"),
    ({"min_confidence": -0.01}, "min_confidence: Input should be greater than or equal to 0"),
    ({"min_confidence": float("nan")}, "min_confidence: Input should be a finite number"),
    ({"min_confidence": "high"}, "min_confidence: Input should be a valid number"),
    ({"region": [0, 0, 1]}, "region: Tuple should have at least 4 items"),
    ({"region": [0, 0, 1, 1, 1]}, "region: Tuple should have at most 4 items"),
    ({"region": [0, 0, 640, 360]}, "region.2: Input should be less than or equal to 1"),
    ({"region": [0, -0.1, 1, 1]}, "region.1: Input should be greater than or equal to 0"),
    ({"region": [0, 0, float("nan"), 1]}, "region.2: Input should be a finite number"),
    ({"region": [0.5, 0, 0.5, 1]}, "region: [0.5, 0.0, 0.5, 1.0] is empty; give [x1, y1, x2, y2]"),
    ({"region": [0, 1, 1, 0]}, "with x1 < x2 and y1 < y2"),
    ({"start_ms": -1}, "start_ms: Input should be greater than or equal to 0"),
    ({"start_ms": 10**12 + 1}, "start_ms: Input should be less than or equal to 1000000000000"),
    ({"start_ms": float("inf")}, "start_ms: Input should be a finite number"),
    ({"end_ms": 0}, "end_ms: Input should be greater than 0"),
    ({"end_ms": 10**12 + 1}, "end_ms: Input should be less than or equal to 1000000000000"),
    ({"start_ms": 2000, "end_ms": 2000}, "end_ms: give a time after start_ms (2000.0), not 2000.0"),
    ({"frames_per_second": 0}, "frames_per_second: Input should be greater than 0"),
    ({"frames_per_second": 1001}, "frames_per_second: Input should be less than or equal to 1000"),
    ({"frames_per_second": float("nan")}, "frames_per_second: Input should be a finite number"),
    ({"frames_per_second": 5e-324}, "frames_per_second: give at least 0.000001"),
    ({"frames_per_second": 2, "frame_stride": 5}, "frames_per_second and frame_stride exclude each other"),
    ({"frames_per_second": 2, "frame_stride": 1}, "exclude each other; leave one out"),
]


@pytest.mark.parametrize(("options", "words"), MISTAKES)
def test_a_mistake_is_told_and_makes_no_job(app: VideoJobs, options: dict[str, Any], words: str) -> None:
    for event in (described(**options), from_url(**options)):
        assert_refused(app, event, "invalid_request", words)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"classes": ""}, "classes.0: String should have at least 1 character"),
        ({"classes": "car,,bus"}, "classes.1"),
        ({"min_confidence": "nan"}, "min_confidence: Input should be a finite number"),
        ({"region": "0,0,1"}, "region: Tuple should have at least 4 items"),
        ({"region": "[0,0,1,1]"}, "region.0: Input should be a valid number"),
        ({"region": "0 0 1 1"}, "region.0: Input should be a valid number"),
        ({"start_ms": "1s"}, "start_ms: Input should be a valid number"),
        ({"start_ms": "5", "end_ms": "5"}, "end_ms: give a time after start_ms (5.0)"),
        ({"end_ms": "Infinity"}, "end_ms: Input should be a finite number"),
        ({"frames_per_second": "2", "frame_stride": "1"}, "exclude each other"),
        ({"frame_per_second": "2"}, "Unknown query parameter 'frame_per_second'"),
    ],
)
def test_so_is_one_in_a_query(app: VideoJobs, query: dict[str, str], words: str) -> None:
    assert_refused(app, asked("submit_video", query), "invalid_request", words)


def test_stride_in_the_query_and_rate_in_the_form_exclude_each_other(app: VideoJobs) -> None:
    event = form(FILE, ("frames_per_second", "2"), query={"frame_stride": "1"})
    assert_refused(app, event, "invalid_request", "exclude each other")
