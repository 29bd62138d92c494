"""The analysing process: whatever happens in it costs one job, never the worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from aws_lambda_powertools import Logger
from video_jobs.domain import errors
from video_jobs.domain.job import JobStatus
from video_jobs.domain.object_choice import ObjectChoice
from video_jobs.domain.region import Region
from video_jobs.domain.sampling import Sampling
from video_worker.analysis import AnalysedFrame, PartEnd, PartNotes, RunRequest
from video_worker.isolation.limits import JobLimits, JobUsage
from video_worker.isolation.service import IsolatedAnalysisService, IsolatedRun
from video_worker.job_worker import Outcome
from video_worker.part_ranges import Excerpt, IndexTarget
from video_worker.part_runs import PartRuns
from video_worker.stop_signal import StoppedError
from video_worker.video.file_view import OutsideRangesError

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.fixtures.numbered_videos import make_numbered
from tests.fixtures.spread_files import spread, with_holes
from tests.support.worker_world import World, settings

MEMORY_MIB = 500


@pytest.fixture(scope="module")
def service() -> Iterator[IsolatedAnalysisService]:
    limits = JobLimits(memory_mib=MEMORY_MIB, cpu_s=20, frame_s=2)
    with IsolatedAnalysisService(settings(), limits, Logger()) as made:
        yield made


def frames(service: IsolatedAnalysisService, pipeline_id: str, **options: Any) -> list[AnalysedFrame]:
    run = service.run(RunRequest(TINY, pipeline_id, **options))
    return [item for item in run if isinstance(item, AnalysedFrame)]


def test_one_process_serves_many_jobs(service: IsolatedAnalysisService) -> None:
    service.prepare()
    first, second = frames(service, "fail", max_frames=5), frames(service, "fail", max_frames=5)
    assert first == second
    assert [frame.frame_index for frame in first] == list(range(5))
    assert {frame.result["pid"] for frame in first} == {service.pid}
    assert service.pid != os.getpid()


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(stride=7), [[14, 21], [28, 35], []]),
        (Sampling(start_ms=99.5, end_ms=2400, frames_per_second=2.5), [[9, 13], [17, 21], []]),
    ],
)
def test_a_run_tells_its_length_and_resumes(
    service: IsolatedAnalysisService, sampling: Sampling, expected: list[list[int]]
) -> None:
    run = service.run(RunRequest(TINY, "fail", sampling, first_part=1, frames_before=2, part_frames=2))
    assert (run.frames_total, run.complete_parts) == (6, 3)
    assert (run.video.width, run.video.height, run.video.frame_count) == (640, 360, 40)
    assert run.warnings == ()
    parts: list[list[int]] = [[]]
    for item in run:
        if isinstance(item, PartEnd):
            assert item == PartEnd(len(parts), PartNotes(), is_complete=True)
            parts.append([])
        else:
            parts[-1].append(item.frame_index)
    assert parts == expected


def test_a_run_ends_before_a_part(service: IsolatedAnalysisService) -> None:
    run = service.run(RunRequest(TINY, "fail", first_part=1, end_part=2, part_frames=2))
    assert [item.frame_index for item in run if isinstance(item, AnalysedFrame)] == [2, 3]


def test_a_part_is_computed_from_its_bytes_and_the_index(
    service: IsolatedAnalysisService, tmp_path: Path
) -> None:
    # GIVEN the index of a video, and the bytes that one of its parts takes
    path = spread(make_numbered("long_pyramid", tmp_path).path, tmp_path / "spread.mp4")
    request = RunRequest(path, "yolo_only", Sampling(stride=50), first_part=3, end_part=4, part_frames=2)
    whole = service.run(replace(request, index_target=IndexTarget(tmp_path / "index")))
    expected = list(whole)
    assert whole.part_ranges is not None
    excerpt = Excerpt(whole.part_ranges.of(3, 4), tmp_path / "index")
    request = replace(request, path=with_holes(path, excerpt.ranges), excerpt=excerpt)
    # WHEN it is computed THEN its frames are the same
    assert list(service.run(request)) == expected
    assert [item.frame_index for item in expected if isinstance(item, AnalysedFrame)] == [300, 350]
    # AND what needs more ends with an error of its own, and the models stay loaded
    before = service.pid
    less = replace(excerpt, ranges=excerpt.ranges[:1])
    with pytest.raises(OutsideRangesError):
        list(service.run(replace(request, excerpt=less)))
    assert service.pid == before


def test_a_choice_of_objects_reaches_the_process_and_its_error_comes_back(
    service: IsolatedAnalysisService,
) -> None:
    service.prepare()
    before = service.pid
    with pytest.raises(errors.UnknownClassError, match="no class 'Car'"):
        frames(service, "yolo_only", objects=ObjectChoice(("Car",)))
    choice, region = ObjectChoice(("bus",), 0.01), Region(0.25, 0.5, 1, 1)
    (frame,) = frames(service, "yolo_only", max_frames=1, objects=choice, region=region)
    assert set(frame.result["classes"]) == {"bus"}
    assert all(one["xyxy"][0] >= 160 and one["xyxy"][1] >= 180 for one in frame.result["detections"])
    assert service.pid == before


@pytest.fixture
def world(service: IsolatedAnalysisService, tmp_path: Path) -> World:
    world = World(tmp_path)
    world.pipelines = service  # type: ignore[assignment]
    service.prepare()
    return world


@pytest.mark.parametrize(
    ("pipeline_id", "code", "words"),
    [
        ("crash", "analysis_crashed", "crashed on this video (SIGSEGV)"),
        ("hang", "resource_limit", "got stuck: no frame was finished within 2 s"),
        ("swell", "resource_limit", f"more than {MEMORY_MIB} MiB"),
    ],
)
def test_the_job_fails_with_a_reason_and_the_worker_takes_the_next(
    service: IsolatedAnalysisService, world: World, pipeline_id: str, code: str, words: str
) -> None:
    before = service.pid
    world.submit(TINY, pipeline_id)
    worker = world.worker()
    assert worker.run_once() is Outcome.FAILED
    assert (world.job.status, world.error_code) == (JobStatus.FAILED, code)
    assert words in world.error_message
    assert worker.run_once() is Outcome.IDLE
    # AND another process has taken over
    assert len(frames(service, pipeline_id, max_frames=5)) == 5
    assert service.pid != before
    assert not psutil.pid_exists(before or 0)


def test_a_process_killed_from_outside_counts_one_failure(
    service: IsolatedAnalysisService, world: World
) -> None:
    world.submit(TINY, "be_killed")
    assert world.worker().run_once() is Outcome.RETURNED
    assert (world.job.status, world.job.failures) == (JobStatus.PENDING, 1)
    with pytest.raises(errors.TransientError, match="killed, most likely for lack of memory"):
        frames(service, "be_killed")
    assert len(frames(service, "be_killed", max_frames=5)) == 5


def test_cpu_time_is_limited() -> None:
    limits = JobLimits(memory_mib=MEMORY_MIB, cpu_s=1, frame_s=60)
    with (
        IsolatedAnalysisService(settings(), limits, Logger()) as service,
        pytest.raises(errors.ResourceLimitError, match="more than 1 s of CPU time"),
    ):
        frames(service, "burn")


@pytest.mark.parametrize(
    ("pipeline_id", "error", "words"),
    [
        ("fail", errors.PipelineError, "The pipeline failed on this video (KeyError)"),
        ("lack_memory", errors.TransientError, "ran out of memory"),
        ("nope", errors.UnknownPipelineError, "no pipeline 'nope'"),
    ],
)
def test_an_exception_comes_back_and_the_process_stays(
    service: IsolatedAnalysisService, pipeline_id: str, error: type[Exception], words: str
) -> None:
    service.prepare()
    before = service.pid
    with pytest.raises(error) as caught:
        frames(service, pipeline_id)
    assert words in str(caught.value)
    service.prepare()
    assert service.pid == before


def test_a_broken_video_comes_back_with_its_reason(service: IsolatedAnalysisService, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(TINY.read_bytes()[:64])
    with pytest.raises(errors.UnreadableVideoError, match="Unable to read video file"):
        service.run(RunRequest(tmp_path / "broken.mp4", "fail"))


def test_a_stop_reaches_a_run_that_hangs(service: IsolatedAnalysisService) -> None:
    calls: list[int] = []

    def keep_going() -> None:
        calls.append(1)
        if len(calls) > 10:
            raise StoppedError

    with pytest.raises(StoppedError):
        list(service.run(RunRequest(TINY, "hang"), keep_going))


def test_a_run_given_up_halfway_does_not_leak_into_the_next(service: IsolatedAnalysisService) -> None:
    run = iter(service.run(RunRequest(TINY, "fail", max_frames=5)))
    next(run)
    assert [frame.frame_index for frame in frames(service, "crash", max_frames=3)] == [0, 1, 2]


# --- ending a run --------------------------------------------------------------------------------------


def answer_is_there(service: IsolatedAnalysisService) -> bool:
    """Wait until the process has sent what comes next."""
    return service._process is not None and service._process.has_answer(10)


def check_the_process_stayed(service: IsolatedAnalysisService, before: int | None) -> None:
    assert [frame.frame_index for frame in frames(service, "fail", max_frames=3)] == [0, 1, 2]
    service.prepare()
    assert service.pid == before


@pytest.mark.parametrize("seen", [0, 1, 4], ids=["before the first frame", "at the first", "in the middle"])
def test_a_run_that_is_closed_ends_and_the_process_stays(service: IsolatedAnalysisService, seen: int) -> None:
    service.prepare()
    before = service.pid
    run = service.run(RunRequest(TINY, "swell", max_frames=5))
    items = iter(run)
    for _ in range(seen):
        next(items)
    run.close()
    run.close()
    check_the_process_stayed(service, before)


def test_a_run_that_has_just_ended_is_closed(service: IsolatedAnalysisService) -> None:
    """Its end was sent before it was told to end, which it learns in the next run's place."""
    service.prepare()
    before = service.pid
    run = service.run(RunRequest(TINY, "fail", max_frames=2))
    items = iter(run)
    assert [type(next(items)) for _ in range(3)] == [AnalysedFrame, AnalysedFrame, PartEnd]
    assert answer_is_there(service)
    run.close()
    check_the_process_stayed(service, before)


