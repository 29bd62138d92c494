"""A warm worker shows nothing of one job's video in another job's results."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import VideoFilePipelineService

from gpu_worker_image.models.street_demo_training.clips import write_mp4
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.support.videos import images_of

SIZE = (640, 360)
INTERLACED = {
    "H.264 fields": ("-c:v", "libx264", "-x264-params", "tff=1", "-pix_fmt", "yuv420p"),
    "H.264 bottom field first": ("-c:v", "libx264", "-x264-params", "bff=1", "-pix_fmt", "yuv420p"),
    "MPEG-4 part 2": ("-c:v", "mpeg4", "-pix_fmt", "yuv420p"),
    "MPEG-2": ("-c:v", "mpeg2video", "-pix_fmt", "yuv420p"),
}


def secret(folder: Path) -> Path:
    """A white clip with words that no other video has."""
    picture = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    cv2.putText(picture, "SECRET 4711", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 2.5, (0, 0, 0), 6, cv2.LINE_AA)
    path = folder / "secret.mp4"
    write_mp4(path, (picture for _ in range(10)), 10, SIZE)
    return path


def interlaced(folder: Path, kind: str) -> Path:
    """Twenty grey pictures of two fields each."""
    path = folder / "interlaced.mp4"
    grey = ("-f", "lavfi", "-i", f"color=gray:s={SIZE[0]}x{SIZE[1]}:r=10:d=2", "-vf", "setfield=tff")
    run_ffmpeg(*grey, "-flags", "+ilme+ildct", *INTERLACED[kind], str(path))
    return path


@pytest.mark.parametrize("kind", INTERLACED)
def test_the_words_of_the_job_before_are_not_read_again(tmp_path: Path, kind: str) -> None:
    # GIVEN a worker that has just read a video
    settings = WorkerSettings.from_environment({"MODEL_PATH": "none"})
    worker = VideoFilePipelineService.from_settings(settings)
    before = list(worker.run_on_file(secret(tmp_path), "ocr_only"))
    assert {frame["result"]["text"] for frame in before} == {"SECRET 4711"}
    # WHEN it reads an interlaced one of the same size
    after = list(worker.run_on_file(interlaced(tmp_path, kind), "ocr_only"))
    # THEN every frame is there and none shows what the other video showed
    assert [frame["frame_index"] for frame in after] == list(range(20))
    assert {frame["result"]["text"] for frame in after} == {""}


@pytest.mark.parametrize("kind", INTERLACED)
def test_an_interlaced_picture_is_the_one_that_was_recorded(tmp_path: Path, kind: str) -> None:
    pictures = images_of(interlaced(tmp_path, kind))
    assert len(pictures) == 20
    assert all(np.abs(image.astype(int) - 128).max() < 8 for image in pictures)
