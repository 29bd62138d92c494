"""What each process does between its calls to AWS, and which calls those are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import boto3
import pytest
from video_jobs.domain import transitions
from video_jobs.domain.errors import JobNotFoundError, JobStateError, TransientError
from video_jobs.domain.job import Job, job_id_of_key
from video_jobs.domain.keys import video_key
from video_jobs.services.cancel_job import cancel_job
from video_jobs.services.delete_job import delete_job
from video_jobs.services.multipart_upload import abort_upload, complete_upload
from video_jobs.services.retry_job import retry_job
from video_jobs.services.submit_job import SubmitOptions, submit_multipart
from video_worker.job_worker import Outcome

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.crash_world import World
from tests.support.crashes import Crash
from tests.support.worker_world import on_frame

numbers = count(1)

GET, PUT, UPDATE = "dynamodb.GetItem", "dynamodb.PutItem", "dynamodb.UpdateItem"
DUE = ["dynamodb.Query"] * 4
SEND, RECEIVE, DELETE = "sqs.SendMessage", "sqs.ReceiveMessage", "sqs.DeleteMessage"
VISIBILITY = "sqs.ChangeMessageVisibility"
HEAD, READ, STORE, LIST = "s3.HeadObject", "s3.GetObject", "s3.PutObject", "s3.ListObjectsV2"
REMOVE = "s3.DeleteObject"
START = [RECEIVE, GET, UPDATE, UPDATE, READ, LIST]
END = [UPDATE, VISIBILITY, STORE, STORE, UPDATE, DELETE, LIST]

CALLS: dict[str, list[str]] = {
    "submit_video": [PUT, STORE],
    "submit_job": [PUT],
    "submit_multipart": ["s3.CreateMultipartUpload", PUT],
    "complete_upload": [GET, HEAD, GET, "s3.ListParts", "s3.CompleteMultipartUpload"],
    "abort_upload": [GET, GET, UPDATE, "s3.AbortMultipartUpload"],
    "submit_job again": [PUT, GET, UPDATE],
    "cancel_job": [GET, UPDATE],
    "retry_job": [GET, HEAD, UPDATE, SEND, UPDATE],
    "delete_job": [GET, LIST, REMOVE, REMOVE, REMOVE, "dynamodb.DeleteItem"],
    "delete_job that waits": [GET, GET, UPDATE, LIST, REMOVE, REMOVE, REMOVE, "dynamodb.DeleteItem"],
    "upload_received": [GET, HEAD, READ, UPDATE, SEND, UPDATE, GET],
    "upload_received refuses": [GET, HEAD, READ, UPDATE, GET],
    "upload_received of no job": [GET, HEAD, REMOVE],
    "worker completes": [*START, STORE, STORE, STORE, *END, REMOVE, REMOVE, REMOVE],
    "worker resumes": [*START, READ, READ, STORE, *END, REMOVE, REMOVE, REMOVE],
    "worker fails": [*START, UPDATE, DELETE],
    "worker retries": [*START, UPDATE, VISIBILITY],
    "worker stops": [*START, STORE, STORE, UPDATE, VISIBILITY],
    "worker declines": [RECEIVE, GET, VISIBILITY],
    "worker acknowledges": [RECEIVE, GET, DELETE],
    "dead_letter": [GET, UPDATE],
    "reconcile takes back": [*DUE, UPDATE, SEND, UPDATE],
    "reconcile sends again": [*DUE, UPDATE, SEND, UPDATE],
    "reconcile finds the upload": [*DUE, HEAD, GET, HEAD, READ, UPDATE, SEND, UPDATE, GET],
    "reconcile gives up": [*DUE, HEAD, UPDATE],
}


Act = Callable[[], object]
Prepare = Callable[[World, str], tuple[str, Act]]


@dataclass(frozen=True)
class Scenario:
    """``prepare`` gives the job's id and what is done to it; ``end`` is how the job must end."""

    prepare: Prepare
    end: str | None = "completed"
    uploads: bool = False


def submitting_video(world: World, key: str) -> tuple[str, Act]:
    job_id = _id_of(world, key)
    return job_id, lambda: world.submit(key, TINY)


def submitting_job(world: World, key: str) -> tuple[str, Act]:
    return _id_of(world, key), lambda: world.submit(key, None)