def test_an_error_in_a_frame_that_nobody_waits_for_is_not_told(service: IsolatedAnalysisService) -> None:
    service.prepare()
    before = service.pid
    run = service.run(RunRequest(TINY, "fail"))
    items = iter(run)
    for _ in range(5):
        next(items)
    assert answer_is_there(service)  # the error of the sixth frame
    run.close()
    check_the_process_stayed(service, before)


def test_a_run_that_failed_is_closed_without_waiting(service: IsolatedAnalysisService) -> None:
    service.prepare()
    before = service.pid
    run = service.run(RunRequest(TINY, "fail"))
    with pytest.raises(errors.PipelineError):
        list(run)
    run.close()
    check_the_process_stayed(service, before)


def test_a_crash_in_a_frame_that_nobody_waits_for_costs_only_the_process(
    service: IsolatedAnalysisService,
) -> None:
    service.prepare()
    before = service.pid
    run = service.run(RunRequest(TINY, "crash"))
    assert service._process is not None
    service._process._process.wait(10)
    run.close()
    assert len(frames(service, "crash", max_frames=3)) == 3
    assert service.pid != before


def test_a_stop_ends_the_closing_of_a_run(service: IsolatedAnalysisService) -> None:
    is_over: list[bool] = []

    def keep_going() -> None:
        if is_over:
            raise StoppedError

    run = service.run(RunRequest(TINY, "hang"), keep_going)
    items = iter(run)
    for _ in range(5):
        next(items)
    is_over.append(True)
    with pytest.raises(StoppedError):
        run.close()


