"""What each process does between its calls to AWS, and which calls those are."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID

import boto3
import pytest
from video_jobs.domain import changes
from video_jobs.domain.errors import JobNotFoundError, JobStateError, TransientError
from video_jobs.domain.job import Job, job_id_of_key
from video_jobs.domain.keys import video_key
from video_worker.job_worker import Outcome

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.crash_world import CrashWorld
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
    "complete_upload": [GET, HEAD, "s3.ListParts", "s3.CompleteMultipartUpload"],
    "abort_upload": [GET, UPDATE, "s3.AbortMultipartUpload"],
    "submit_job again": [PUT, GET, UPDATE],
    "cancel_job": [GET, UPDATE],
    "retry_job": [GET, HEAD, UPDATE, SEND, UPDATE],
    "delete_job": [GET, LIST, REMOVE, REMOVE, REMOVE, "dynamodb.DeleteItem"],
    "delete_job that waits": [GET, UPDATE, LIST, REMOVE, REMOVE, REMOVE, "dynamodb.DeleteItem"],
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
    "worker postpones": [RECEIVE, GET, UPDATE, DELETE],
    "dead_letter": [GET, UPDATE],
    "reconcile takes back": [*DUE, UPDATE, SEND, UPDATE],
    "reconcile sends again": [*DUE, UPDATE, SEND, UPDATE],
    "reconcile finds the upload": [*DUE, HEAD, GET, HEAD, READ, UPDATE, SEND, UPDATE, GET],
    "reconcile gives up": [*DUE, HEAD, UPDATE],
}


Act = Callable[[], object]
Prepare = Callable[[CrashWorld, str], tuple[str, Act]]


@dataclass(frozen=True)
class Scenario:
    """``prepare`` gives the job's id and what is done to it; ``end`` is how the job must end."""

    prepare: Prepare
    end: str | None = "completed"
    uploads: bool = False


def submitting_video(world: CrashWorld, key: str) -> tuple[str, Act]:
    job_id = _id_of(world, key)
    return job_id, lambda: world.app.intake.submit_video(TINY, world.submission(key))


def submitting_job(world: CrashWorld, key: str) -> tuple[str, Act]:
    return _id_of(world, key), lambda: world.submit_form(key)


def submitting_again(world: CrashWorld, key: str) -> tuple[str, Act]:
    world.submit_form(key)
    return _id_of(world, key), lambda: world.submit_form(key)


def _id_of(world: CrashWorld, key: str) -> str:
    return job_id_of_key("ann", key)


def uploaded(world: CrashWorld, key: str, video: Path, pipeline_id: str = "count") -> Job:
    job = world.submit_form(key, pipeline_id)
    world.upload(job, video)
    return job


def asking(world: CrashWorld, job: Job, ask: Callable[[Job], object]) -> tuple[str, Act]:
    """The owner asks for a change; asked again after a death, it may find it made."""

    def act() -> None:
        with suppress(JobStateError, JobNotFoundError):
            ask(world.app.owner.job(job.job_id, "ann"))

    return job.job_id, act


def cancelling(world: CrashWorld, key: str) -> tuple[str, Act]:
    return asking(world, accepted(world, key), world.app.owner.cancel)


