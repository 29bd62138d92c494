"""The worker and the life of a job, over the local twins of AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from video_jobs.domain import changes
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job import Job, JobStatus, Progress
from video_jobs.domain.keys import parts_prefix, results_key, video_key
from video_worker.analysis import AnalysedFrame, RunRequest
from video_worker.job_worker import Outcome
from video_worker.stop_signal import StopSignal

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support import videos
from tests.support.worker_world import World, misbehave, on_frame


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    assert list(made.temporary.iterdir()) == []
    on_frame().clear()


def test_a_job_is_completed(world: World) -> None:
    world.submit(TINY, frame_stride=3, max_frames=10)
    assert turn(world) is Outcome.COMPLETED
    job = world.job
    assert (job.status, job.progress, job.attempt) == (JobStatus.COMPLETED, Progress(10, 10), 1)
    assert (job.worker_id, job.due_at, job.warnings) == (None, None, ())
    assert job.fingerprint is not None
    assert job.video is not None
    assert (job.video.codec, job.video.width, job.video.height) == ("h264", 640, 360)
    frames = json.loads(world.results())["results"]
    assert [frame["frame_index"] for frame in frames] == list(range(0, 30, 3))
    assert world.queue.size() == 0
    assert turn(world) is Outcome.IDLE


def turn(world: World, name: str = "w", **options: Any) -> Outcome:
    """What a worker does with the next message."""
    return world.worker(name, **options).run_once()


def claim(world: World, worker_id: str, **lease: float) -> None:
    """Another worker takes the job."""
    change = changes.claim(world.job, worker_id=worker_id, lease=timedelta(**lease), now=world.clock.now())
    world.jobs.update_status(change)


def test_the_version_that_was_checked_is_the_one_that_is_analysed(world: World, tmp_path: Path) -> None:
    world.submit(TINY)
    (tmp_path / "later").write_bytes(b"garbage that came later")
    world.storage.save_file(video_key(world.job_id), tmp_path / "later", "video/mp4")
    assert turn(world) is Outcome.COMPLETED


@pytest.mark.parametrize("part_frames", [1, 7, 10, 1000])
def test_the_bytes_do_not_depend_on_the_parts(world: World, part_frames: int) -> None:
    world.submit(TINY, part_frames=part_frames)
    turn(world)
    frames = world.pipelines.run_on_file(TINY, "count")
    lines = ",\n".join(json.dumps(frame, separators=(",", ":"), sort_keys=True) for frame in frames)
    run = world.pipelines.run(RunRequest(TINY, "count"))
    times = ",".join(f"{item.timestamp_ms:g}" for item in run if isinstance(item, AnalysedFrame))
    assert world.results().decode() == f'{{"results":[\n{lines}\n],"timestamps_ms":[{times}]}}\n'
    assert list(world.storage.list_keys(parts_prefix(world.job_id))) == []


def test_a_broken_video_fails_its_job_and_the_worker_lives(world: World, tmp_path: Path) -> None:
    for make, word in (
        (videos.truncated_without_moov, "moov"),
        (videos.audio_only, "no video track"),
        (videos.zero_frames, ""),
        (videos.header_then_garbage, "moov"),
    ):
        world.submit(make(tmp_path))
        assert turn(world) is Outcome.FAILED
        assert (world.job.status, world.error_code) == (JobStatus.FAILED, "unreadable_video")
        assert world.error_message.startswith("Unable to read video file")
        assert word in world.error_message
        assert world.queue.size() == 0


def test_an_upload_cut_off_completes_with_a_warning(world: World, tmp_path: Path) -> None:
    world.submit(videos.truncated_faststart(tmp_path))
    assert turn(world) is Outcome.COMPLETED
    assert world.job.warnings[0].code == "file_cut_off"


def test_an_exception_in_a_plugin_fails_the_job_without_internals(world: World) -> None:
    def fail(frame_index: int) -> None:
        if frame_index == 3:
            raise KeyError("secret detail")

    misbehave(world, fail)
    world.submit(TINY, "misbehave")
    assert turn(world) is Outcome.FAILED
    assert world.error_code == "pipeline_failed"
    assert "KeyError" in world.error_message
    assert "secret" not in world.error_message
    # AND an unknown pipeline fails the job as well
    world.submit(TINY, "nope")
    assert turn(world) is Outcome.FAILED


def test_a_message_that_went_to_a_dead_workers_poll_is_soon_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a worker that died with a message in its hand, before it could claim the job
    world.submit(TINY)
    with monkeypatch.context() as patched:
        patched.setattr(world.jobs, "get_by_id", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            turn(world)
    assert turn(world, "other") is Outcome.IDLE
    # WHEN three heartbeats' time has passed, half a lease
    world.clock.advance(3 * world.settings.heartbeat_s + 1)
    # THEN another worker has it
    assert turn(world, "other") is Outcome.COMPLETED


def test_a_transient_error_is_tried_again_later_and_the_last_one_fails(world: World) -> None:
    def fail(_: int) -> None:
        raise TransientError("S3 did not answer")

    misbehave(world, fail)
    world.submit(TINY, "misbehave")
    assert turn(world) is Outcome.RETURNED
    assert (world.job.status, world.job.failures) == (JobStatus.PENDING, 1)
    assert turn(world) is Outcome.IDLE
    world.clock.advance(60)
    assert turn(world) is Outcome.FAILED
    assert world.error_code == "temporarily_unavailable"


def test_a_stopped_worker_gives_the_job_back_and_the_next_resumes(world: World) -> None:
    # GIVEN a worker that is stopped in the middle, without time left
    seen: list[int] = []

    def stop_at_25(frame_index: int) -> None:
        seen.append(frame_index)
        if frame_index == 25 and len(seen) < 30:
            world.stop.request()
            world.stop._over.wait(5)

    misbehave(world, stop_at_25)
    world.submit(TINY, "misbehave", part_frames=10)
    assert turn(world) is Outcome.RETURNED
    assert (world.job.status, world.job.failures) == (JobStatus.PENDING, 0)
    # WHEN another takes over
    world.stop = StopSignal(grace_s=0)
    del seen[:]
    seen.extend(range(100))
    assert turn(world, "other") is Outcome.COMPLETED
    # THEN it went on at the first missing part, and the frames are all there
    assert seen[100:] == list(range(20, 40))
    frames = json.loads(world.results())["results"]
    assert [frame["result"]["bright"] for frame in frames] == list(range(40))


def test_a_worker_whose_job_was_taken_over_writes_nothing(world: World) -> None:
    def lose(frame_index: int) -> None:
        if frame_index == 5:
            world.clock.advance(3600)
            claim(world, "thief", hours=1)

    misbehave(world, lose)
    world.submit(TINY, "misbehave", max_frames=10)
    assert turn(world) is Outcome.LOST
    assert (world.job.status, world.job.worker_id) == (JobStatus.RUNNING, "thief")
    assert world.storage.find_file(results_key(world.job_id)) is None


def test_a_message_for_a_held_job_waits_for_the_lease(world: World) -> None:
    world.submit(TINY)
    claim(world, "other", seconds=40)
    assert turn(world) is Outcome.SKIPPED
    world.clock.advance(39)
    assert turn(world) is Outcome.IDLE
    world.clock.advance(2)
    assert turn(world) is Outcome.COMPLETED
    assert (world.job.attempt, world.job.crashes) == (2, 1)


def test_a_job_that_kills_its_workers_is_given_up(world: World) -> None:
    world.submit(TINY)
    for worker in "abc":
        claim(world, worker, seconds=1)
        world.clock.advance(2)
    assert turn(world) is Outcome.SKIPPED
    assert (world.job.status, world.error_code) == (JobStatus.FAILED, "worker_crashed")
    assert world.queue.size() == 0


def test_a_poison_message_an_old_generation_and_an_ended_job_start_nothing(world: World) -> None:
    for body in ("not-a-uuid", "22222222-2222-4222-8222-222222222222"):
        world.queue.enqueue(body, 1)
        assert turn(world) is Outcome.SKIPPED
        world.clock.advance(3600)
        assert turn(world) is Outcome.IDLE
    world.submit(TINY, max_frames=1)
    world.queue.enqueue(world.job_id, 0)
    assert turn(world) is Outcome.COMPLETED
    assert turn(world) is Outcome.SKIPPED
    assert world.job.attempt == 1


def test_run_forever_ends_with_the_stop_signal_and_outlives_errors(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a queue that fails first, then is empty, then stops the worker
    answers = iter([TransientError("SQS did not answer"), None, None])
    pauses: list[float] = []
    monkeypatch.setattr(world.stop.requested, "wait", lambda seconds: pauses.append(seconds))

    def dequeue(**_: Any) -> None:
        answer = next(answers, "end")
        if isinstance(answer, Exception):
            raise answer
        if answer == "end":
            world.stop.request()

    monkeypatch.setattr(world.queue, "dequeue", dequeue)
    world.worker().run_forever()
    assert pauses[0] >= 1.0
    assert pauses[1:] == [0.2, 0.2, 0.2]


def test_an_older_worker_leaves_a_job_that_it_does_not_understand(world: World) -> None:
    # GIVEN a job that needs a newer format, while workers of two releases run
    world.submit(TINY, max_frames=2)
    old = world.worker("old", understands=world.job.needs - 1)
    # WHEN the older one receives it
    assert old.run_once() is Outcome.SKIPPED
    # THEN nothing counts against the job, the message is gone, and it is sent again soon
    assert world.job.status is JobStatus.PENDING
    assert (world.job.attempt, world.job.failures, world.job.crashes) == (0, 0, 0)
    assert world.queue.size() == 0
    assert world.app.upkeep.reconcile() == {}
    world.clock.advance(5 * 60)
    assert world.app.upkeep.reconcile() == {"sent_again": 1}
    assert turn(world, "new") is Outcome.COMPLETED


def test_an_older_worker_may_meet_the_job_again_and_again(world: World) -> None:
    """Each time is a new message, so that none becomes a dead letter."""
    world.submit(TINY, max_frames=2)
    old = world.worker("old", understands=0)
    for _ in range(30):
        assert old.run_once() is Outcome.SKIPPED
        world.clock.advance(5 * 60)
        world.app.upkeep.reconcile()
    message = world.queue.dequeue(visibility_s=0)
    assert message is not None
    assert message.receive_count == 1
    assert turn(world, "new") is Outcome.COMPLETED


def test_a_newer_worker_runs_an_older_job(world: World) -> None:
    world.submit(TINY, max_frames=2)
    assert turn(world, "new", understands=world.job.needs + 1) is Outcome.COMPLETED


def test_an_end_that_could_not_be_recorded_is_no_failure_of_the_pipeline(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a table that refuses the write of the end, for a reason that has nothing to do with the video
    world.submit(TINY, max_frames=2)
    write = world.jobs.update_status

    def refuse_the_end(change: changes.Change) -> Job:
        if change.action == "complete":
            raise PermissionError("the role may not update items")
        return write(change)

    with monkeypatch.context() as patched:
        patched.setattr(world.jobs, "update_status", refuse_the_end)
        with pytest.raises(PermissionError):
            world.worker().run_once()
    # THEN the job is not given up: another worker completes it when the lease has ended
    assert world.job.status is JobStatus.RUNNING
    world.clock.advance(world.settings.lease_s + 1)
    assert world.worker("other").run_once() is Outcome.COMPLETED
