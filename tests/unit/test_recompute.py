"""Parts of a job that are computed once more: the bytes are those of the results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from video_jobs.domain.region import Region
from video_jobs.domain.text_engines import NOTHING_CHOSEN, TextChoice
from video_jobs.settings import WorkerSettings
from video_jobs_client.verification.frames import FrameBytes, StoredFrames
from video_worker.analysis import KeepGoing, RunRequest
from video_worker.isolation.limits import JobLimits
from video_worker.parts import part_lines
from video_worker.pipeline_run import PipelineRun
from video_worker.recompute import Task, recomputed

from tests.support.joining import joined
from tests.support.numbered_video import NumberedVideo, only
from tests.unit.test_pipeline_run import NumberReader

VIDEO = Path("any")
PART_FRAMES = 4


class NumberService:
    """An analysis that reads the number of each picture, and its place in the part."""

    def __init__(self, video: NumberedVideo) -> None:
        self.video = video
        self.requests: list[RunRequest] = []

    def prepare(self) -> None: ...

    def fingerprint(self, pipeline_id: str, text: TextChoice = NOTHING_CHOSEN) -> dict[str, Any]:
        return {"pipeline": pipeline_id, "engine": text.engine}

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> PipelineRun:
        self.requests.append(request)
        opened = self.video(request.path, None, request.sampling)
        return PipelineRun(opened, only(NumberReader()), request, 1, keep_going)


def task(parts: list[tuple[int, int | None]], **options: Any) -> Task:
    return msgspec.convert({"job": options, "parts": parts, "part_frames": PART_FRAMES}, Task)


def stored(service: NumberService, asked: Task, folder: Path) -> list[FrameBytes]:
    """The results of the whole job, which a client downloads."""
    request = RunRequest.of(VIDEO, asked.job, PART_FRAMES)
    lines = [line for _, line in part_lines(service.run(request))]
    return list(StoredFrames(joined(folder, lines, asked.job.max_frames).files.results))


def frames(lines: list[bytes]) -> list[FrameBytes]:
    told = [line[1:-2].partition(b",") for line in lines if line.startswith(b"[")]
    return [FrameBytes.of(text, time) for time, _, text in told]


@pytest.mark.parametrize(
    ("video", "options"),
    [
        (NumberedVideo(18), {}),
        (NumberedVideo(18), {"max_frames": 6}),
        (NumberedVideo(54), {"frame_stride": 3}),
        (NumberedVideo(60), {"start_ms": 120, "end_ms": 1900, "frames_per_second": 10}),
        (NumberedVideo(18, lost={0, 6}), {}),
        (NumberedVideo(18, is_divisible=False, tells_length=False), {}),
    ],
    ids=["plain", "max_frames", "stride", "times", "lost", "not divisible"],
)
def test_a_part_has_the_bytes_that_the_results_have(
    tmp_path: Path, video: NumberedVideo, options: dict[str, Any]
) -> None:
    # GIVEN a job and its results
    service, asked = NumberService(video), task([(0, 1), (1, 3), (4, 5)], **options)
    expected = stored(service, asked, tmp_path)
    # WHEN some of its parts are computed once more
    found = frames(list(recomputed(service, asked, VIDEO)))
    # THEN they have exactly the frames of these parts
    candidates = sorted({one.frame_index for one in expected}.union(video.lost))
    chosen = {index for number, index in enumerate(candidates) if number // PART_FRAMES in (0, 1, 2, 4)}
    assert found == [one for one in expected if one.frame_index in chosen]


def test_all_parts_are_one_run(tmp_path: Path) -> None:
    service, asked = NumberService(NumberedVideo(18)), task([(0, None)])
    expected = stored(service, asked, tmp_path)
    service.requests.clear()
    assert frames(list(recomputed(service, asked, VIDEO))) == expected
    assert len(service.requests) == 1


def test_the_fingerprint_comes_first_and_is_that_of_the_text_engine_of_the_job() -> None:
    asked = task([(1, 2)], pipeline_id="ocr_only", text_engine="tesseract")
    lines = list(recomputed(NumberService(NumberedVideo(8)), asked, VIDEO))
    assert json.loads(lines[0]) == {"fingerprint": {"pipeline": "ocr_only", "engine": "tesseract"}}
    assert json.loads(lines[1]) == {"parts": [1, 2]}
    assert [frame.frame_index for frame in frames(lines)] == [4, 5, 6, 7]


def test_all_options_of_the_job_resource_reach_the_analysis() -> None:
    # GIVEN a job resource, which has more than options
    options = {"classes": ["car"], "min_confidence": 0.5, "region": [0, 0.5, 1, 1], "languages": ["deu"]}
    service = NumberService(NumberedVideo(8))
    asked = task([(0, 1)], **options, status="completed", start_ms=40)
    # WHEN it is computed once more
    list(recomputed(service, asked, VIDEO))
    # THEN nothing of what was chosen is left out
    request = service.requests[0]
    assert (request.objects.classes, request.objects.min_confidence) == (("car",), 0.5)
    assert (request.region, request.text.languages) == (Region(0, 0.5, 1, 1), ("deu",))
    assert request.sampling == replace(request.sampling, start_ms=40.0)


def test_the_limits_are_those_of_the_settings() -> None:
    settings = WorkerSettings(model_path="m", job_memory_mib=1, job_cpu_s=2, frame_limit_s=3)
    assert JobLimits.from_settings(settings) == JobLimits(memory_mib=1, cpu_s=2, frame_s=3)