def retrying(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = accepted(world, key)
    world.app.owner.cancel(world.app.owner.job(job.job_id, "ann"))
    return asking(world, job, world.app.owner.retry)


def deleting(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = accepted(world, key)
    assert world.work() is Outcome.COMPLETED
    return asking(world, job, world.app.owner.delete)


def deleting_one_that_waits(world: CrashWorld, key: str) -> tuple[str, Act]:
    return asking(world, accepted(world, key), world.app.owner.delete)


def in_chunks(world: CrashWorld, key: str) -> Job:
    return world.app.intake.submit_multipart(TINY.stat().st_size, world.submission(key))


def submitting_in_chunks(world: CrashWorld, key: str) -> tuple[str, Act]:
    return _id_of(world, key), lambda: in_chunks(world, key)


def completing(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = in_chunks(world, key)
    boto3.client("s3", region_name="us-east-1").upload_part(
        Bucket=os.environ["BUCKET_NAME"],
        Key=job.upload.key,
        UploadId=job.upload.multipart_id or "",
        PartNumber=1,
        Body=TINY.read_bytes(),
    )
    return asking(world, job, world.app.multipart.complete_upload)


def aborting(world: CrashWorld, key: str) -> tuple[str, Act]:
    return asking(world, in_chunks(world, key), world.app.owner.abort_upload)


BY_OWNER: tuple[Prepare, ...] = (
    submitting_video,
    submitting_job,
    submitting_in_chunks,
    completing,
    aborting,
    cancelling,
    retrying,
    deleting,
    deleting_one_that_waits,
)
"""Where the client has no answer, it asks again."""


def receiving(video: str) -> Prepare:
    def prepare(world: CrashWorld, key: str) -> tuple[str, Act]:
        job = uploaded(world, key, getattr(world, video, TINY))
        return job.job_id, lambda: world.upload_received(job.job_id)

    return prepare


def receiving_of_no_job(world: CrashWorld, key: str) -> tuple[str, Act]:
    job_id = str(UUID(int=next(numbers), version=4))
    world.storage.save_file(video_key(job_id), TINY, "video/mp4")
    return job_id, lambda: world.upload_received(job_id)


def accepted(world: CrashWorld, key: str, video: Path = TINY, pipeline_id: str = "count") -> Job:
    job = uploaded(world, key, video, pipeline_id)
    world.upload_received(job.job_id)
    return job


def working(world: CrashWorld, key: str) -> tuple[str, Act]:
    return accepted(world, key).job_id, world.work


def working_on_broken(world: CrashWorld, key: str) -> tuple[str, Act]:
    return accepted(world, key, world.broken).job_id, world.work


def misbehaving(world: CrashWorld, key: str, call: Callable[[int], None]) -> Job:
    world.pipelines.fingerprint("misbehave")
    on_frame().append(call)
    return accepted(world, key, TINY, "misbehave")


def working_with_trouble(world: CrashWorld, key: str) -> tuple[str, Act]:
    def fail(_: int) -> None:
        raise TransientError("the disk did not answer")

    return misbehaving(world, key, fail).job_id, world.work


def working_until_stopped(world: CrashWorld, key: str) -> tuple[str, Act]:
    def stop(frame_index: int) -> None:
        if frame_index == 3:
            world.stop.request()
            world.stop._over.wait(5)

    return misbehaving(world, key, stop).job_id, world.work


def resuming(world: CrashWorld, key: str) -> tuple[str, Act]:
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


def declining(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = world.find(accepted(world, key).job_id)
    assert job is not None
    other = changes.claim(job, worker_id="x", lease=timedelta(seconds=30), now=world.clock.now())
    world.jobs.update_status(other)
    return job.job_id, world.work


def acknowledging(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = accepted(world, key)
    world.work()
    world.queue.enqueue(job.job_id, 7)
    return job.job_id, world.work


def postponing(world: CrashWorld, key: str) -> tuple[str, Act]:
    return accepted(world, key).job_id, lambda: world.worker("old", understands=0).run_once()


def burying(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = accepted(world, key)
    message = world.queue.dequeue()
    assert message is not None
    world.queue.acknowledge(message)  # SQS has moved it to the dead letters
    return job.job_id, lambda: world.app.upkeep.bury(job.job_id, 1)


def taking_back(world: CrashWorld, key: str) -> tuple[str, Act]:
    job_id = declining(world, key)[0]
    world.clock.advance(200)
    return job_id, world.app.upkeep.reconcile


def sending_again(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = uploaded(world, key, TINY)
    accept = changes.accept_upload(job, version=None, size_bytes=9, now=world.clock.now())
    world.jobs.update_status(accept)
    world.clock.advance(200)
    return job.job_id, world.app.upkeep.reconcile


def finding_upload(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = uploaded(world, key, TINY)
    world.clock.advance(2 * 3600)
    return job.job_id, world.app.upkeep.reconcile


def giving_up(world: CrashWorld, key: str) -> tuple[str, Act]:
    job = world.submit_form(key)
    world.clock.advance(2 * 3600)
    return job.job_id, world.app.upkeep.reconcile


SCENARIOS: dict[str, Scenario] = {
    "submit_video": Scenario(submitting_video),
    "submit_job": Scenario(submitting_job, uploads=True),
    "submit_multipart": Scenario(submitting_in_chunks, uploads=True),
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
    "worker postpones": Scenario(postponing),
    "dead_letter": Scenario(burying, "dead_letter"),
    "reconcile takes back": Scenario(taking_back),
    "reconcile sends again": Scenario(sending_again),
    "reconcile finds the upload": Scenario(finding_upload),
    "reconcile gives up": Scenario(giving_up, "upload_expired"),
}