def test_a_helper_keeps_the_process_for_the_next_segment(service: IsolatedAnalysisService) -> None:
    service.prepare()
    before = service.pid

    def open_run(first_part: int, frames_before: int) -> IsolatedRun:
        request = RunRequest(TINY, "swell", end_part=2, part_frames=2)
        return service.run(replace(request, first_part=first_part, frames_before=frames_before))

    runs = PartRuns(open_run(1, 2), 1, 2, open_run)
    assert len(list(runs.lines(1))) == 3
    runs.close()
    check_the_process_stayed(service, before)


# --- around it -----------------------------------------------------------------------------------------


def test_a_model_that_cannot_be_loaded_is_told_at_start() -> None:
    limits = JobLimits(memory_mib=MEMORY_MIB, cpu_s=20, frame_s=2)
    nowhere = IsolatedAnalysisService(settings(MODEL_PATH="/nowhere/model"), limits, Logger())
    with pytest.raises(errors.SettingError, match="/nowhere/model"):
        nowhere.prepare()
    assert nowhere.pid is None


WORKER = """
from tests.integration.test_isolation import *
if __name__ == "__main__":
    service = IsolatedAnalysisService(settings(), JobLimits(memory_mib=900, cpu_s=9, frame_s=9), Logger())
    service.prepare()
    print(service.pid, flush=True)
    input()
"""


