"""Arguments that are a little unusual, or cannot be right, and what is said of results that are not ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from video_jobs_client import Frame, Results, ResultsError, errors
from video_jobs_client.uploads import UploadSettings

from tests.support.played_service import JOB_ID, PlayedService, answer, job
from tests.unit.test_client_requests import BOTH


@BOTH
def test_the_scheme_of_a_url_may_be_in_capitals(is_async: bool) -> None:
    service = PlayedService([answer({"job_id": JOB_ID}, 201), answer(job())])
    service.did("submit", "HTTPS://videos.example.com/a.mp4?s=1", is_async=is_async)
    assert json.loads(service.asked[0].content) == {"source_url": "https://videos.example.com/a.mp4?s=1"}


@pytest.mark.parametrize("parallel", [0, -1])
def test_an_upload_that_sends_nothing_at_a_time_is_refused_before_there_is_a_job(parallel: int) -> None:
    with pytest.raises(errors.ArgumentError, match=f"parallel={parallel}.*: at least 1"):
        UploadSettings(method="multipart", parallel=parallel)


NAN, INFINITY = float("nan"), float("inf")
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"min_confidence": NAN}, "min_confidence has a number that is not finite"),
    ({"start_ms": INFINITY}, "start_ms has a number that is not finite"),
    ({"end_ms": -INFINITY}, "end_ms has a number that is not finite"),
    ({"frames_per_second": NAN}, "frames_per_second has a number that is not finite"),
    ({"region": (0, 0, NAN, 1)}, "region has a number that is not finite"),
    ({"region": [0, 0, INFINITY, 1]}, "region has a number that is not finite"),
    ({"filename": "\ud800.mp4"}, "filename has a letter that is none"),
    ({"classes": ["car", "\ud800"]}, "classes has a letter that is none"),
]


@BOTH
@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_an_option_that_json_cannot_hold_is_refused_before_anything_is_asked(
    options: dict[str, Any], words: str, is_async: bool
) -> None:
    service = PlayedService([])
    with service.user(is_async) as user:
        for does, argument in (
            (user.client.analyse, [b"video"]),
            (user.client.quote, []),
            (user.client.jobs.begin_upload, [5]),
        ):
            with pytest.raises(errors.ArgumentError, match=words):
                user.do(does, *argument, **options)
    assert service.asked == []


@pytest.mark.parametrize("facts", [{"duration_ms": NAN}, {"average_frame_rate": INFINITY}])
def test_a_fact_of_a_quote_is_finite(facts: Any) -> None:
    with PlayedService([]).client() as client, pytest.raises(errors.ArgumentError, match="is not finite"):
        client.quote(**facts)


def test_what_is_no_json_is_refused() -> None:
    nothing: Any = {"languages": object()}
    with PlayedService([]).client() as client, pytest.raises(errors.ArgumentError, match="as JSON"):
        client.quote(**nothing)


@BOTH
@pytest.mark.parametrize("job_id", ["\ud800", None, 5, ".."])
def test_what_is_no_job_id_is_refused_before_anything_is_asked(job_id: Any, is_async: bool) -> None:
    for verb in ("get", "cancel", "delete"):
        with pytest.raises(errors.ArgumentError, match="is no job_id"):
            PlayedService([]).did(verb, job_id, is_async=is_async)


@pytest.mark.parametrize("key", ["caf\u00e9", "a\nb", "\ud800"])
def test_an_idempotency_key_that_no_header_can_hold_is_refused(key: str) -> None:
    with PlayedService([]).client() as client:
        for source in (b"video", "https://videos.example.com/a.mp4"):
            with pytest.raises(errors.ArgumentError, match="idempotency_key"):
                client.analyse(source, idempotency_key=key)


def test_what_cannot_be_sent_with_any_request_is_refused() -> None:
    unsendable: list[dict[str, Any]] = [
        {"headers": {"x": "\u00e9"}},
        {"headers": {"x": 5}},
        {"params": {"a": "\ud800"}},
        {"path": "/\ud800"},
        {"path": "/\x01"},
    ]
    with PlayedService([]).client() as client:
        for parts in unsendable:
            with pytest.raises(errors.ArgumentError, match="cannot be sent"):
                client.request("GET", **{"path": "/health", **parts})
        with pytest.raises(errors.ArgumentError, match="cannot be sent"):
            list(client.jobs.list(status="\ud800"))


FRAME: dict[str, Any] = {"frame_index": 3, "result": {"detections": []}}


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([{"frame_index": 3}], "A frame has no result: pass answers of GET /video/results"),
        ([{"result": {}}], "A frame has no frame_index"),
        ([{**FRAME, "frame_index": "3"}], "A frame is not as the service gives it"),
        ([{**FRAME, "result": "EXIT"}], "A frame is not as the service gives it"),
        (["EXIT"], "A frame is not as the service gives it"),
        ({"a": 1}, "a page without results"),
        ("EXIT", "a page without results"),
    ],
)
def test_pages_that_are_none_of_the_service_are_told(results: Any, words: str) -> None:
    with pytest.raises(ResultsError, match=words):
        list(Results([{"results": results}]).frames())


DETECTION = {"class_id": 0, "class_name": "car", "confidence": 0.9, "xyxy": [0, 0, 1, 1]}
WORD = {"text": "EXIT", "confidence": 90, "level": 5, "block_num": 1, "line_num": 1}


@pytest.mark.parametrize(
    ("result", "part", "words"),
    [
        ({"detections": [{**DETECTION, "xyxy": [0, 0]}]}, "detections", "A detection of frame 3 is not as"),
        ({"detections": [{"xyxy": [0, 0, 1, 1]}]}, "detections", "A detection of frame 3 has no class_id"),
        ({"detections": 7}, "detections", "A detection of frame 3 is not as"),
        ({"blocks": [WORD]}, "words", "A word of frame 3 has no bbox"),
        ({"blocks": None}, "words", "A word of frame 3 is not as"),
        ({"text": None}, "lines", "The text of frame 3 is not as"),
    ],
)
def test_what_is_found_on_a_frame_and_none_of_the_service_is_told(
    result: dict[str, Any], part: str, words: str
) -> None:
    with pytest.raises(ResultsError, match=words):
        getattr(Frame(3, 0, result), part)
