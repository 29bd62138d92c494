"""Two owners, one worker: nothing of the first one's video is in the second one's pictures.

Each file of both corpora is read by a warm worker after a video of another owner, and once more by a process
that has never seen a video. What both read must be the same, byte for byte.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
import pytest
from aws_lambda_powertools import Logger
from video_jobs.domain.errors import VideoJobsError
from video_worker.sandbox.limits import DecoderLimits
from video_worker.sandbox.sandboxed_videos import SandboxedVideos
from video_worker.video.open_video import VideoOpener
from video_worker.video.video_reader import VideoReader

from gpu_worker_image.models.street_demo_training.clips import write_mp4
from tests.fixtures.make_bad_media import make_corpus
from tests.fixtures.numbered_pictures import SIZE
from tests.fixtures.numbered_videos import PLANNED, make_numbered
from tests.support.worker_world import settings

Reading = list[tuple[int, int, str]] | str
"""Index, time and hash of each picture; or the reason why the file is not read."""


def read(open_video: VideoOpener, path: Path) -> Reading:
    limits = DecoderLimits.from_settings(settings())
    try:
        with open_video(path, limits.max_pixels) as video:
            return [(one.index, one.time_us, digest(one.image)) for one in video.frames()]
    except VideoJobsError as error:
        return error.message


def digest(image: np.ndarray | None) -> str:
    return "lost" if image is None else hashlib.sha256(image.tobytes()).hexdigest()


def read_in_new_process(path: Path) -> Reading:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=send_reading, args=(theirs, path))
    process.start()
    reading: Reading = ours.recv()
    process.join()
    return reading


def send_reading(connection: Connection, path: Path) -> None:
    connection.send(read(VideoReader, path))


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A white video with words, whose pictures have the size of those in the corpora."""
    width, height = SIZE
    picture = np.full((height, width, 3), 255, np.uint8)
    cv2.putText(picture, "SECRET 4711", (5, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (0, 0, 0), 2)
    path = tmp_path_factory.mktemp("secret") / "secret.mp4"
    write_mp4(path, (picture for _ in range(10)), 10, SIZE)
    return path


@pytest.fixture(scope="module")
def worker() -> Iterator[SandboxedVideos]:
    with SandboxedVideos(DecoderLimits.from_settings(settings()), Logger()) as videos:
        yield videos


def assert_nothing_is_left(worker: SandboxedVideos, secret: Path, path: Path) -> None:
    assert len(read(worker.open, secret)) == 10
    assert read(worker.open, path) == read_in_new_process(path)


@pytest.mark.parametrize("name", PLANNED)
def test_a_numbered_video_shows_nothing_of_the_job_before(
    worker: SandboxedVideos, secret: Path, tmp_path: Path, name: str
) -> None:
    assert_nothing_is_left(worker, secret, make_numbered(name, tmp_path).path)


def test_broken_media_show_nothing_of_the_job_before(
    worker: SandboxedVideos, secret: Path, tmp_path: Path
) -> None:
    for video in make_corpus(tmp_path):
        assert_nothing_is_left(worker, secret, video.path)