def test_the_process_dies_with_a_killed_worker() -> None:
    # GIVEN a worker with its analysing process
    command = [sys.executable, "-c", WORKER]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with worker:
        assert worker.stdout is not None
        child = psutil.Process(int(worker.stdout.readline()))
        # WHEN the worker is killed
        worker.send_signal(signal.SIGKILL)
        # THEN the other process ends too
        assert psutil.wait_procs([child], timeout=20)[0]


def test_the_worker_itself_loads_no_models() -> None:
    heavy = "('cv2', 'torch', 'openvino')"
    code = f"import sys, video_worker.runner; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_worker_knows_the_way_to_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a worker with credentials, and with settings that name what it works on
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "ECS_AGENT_URI",
        "TABLE_NAME",
    ):
        monkeypatch.setenv(name, "canary-4711")
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    # WHEN it has started its analysing process, which has started the fork server and a decoder
    limits = JobLimits(memory_mib=MEMORY_MIB, cpu_s=20, frame_s=2)
    with IsolatedAnalysisService(settings(), limits, Logger()) as service:
        next(iter(service.run(RunRequest(TINY, "hang"))))
        analysis = psutil.Process(service.pid)
        environments = [process.environ() for process in (analysis, *analysis.children(recursive=True))]
    # THEN none of them has any of it, and the analysing process has what libraries need
    assert len(environments) >= 3
    assert "canary-4711" not in str(environments)
    assert environments[0]["OMP_THREAD_LIMIT"] == "1"


def test_a_video_is_opened_by_a_decoder(service: IsolatedAnalysisService) -> None:
    service.prepare()
    run = iter(service.run(RunRequest(TINY, "hang")))
    next(run)  # now it hangs at a later frame
    analysis = psutil.Process(service.pid)
    holders = [
        process
        for process in (analysis, *analysis.children(recursive=True))
        if str(TINY) in [file.path for file in process.open_files()]
    ]
    assert holders
    assert analysis not in holders


def test_usage_of_a_vanished_process_is_no_error() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    process = psutil.Process(gone.pid)
    gone.wait()
    JobUsage(process, JobLimits(memory_mib=1, cpu_s=1, frame_s=60)).check()
