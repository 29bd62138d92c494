"""Arguments that are a little unusual, or cannot be right, and what is said of results that are not ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
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


@BOTH
@pytest.mark.parametrize("parallel", [0, -1])
def test_an_upload_that_sends_nothing_at_a_time_is_refused_before_there_is_a_job(
    parallel: int, is_async: bool, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"video")
    service = PlayedService([])

    def by_sync() -> None:
        with service.client() as client:
            client.analyse(clip, upload=UploadSettings(method="multipart", parallel=parallel))

    async def by_async() -> None:
        async with service.async_client() as client:
            await client.analyse(clip, upload=UploadSettings(method="multipart", parallel=parallel))

    with pytest.raises(errors.ArgumentError, match=f"parallel={parallel}.*: at least 1"):
        anyio.run(by_async) if is_async else by_sync()
    assert service.asked == []


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
