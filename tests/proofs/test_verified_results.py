"""Results of the real worker are verified by the real worker, as another program."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from video_jobs.application import VideoJobs
from video_jobs.settings import WorkerSettings
from video_jobs_client.verification import OtherVideoError, PartChoice, WorkerFailedError, verify
from video_worker.job_worker import Outcome
from video_worker.pipeline_service import VideoFilePipelineService

from functions.video_api.answers import job_resource
from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.worker_world import World

PART_FRAMES = 8
EVERY_PART = PartChoice(count=None, part_frames=PART_FRAMES)
SOME_PARTS = PartChoice(count=2, seed=1, part_frames=PART_FRAMES)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_PATH", str(SHIPPED))


@pytest.fixture(scope="module")
def pipelines() -> VideoFilePipelineService:
    """The analysis of the service: its own pipelines, with the model that is shipped."""
    return VideoFilePipelineService.from_settings(
        WorkerSettings.from_environment({"MODEL_PATH": str(SHIPPED)})
    )


class Done:
    """A job of the tiny video that a worker of the service has completed."""

    def __init__(self, folder: Path, pipelines: VideoFilePipelineService, **chosen: Any) -> None:
        world = World(folder)
        rules = replace(world.app.rules, known_pipelines=frozenset({"yolo_ocr"}))
        world.app, world.pipelines = VideoJobs(world.app.ports, rules), pipelines
        world.submit(TINY, "yolo_ocr", part_frames=PART_FRAMES, **chosen)
        assert world.worker().run_once() is Outcome.COMPLETED
        self.job: dict[str, Any] = json.loads(json.dumps(job_resource(world.job)))
        self.results = folder / "results.json"
        self.results.write_bytes(world.results())


@pytest.fixture
def done(tmp_path: Path, pipelines: VideoFilePipelineService) -> Done:
    return Done(tmp_path, pipelines)


def processes() -> Iterator[psutil.Process]:
    yield from psutil.Process().children(recursive=True)


@pytest.mark.parametrize(
    ("chosen", "choice", "compared"),
    [
        ({}, SOME_PARTS, 16),
        ({"frame_stride": 2, "max_frames": 17, "region": [0, 0, 1, 0.75]}, EVERY_PART, 17),
        ({"start_ms": 400.0, "classes": ("car",), "min_confidence": 0.4}, SOME_PARTS, 16),
        ({"text_engine": "tesseract", "frames_per_second": 4.0}, EVERY_PART, 16),
    ],
    ids=["plain", "stride and region", "times and objects", "tesseract"],
)
def test_what_the_service_computed_has_the_same_bytes_here(
    tmp_path: Path,
    pipelines: VideoFilePipelineService,
    chosen: dict[str, Any],
    choice: PartChoice,
    compared: int,
) -> None:
    done = Done(tmp_path, pipelines, **chosen)
    found = verify(done.job, TINY, done.results, choice=choice)
    assert found.differences == ()
    assert found.is_same_worker
    assert found.frames_compared == compared


def test_a_changed_confidence_and_another_model_are_reported(
    done: Done, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN results in which one digit was changed
    text = done.results.read_text(encoding="utf-8")
    digit = re.search(r'"confidence":\d+\.\d', text)
    assert digit is not None
    at = digit.end() - 1
    done.results.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :], encoding="utf-8")
    # WHEN a worker with other settings verifies them
    monkeypatch.setenv("OCR_SCRIPTS", "all")
    found = verify(done.job, TINY, done.results, choice=PartChoice(count=1, part_frames=PART_FRAMES))
    # THEN it tells the change and the setting
    assert "confidence: " in found.differences[0].what
    assert "plugins.ocr.scripts" in [one.name for one in found.fingerprint]


def test_another_file_of_the_same_size_is_no_video(done: Done, tmp_path: Path) -> None:
    video = tmp_path / "clip.mp4"
    video.write_bytes(bytes(TINY.stat().st_size))
    with pytest.raises(OtherVideoError, match="cannot read the video"):
        verify(done.job, video, done.results, choice=SOME_PARTS)


def test_a_worker_without_a_model_says_so(done: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODEL_PATH")
    with pytest.raises(WorkerFailedError, match="MODEL_PATH"):
        verify(done.job, TINY, done.results, choice=SOME_PARTS)


def test_an_interrupt_leaves_no_process(done: Done) -> None:
    # GIVEN a worker with its analysing process and its decoders
    seen: list[psutil.Process] = []

    def interrupt(_: int) -> None:
        seen.extend(processes())
        raise KeyboardInterrupt

    # WHEN the client is interrupted
    with pytest.raises(KeyboardInterrupt):
        verify(done.job, TINY, done.results, choice=EVERY_PART, on_frame=interrupt)
    # THEN all of them end
    assert len(seen) >= 3
    assert psutil.wait_procs(seen, timeout=20)[1] == []
