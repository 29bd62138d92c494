"""Strange and broken videos: each ends its own job with a reason, and the worker lives on.

What is left of a video has its true index and time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from aws_lambda_powertools import Logger
from video_jobs.domain.errors import ResourceLimitError, UnreadableVideoError
from video_jobs.domain.job import Job, JobStatus
from video_worker.isolation.limits import JobLimits
from video_worker.isolation.service import IsolatedAnalysisService
from video_worker.video import index

from tests.fixtures.make_bad_media import ANY_END, FAILED, PARTLY, WHOLE, BadVideo, make_corpus
from tests.fixtures.numbered_pictures import read_number
from tests.support.readings import Reading, check_starts, read_video_file
from tests.support.shown_by_ffmpeg import shown_by_ffmpeg
from tests.support.worker_world import OWN_FOLDERS, World, settings
from tools.markdown_writer import table

TABLE = Path(__file__).parents[2] / "out" / "bad-media.md"
MEMORY_MIB = 1500
LEFT_MIB = 150
MAX_PIXELS = 3840 * 2160
STARTS = 12
ROUNDED = ("h264_10_bit", "interlaced", "lying_width_huge")
"""Kinds that are scaled, or that two versions of ffmpeg round differently."""
MEAN_DIFFERENCE = 1.5


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[BadVideo]:
    return make_corpus(tmp_path_factory.mktemp("bad-media"))


@pytest.fixture(scope="module")
def service() -> Iterator[IsolatedAnalysisService]:
    limits = JobLimits(memory_mib=MEMORY_MIB, cpu_s=60, frame_s=20)
    with IsolatedAnalysisService(settings(**OWN_FOLDERS), limits, Logger()) as made:
        yield made


def test_each_file_ends_its_job_and_the_worker_lives(
    corpus: list[BadVideo], service: IsolatedAnalysisService, tmp_path: Path
) -> None:
    assert len({video.name for video in corpus}) == len(corpus) >= 60
    before = memory_mib(service)
    pid = service.pid
    jobs = [(video, analysed(video, service, tmp_path)) for video in corpus]
    write_table(jobs)
    wrong = [(video.name, job) for video, job in jobs if not ended_as_expected(video, job)]
    assert wrong == []
    assert service.pid == pid
    assert memory_mib(service) < before + LEFT_MIB


def test_a_bomb_that_is_let_in_is_stopped_by_its_memory(corpus: list[BadVideo], tmp_path: Path) -> None:
    (bomb,) = (video for video in corpus if video.name == "bomb_16240x16240")
    limits = JobLimits(memory_mib=1000, cpu_s=60, frame_s=20)
    with IsolatedAnalysisService(
        settings(**OWN_FOLDERS, MAX_FRAME_PIXELS="999999999"), limits, Logger()
    ) as service:
        job = analysed(bomb, service, tmp_path)
        assert job.error is not None
        assert (job.status, job.error.code) == (JobStatus.FAILED, "resource_limit")
        assert "more than 1000 MiB of memory" in job.error.message
        assert analysed(corpus[0], service, tmp_path).status is JobStatus.COMPLETED


@pytest.fixture(scope="module")
def readings(corpus: list[BadVideo]) -> dict[str, Reading | str]:
    """What was read of each file, or why it was refused."""
    return {video.name: reading_of(video.path) for video in corpus}


def reading_of(path: Path) -> Reading | str:
    try:
        return read_video_file(path, MAX_PIXELS)
    except (UnreadableVideoError, ResourceLimitError) as refusal:
        return str(refusal)


def test_each_file_is_read_or_refused_as_expected(
    corpus: list[BadVideo], readings: dict[str, Reading | str]
) -> None:
    for video in corpus:
        reading = readings[video.name]
        if isinstance(reading, str):
            assert video.end not in (WHOLE, PARTLY), (video.name, reading)
            assert reading.startswith(("Unable to read video file: ", "The frames have ")), video.name
        else:
            assert video.end != FAILED, video.name
            assert video.frames in (None, len(reading.pictures)), video.name


def test_each_picture_keeps_its_index_and_times_never_go_back(readings: dict[str, Reading | str]) -> None:
    for name, reading in readings.items():
        if isinstance(reading, Reading):
            assert [picture.index for picture in reading.pictures] == list(range(len(reading.pictures)))
            assert reading.facts.frame_count in (None, len(reading.pictures)), name
            times = [picture.time_us for picture in reading.pictures]
            assert times[0] == 0, name
            assert times == sorted(times), name


def test_a_whole_file_shows_its_numbers_at_the_times_and_with_the_pixels_of_ffmpeg(
    corpus: list[BadVideo], readings: dict[str, Reading | str]
) -> None:
    for video in corpus:
        reading = readings[video.name]
        if video.end != WHOLE or not isinstance(reading, Reading):
            continue
        facts, pictures = reading.facts, reading.pictures
        if video.first_number is not None:
            numbers = [None if p.image is None else read_number(p.image) for p in pictures]
            assert numbers == [video.first_number + p.index for p in pictures], video.name
        shown = shown_by_ffmpeg(
            video.path,
            (facts.width, facts.height),
            picture_filter="bwdif=send_frame:auto:interlaced" if facts.interlaced else None,
        )
        assert [p.time_us for p in pictures] == [p.time_us for p in shown], video.name
        allowed = MEAN_DIFFERENCE if video.name.startswith(ROUNDED) else 0
        for ours, theirs in zip(pictures, shown, strict=True):
            assert ours.image is not None
            difference = np.abs(ours.image.astype(np.int16) - theirs.image).mean()
            assert difference <= allowed, (video.name, ours.index)


def test_a_picture_is_the_same_wherever_reading_starts(
    corpus: list[BadVideo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SEGMENT_PACKETS", 1)  # else a short video has only one place to start at
    checked = 0
    for video in corpus:
        reading = reading_of(video.path)
        if isinstance(reading, Reading):
            check_starts(video.path, reading.prints(), STARTS)
            checked += 1
    assert checked > len(corpus) / 3


def analysed(video: BadVideo, service: IsolatedAnalysisService, folder: Path) -> Job:
    """The job of one video, after one turn of a worker."""
    world = World(folder / video.name)
    world.pipelines = service  # type: ignore[assignment]
    world.submit(video.path, part_frames=7)
    if world.job.status is JobStatus.PENDING:
        world.worker().run_once()
    assert list(world.temporary.iterdir()) == []
    return world.job


def ended_as_expected(video: BadVideo, job: Job) -> bool:
    completed = job.status is JobStatus.COMPLETED
    if job.error is not None and not is_plain_reason(job.error.message):
        return False
    return {
        WHOLE: completed and not job.warnings and video.frames in (None, job.progress.frames_done),
        PARTLY: completed and bool(job.warnings) and job.progress.frames_done > 0,
        FAILED: job.status is JobStatus.FAILED,
        ANY_END: job.status in (JobStatus.COMPLETED, JobStatus.FAILED),
    }[video.end]


def is_plain_reason(message: str) -> bool:
    """Whether it tells what is wrong and what to do, and nothing of the machine."""
    internals = ("Traceback", "Error(", "/tmp", "cv2", " 0x")
    starts = ("Unable to read video file: ", "Invalid MP4 file: ", "The frames have ")
    return message.startswith(starts) and ";" in message and not any(word in message for word in internals)


def write_table(jobs: list[tuple[BadVideo, Job]]) -> None:
    """What became of each file, for the reader of the README."""
    rows = []
    for video, job in jobs:
        code, said = (
            (job.error.code, job.error.message)
            if job.error
            else ("", " / ".join(warning.message for warning in job.warnings))
        )
        rows.append((video.name, video.path.stat().st_size, job.status, code, job.progress.frames_done, said))
    TABLE.parent.mkdir(exist_ok=True)
    names = ("file", "bytes", "ended", "code", "frames", "what the client reads")
    TABLE.write_text(table(names, rows), encoding="utf-8")


def memory_mib(service: IsolatedAnalysisService) -> int:
    """Resident memory of the worker and its analysing process."""
    gc.collect()
    service.prepare()
    pids = [psutil.Process(), psutil.Process(service.pid)]
    return sum(process.memory_info().rss for process in pids) >> 20