def submitting_again(world: World, key: str) -> tuple[str, Act]:
    world.submit(key, None)
    return _id_of(world, key), lambda: world.submit(key, None)


def _id_of(world: World, key: str) -> str:
    return job_id_of_key("ann", key)


def uploaded(world: World, key: str, video: Path, pipeline_id: str = "count") -> Job:
    job = world.submit(key, None, pipeline_id)
    world.upload(job, video)
    return job


def asking(world: World, job: Job, ask: Callable[..., object], *names: str) -> tuple[str, Act]:
    """The owner asks for a change; asked again after a death, it may find it made."""
    ports = {name: getattr(world.services, name) for name in names}

    def act() -> None:
        with suppress(JobStateError, JobNotFoundError):
            ask(job.job_id, "ann", **ports)

    return job.job_id, act


def cancelling(world: World, key: str) -> tuple[str, Act]:
    return asking(world, accepted(world, key), cancel_job, "jobs", "clock", "keep")


def retrying(world: World, key: str) -> tuple[str, Act]:
    job = accepted(world, key)
    cancel_job(job.job_id, "ann", jobs=world.services.jobs, clock=world.clock, keep=timedelta(days=1))
    return asking(world, job, retry_job, "jobs", "storage", "queue", "clock")


def deleting(world: World, key: str) -> tuple[str, Act]:
    job = accepted(world, key)
    assert world.work() is Outcome.COMPLETED
    return asking(world, job, delete_job, "jobs", "storage", "clock", "keep")


def deleting_one_that_waits(world: World, key: str) -> tuple[str, Act]:
    return asking(world, accepted(world, key), delete_job, "jobs", "storage", "clock", "keep")


def in_parts(world: World, key: str) -> Job:
    options = SubmitOptions(pipeline_id="count", max_frames=6, idempotency_key=key)
    services, size_bytes = world.services, TINY.stat().st_size
    ports = {"jobs": services.jobs, "uploads": services.uploads, "clock": world.clock, "ids": services.ids}
    return submit_multipart(size_bytes, "ann", options, **ports, limits=world.limits)  # type: ignore[arg-type]


def submitting_in_parts(world: World, key: str) -> tuple[str, Act]:
    return _id_of(world, key), lambda: in_parts(world, key)


def completing(world: World, key: str) -> tuple[str, Act]:
    job = in_parts(world, key)
    boto3.client("s3", region_name="us-east-1").upload_part(
        Bucket=world.services.settings.bucket_name,
        Key=job.input_path,
        UploadId=job.upload_id or "",
        PartNumber=1,
        Body=TINY.read_bytes(),
    )
    return asking(world, job, complete_upload, "jobs", "storage", "uploads")


def aborting(world: World, key: str) -> tuple[str, Act]:
    return asking(world, in_parts(world, key), abort_upload, "jobs", "uploads", "clock", "keep")


BY_OWNER: tuple[Prepare, ...] = (
    submitting_video,
    submitting_job,
    submitting_in_parts,
    completing,
    aborting,
    cancelling,
    retrying,
    deleting,
    deleting_one_that_waits,
)
"""Where the client has no answer, it asks again."""


def receiving(video: str) -> Prepare:
    def prepare(world: World, key: str) -> tuple[str, Act]:
        job = uploaded(world, key, getattr(world, video, TINY))
        return job.job_id, lambda: world.upload_received(job.job_id)

    return prepare


def receiving_of_no_job(world: World, key: str) -> tuple[str, Act]:
    job_id = str(UUID(int=next(numbers), version=4))
    world.services.storage.save_file(video_key(job_id), TINY, "video/mp4")
    return job_id, lambda: world.upload_received(job_id)


def accepted(world: World, key: str, video: Path = TINY, pipeline_id: str = "count") -> Job:
    job = uploaded(world, key, video, pipeline_id)
    world.upload_received(job.job_id)
    return job


def working(world: World, key: str) -> tuple[str, Act]:
    return accepted(world, key).job_id, world.work


def working_on_broken(world: World, key: str) -> tuple[str, Act]:
    return accepted(world, key, world.broken).job_id, world.work


