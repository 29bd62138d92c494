"""What reconcile does first, and when it ends a run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from video_jobs.application import VideoJobs
from video_jobs.bindings import Ports
from video_jobs.domain.job import Job, JobStatus, Lease, Upload, UploadState
from video_jobs.domain.rules import Rules
from video_jobs.use_cases.upkeep import HasTime

from tests.support.clock import ManualClock

ACCEPTED = Upload(key="k", state=UploadState.ACCEPTED)
AWAITED = Upload(key="k")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def app(clock: ManualClock) -> VideoJobs:
    return VideoJobs(Ports.in_memory(clock), Rules())


def saved(app: VideoJobs, number: int, due_s: float = 0, **values: Any) -> Job:
    """A job whose upload is awaited, if ``values`` do not say otherwise."""
    now = app.ports.clock.now()
    job = Job(
        job_id=f"{number:08d}-1111-4111-8111-111111111111",
        owner="ann",
        created_at=now,
        updated_at=now,
        due_at=now + timedelta(seconds=due_s),
        **({"upload": AWAITED} | values),
    )
    app.ports.jobs.save(job)
    return job


def time_for(jobs: int) -> HasTime:
    """A run in which there is time for so many jobs."""
    turns = iter([True] * jobs)
    return lambda: next(turns, False)


def test_72000_uploads_that_never_come_do_not_delay_a_lost_message(
    app: VideoJobs, clock: ManualClock
) -> None:
    # GIVEN 72,000 uploads, which is 20 a second for an hour, all expired, and a later lost message
    for number in range(72_000):
        saved(app, number)
    lost = saved(app, 72_000, due_s=3600, upload=ACCEPTED)
    clock.advance(3600)
    # WHEN reconcile runs twice, each time for a few jobs
    runs = [app.upkeep.reconcile(time_for(50)) for _ in range(2)]
    # THEN the message is sent, and the uploads have the rest of the time
    assert runs == [{"sent_again": 1, "failed": 49}, {"failed": 50}]
    message = app.ports.queue.dequeue()
    assert message is not None
    assert message.body == lost.job_id


def test_an_expired_lease_comes_before_an_expired_upload(app: VideoJobs, clock: ManualClock) -> None:
    saved(app, 1)
    saved(app, 2, due_s=1, status=JobStatus.RUNNING, upload=ACCEPTED, lease=Lease("w", clock.now()))
    clock.advance(1)
    assert app.upkeep.reconcile(time_for(1)) == {"taken_back": 1}


def test_reconcile_goes_on_until_nothing_is_due(app: VideoJobs) -> None:
    for number in range(250):
        saved(app, number)
    assert app.upkeep.reconcile() == {"failed": 250}


def test_what_a_run_has_no_time_for_stays_due(app: VideoJobs, clock: ManualClock) -> None:
    first, second = (saved(app, number, due_s=number) for number in range(2))
    clock.advance(1)
    assert app.upkeep.reconcile(time_for(0)) == {}
    assert [repair.job_id for repair in app.upkeep.repairs(time_for(1))] == [first.job_id]
    assert [repair.job_id for repair in app.upkeep.repairs(time_for(1))] == [second.job_id]
