"""The functions that S3, the dead letters and the schedule start, on their sample events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs import bootstrap
from video_jobs.adapters.local.memory_fleet import MemoryWorkerFleet
from video_jobs.application import VideoJobs
from video_jobs.domain.errors import FleetError, TransientError
from video_jobs.domain.fleet import FleetRecord
from video_jobs.domain.job import Job, JobStatus, Lease
from video_jobs.fleet_ports import WorkerService

from functions.dead_letter import app as dead_letter
from functions.reconcile import app as reconcile
from functions.upload_received import app as upload_received
from tests.integration.conftest import EVENT_JOB_ID, context_of, load_event, logged
from tests.integration.job_states import (
    ACCEPTED,
    NOW,
    VIDEO,
    code_of,
    running_job,
    saved_job,
    stored_job,
    uploaded_video,
)
from tests.support.clock import ManualClock
from tests.support.every_call import late_orphan, late_upload, upload_of_no_job, upload_without_version
from tests.support.sample_events import prepared_event, with_version_of_video
from tools.local_stack.function_host import LocalContext

CONTEXT = context_of("function")


def failed(function: Any, event: dict[str, Any]) -> list[int]:
    """Positions of the records that the function gives back."""
    ids = [record["messageId"] for record in event["Records"]]
    failures = function.lambda_handler(event, CONTEXT)["batchItemFailures"]
    return [ids.index(one["itemIdentifier"]) for one in failures]


@pytest.mark.parametrize("name", ["upload_received", "upload_received_encoded_key"])
def test_an_upload_queues_its_job(app: VideoJobs, tmp_path: Path, name: str) -> None:
    event = prepared_event(name, app, tmp_path)
    assert failed(upload_received, event) == []
    message = app.ports.queue.dequeue()
    assert message is not None
    assert (message.body, message.generation) == (EVENT_JOB_ID, 1)
    assert stored_job(app).upload.version is not None


def test_an_upload_without_version_is_taken_as_it_is_now(services: VideoJobs, tmp_path: Path) -> None:
    assert upload_without_version(services, tmp_path) == {"batchItemFailures": []}
    assert stored_job(services).upload.version is not None


def test_a_form_that_is_used_again_is_noticed_and_changes_nothing(
    app: VideoJobs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # GIVEN a job that was queued with its video
    assert failed(upload_received, prepared_event("upload_received", app, tmp_path)) == []
    queued = stored_job(app)
    assert "upload_repeated" not in logged(caplog)
    # WHEN another file is uploaded with the same form
    uploaded_video(app)
    assert failed(upload_received, with_version_of_video(load_event("upload_received"), app)) == []
    # THEN the log tells, and the job is as it was
    assert "upload_repeated" in logged(caplog)
    assert stored_job(app) == queued
    assert app.ports.queue.size() == 1


def test_an_upload_of_no_job_is_removed(services: VideoJobs, tmp_path: Path) -> None:
    assert upload_of_no_job(services, tmp_path) == {"batchItemFailures": []}
    assert services.ports.storage.find_file(VIDEO) is None


def test_the_test_event_of_s3_is_no_upload(app: VideoJobs) -> None:
    assert failed(upload_received, load_event("upload_received_test_event")) == []


def test_a_malformed_message_fails_alone(app: VideoJobs, tmp_path: Path) -> None:
    event = prepared_event("upload_received_malformed", app, tmp_path)
    assert failed(upload_received, event) == [0]
    assert app.ports.queue.size() == 1


def test_a_dead_letter_fails_its_job(app: VideoJobs) -> None:
    running_job(app)
    assert failed(dead_letter, load_event("dead_letter")) == []
    job = stored_job(app)
    assert (job.status, code_of(job)) == (JobStatus.FAILED, "dead_letter")


def test_a_dead_letter_of_a_held_job_stays(app: VideoJobs, clock: ManualClock) -> None:
    running_job(app, clock.now())
    assert failed(dead_letter, load_event("dead_letter")) == [0]
    assert stored_job(app).status is JobStatus.RUNNING


def test_a_dead_letter_of_an_older_generation_does_nothing(app: VideoJobs) -> None:
    job = saved_job(app, upload=ACCEPTED, generation=2)
    assert failed(dead_letter, load_event("dead_letter")) == []
    assert stored_job(app) == job


def test_a_dead_letter_of_no_job_is_taken(app: VideoJobs) -> None:
    assert failed(dead_letter, load_event("dead_letter_not_a_job")) == []


def run_reconcile() -> dict[str, int]:
    return reconcile.lambda_handler(load_event("reconcile_schedule"), context_of("ReconcileFunction"))


def test_reconcile_takes_back_an_expired_lease(app: VideoJobs) -> None:
    running_job(app)
    assert run_reconcile() == {"taken_back": 1}
    job = stored_job(app)
    assert (job.status, job.generation, job.crashes) == (JobStatus.PENDING, 2, 1)
    assert app.ports.queue.size() == 1
    assert run_reconcile() == {}


def test_reconcile_sends_what_was_never_sent(app: VideoJobs) -> None:
    saved_job(app, upload=ACCEPTED, generation=1, due_at=NOW)
    assert run_reconcile() == {"sent_again": 1}
    assert app.ports.queue.size() == 1


def test_reconcile_finds_an_upload_without_event(services: VideoJobs, tmp_path: Path) -> None:
    assert late_upload(services, tmp_path) == {"accepted_late": 1}
    assert services.ports.queue.size() == 1


def test_reconcile_removes_the_video_of_a_deleted_job(services: VideoJobs, tmp_path: Path) -> None:
    late_orphan(services, tmp_path)
    assert services.ports.storage.find_file(VIDEO) is None


def test_reconcile_ends_an_upload_that_never_came(app: VideoJobs) -> None:
    saved_job(app, due_at=NOW)
    assert run_reconcile() == {"failed": 1}
    assert code_of(stored_job(app)) == "upload_expired"


def test_reconcile_ends_a_job_that_kills_its_workers(app: VideoJobs) -> None:
    tried = {"generation": 1, "attempt": 5, "crashes": 4, "lease": Lease("w", NOW)}
    saved_job(app, status=JobStatus.RUNNING, upload=ACCEPTED, due_at=NOW, **tried)
    assert run_reconcile() == {"failed": 1}
    job = stored_job(app)
    assert (job.status, code_of(job)) == (JobStatus.FAILED, "worker_crashed")


@dataclass(frozen=True)
class MeasuredContext(LocalContext):
    """The context of a run that is told how much time is left, and then that only the reserve is."""

    left_ms: Iterator[int] = field(default_factory=lambda: iter(()))

    def get_remaining_time_in_millis(self) -> int:
        return next(self.left_ms, reconcile.RESERVE_MS)


def test_reconcile_ends_while_it_has_time_to_finish(app: VideoJobs) -> None:
    ids = [f"{number}{EVENT_JOB_ID[1:]}" for number in range(3)]
    for number, job_id in enumerate(ids):
        saved_job(app, job_id=job_id, due_at=NOW + timedelta(seconds=number))
    context = MeasuredContext("ReconcileFunction", 60, left_ms=iter([reconcile.RESERVE_MS + 1] * 2))
    event = load_event("reconcile_schedule")
    assert reconcile.lambda_handler(event, cast(LambdaContext, context)) == {"failed": 2}
    assert [stored_job(app, job_id).status.is_open for job_id in ids] == [False, False, True]
    assert run_reconcile() == {"failed": 1}


# --- the number of workers ---------------------------------------------------------------------------


def workers(app: VideoJobs) -> int:
    return app.ports.fleet.look().desired


def test_an_accepted_upload_starts_the_first_worker(app: VideoJobs, tmp_path: Path) -> None:
    failed(upload_received, prepared_event("upload_received", app, tmp_path))
    assert workers(app) == 1


def test_an_upload_that_is_refused_starts_none(app: VideoJobs, tmp_path: Path) -> None:
    saved_job(app)
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"no video at all")
    app.ports.storage.save_file(VIDEO, garbage, "video/mp4")
    failed(upload_received, with_version_of_video(load_event("upload_received"), app))
    assert (stored_job(app).status, workers(app)) == (JobStatus.FAILED, 0)


def test_a_worker_that_cannot_be_started_fails_no_upload(
    app: VideoJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app.ports.fleet, "look", ecs_is_away)
    assert failed(upload_received, prepared_event("upload_received", app, tmp_path)) == []
    assert app.ports.queue.size() == 1
    assert "ECS is away" in logged(caplog)


def ecs_is_away() -> WorkerService:
    raise FleetError("ECS is away")


def test_reconcile_starts_workers_for_what_it_sent(app: VideoJobs) -> None:
    running_job(app)
    run_reconcile()
    assert workers(app) == 1


def test_reconcile_sets_the_number_even_if_a_repair_fails(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_job(app, upload=ACCEPTED, generation=1, due_at=NOW)
    app.ports.queue.enqueue(EVENT_JOB_ID, 1)
    monkeypatch.setattr(app.ports.jobs, "list_due", dynamodb_is_away)
    with pytest.raises(TransientError):
        run_reconcile()
    assert workers(app) == 1


def dynamodb_is_away(*_: object) -> list[Job]:
    raise TransientError("DynamoDB is away")


def test_reconcile_logs_why_the_number_was_not_set_and_goes_on(
    app: VideoJobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running_job(app)
    monkeypatch.setattr(app.ports.fleet, "look", ecs_is_away)
    assert run_reconcile() == {"taken_back": 1}
    assert "fleet_failed" in logged(caplog)
    assert workers_asked_for(app) == []


def workers_asked_for(app: VideoJobs) -> list[int]:
    assert isinstance(app.ports.fleet, MemoryWorkerFleet)
    return app.ports.fleet.asked


def test_without_ecs_nobody_sets_a_number(services: VideoJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the local stack."""
    monkeypatch.setenv("WORKER_SERVICE", "")
    bootstrap.application.cache_clear()
    saved_job(services, upload=ACCEPTED, generation=1, due_at=NOW)
    assert run_reconcile() == {"sent_again": 1}
    assert services.ports.fleet_records.read() == FleetRecord()
    assert workers(services) == 0