def misbehaving(world: World, key: str, call: Callable[[int], None]) -> Job:
    world.pipelines.fingerprint("misbehave")
    on_frame().append(call)
    return accepted(world, key, TINY, "misbehave")


def working_with_trouble(world: World, key: str) -> tuple[str, Act]:
    def fail(_: int) -> None:
        raise TransientError("the disk did not answer")

    return misbehaving(world, key, fail).job_id, world.work


def working_until_stopped(world: World, key: str) -> tuple[str, Act]:
    def stop(frame_index: int) -> None:
        if frame_index == 3:
            world.stop.request()
            world.stop._over.wait(5)

    return misbehaving(world, key, stop).job_id, world.work


def resuming(world: World, key: str) -> tuple[str, Act]:
    """A worker died in the middle: two parts of three are there, and its lease has ended."""

    def die(frame_index: int) -> None:
        if frame_index == 4:
            raise Crash

    job = misbehaving(world, key, die)
    with pytest.raises(Crash):
        world.work()
    on_frame().clear()
    world.clock.advance(100)
    return job.job_id, world.work


def declining(world: World, key: str) -> tuple[str, Act]:
    job = world.job(accepted(world, key).job_id)
    assert job is not None
    other = transitions.claim(job, worker_id="x", lease=timedelta(seconds=30), now=world.clock.now())
    world.services.jobs.update_status(job.job_id, other)
    return job.job_id, world.work


def acknowledging(world: World, key: str) -> tuple[str, Act]:
    job = accepted(world, key)
    world.work()
    world.services.queue.enqueue(job.job_id, 7)
    return job.job_id, world.work


def burying(world: World, key: str) -> tuple[str, Act]:
    job = accepted(world, key)
    message = world.services.queue.dequeue()
    assert message is not None
    world.services.queue.acknowledge(message)  # SQS has moved it to the dead letters
    return job.job_id, lambda: world.bury(job.job_id, 1)


def taking_back(world: World, key: str) -> tuple[str, Act]:
    job_id = declining(world, key)[0]
    world.clock.advance(200)
    return job_id, world.reconcile


def sending_again(world: World, key: str) -> tuple[str, Act]:
    job = uploaded(world, key, TINY)
    accept = transitions.accept_upload(job, version=None, size_bytes=9, now=world.clock.now())
    world.services.jobs.update_status(job.job_id, accept)
    world.clock.advance(200)
    return job.job_id, world.reconcile


def finding_upload(world: World, key: str) -> tuple[str, Act]:
    job = uploaded(world, key, TINY)
    world.clock.advance(2 * 3600)
    return job.job_id, world.reconcile


def giving_up(world: World, key: str) -> tuple[str, Act]:
    job = world.submit(key, None)
    world.clock.advance(2 * 3600)
    return job.job_id, world.reconcile


SCENARIOS: dict[str, Scenario] = {
    "submit_video": Scenario(submitting_video),
    "submit_job": Scenario(submitting_job, uploads=True),
    "submit_multipart": Scenario(submitting_in_parts, uploads=True),
    "complete_upload": Scenario(completing),
    "abort_upload": Scenario(aborting, "cancelled"),
    "submit_job again": Scenario(submitting_again, uploads=True),
    "cancel_job": Scenario(cancelling, "cancelled"),
    "retry_job": Scenario(retrying),
    "delete_job": Scenario(deleting, None),
    "delete_job that waits": Scenario(deleting_one_that_waits, None),
    "upload_received": Scenario(receiving("good")),
    "upload_received refuses": Scenario(receiving("garbage"), "invalid_mp4"),
    "upload_received of no job": Scenario(receiving_of_no_job, None),
    "worker completes": Scenario(working),
    "worker resumes": Scenario(resuming),
    "worker fails": Scenario(working_on_broken, "unreadable_video"),
    "worker retries": Scenario(working_with_trouble),
    "worker stops": Scenario(working_until_stopped),
    "worker declines": Scenario(declining),
    "worker acknowledges": Scenario(acknowledging),
    "dead_letter": Scenario(burying, "dead_letter"),
    "reconcile takes back": Scenario(taking_back),
    "reconcile sends again": Scenario(sending_again),
    "reconcile finds the upload": Scenario(finding_upload),
    "reconcile gives up": Scenario(giving_up, "upload_expired"),
}
