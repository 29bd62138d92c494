"""What each process does between its calls to AWS, and which calls those are."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from video_jobs.domain import changes
from video_jobs.domain.errors import JobNotFoundError, JobStateError, TransientError
from video_jobs.domain.job import Job, job_id_of_key
from video_jobs.domain.keys import video_key
from video_worker.job_worker import Outcome

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.crash_world import CrashWorld
from tests.integration.job_states import put_only_chunk
from tests.support.crashes import Crash
from tests.support.worker_world import on_frame

numbers = count(1)
WORDS = {
    "dynamodb": "GET=GetItem PUT=PutItem UPDATE=UpdateItem DROP=DeleteItem QUERY=Query "
    "TRANSACT=TransactWriteItems",
    "sqs": "SEND=SendMessage RECEIVE=ReceiveMessage DELETE=DeleteMessage VISIBILITY=ChangeMessageVisibility",
    "s3": "HEAD=HeadObject READ=GetObject STORE=PutObject LIST=ListObjectsV2 REMOVE=DeleteObject "
    "REMOVE_ALL=DeleteObjects "
    "PARTS=ListParts PART=UploadPart CREATE=CreateMultipartUpload COMPLETE=CompleteMultipartUpload "
    "ABORT=AbortMultipartUpload",
}
CALLS = {
    word.split("=")[0]: f"{service}.{word.split('=')[1]}"
    for service, words in WORDS.items()
    for word in words.split()
}
OPEN = "RECEIVE GET UPDATE READ LIST"
FILES = "STORE STORE STORE STORE STORE"
MOVE = "TRANSACT GET"
"""A change of a job and of its owner's account."""
LAST = f"{MOVE} QUERY"
"""The end of a job that was sent: another one of its owner may have its turn now."""
END = f"UPDATE VISIBILITY {FILES} {LAST} DELETE LIST"
SPEED = "UPDATE"
DUE = "QUERY QUERY QUERY QUERY"
DOUBTS = "QUERY"


Act = Callable[[], object]
Prepared = tuple[str, Act]
"""The id of a job, and what is done to it."""
Prepare = Callable[[CrashWorld, str], Prepared]


@dataclass(frozen=True)
class Scenario:
    """``calls`` are those of the act to AWS; ``end`` is how the job must end, None if it must be gone.

    Attributes
    ----------
    uploads
        The client uploads the video after the act.
    asks_again
        After a death there is no answer, so the client, or the queue, asks once more.
    is_shared
        Several workers compute the video; the results are those of a single one.
    dies_from
        At calls before this one, all is as in another scenario.
    """

    prepare: Prepare
    calls: list[str]
    end: str | None = "completed"
    uploads: bool = False
    asks_again: bool = False
    is_shared: bool = False
    dies_from: int = 0


SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str, calls: str, **fields: Any) -> Callable[[Prepare], Prepare]:
    def register(prepare: Prepare) -> Prepare:
        SCENARIOS[name] = Scenario(prepare, [CALLS[word] for word in calls.split()], **fields)
        return prepare

    return register


@scenario("submit_video", "TRANSACT STORE", asks_again=True)
def submitting_video(world: CrashWorld, key: str) -> Prepared:
    return id_of(key), lambda: world.app.intake.submit_video(TINY, world.submission(key))


@scenario("submit_job", "TRANSACT", uploads=True, asks_again=True)
def submitting_job(world: CrashWorld, key: str) -> Prepared:
    return id_of(key), lambda: world.submit_form(key)


@scenario("submit_job again", "TRANSACT GET UPDATE", uploads=True)
def submitting_again(world: CrashWorld, key: str) -> Prepared:
    world.submit_form(key)
    return id_of(key), lambda: world.submit_form(key)


def id_of(key: str) -> str:
    return job_id_of_key("ann", key)


def uploaded(world: CrashWorld, key: str, video: Path, *chosen: Any) -> Job:
    job = world.submit_form(key, *chosen)
    world.upload(job, video)
    return job


def accepted(world: CrashWorld, key: str, video: Path = TINY, *chosen: Any) -> Job:
    """A job that waits for a worker; ``chosen`` may be its pipeline, and the number of its frames."""
    job = uploaded(world, key, video, *chosen)
    world.upload_received(job.job_id)
    return job


def asking(world: CrashWorld, job: Job, ask: Callable[[Job], object]) -> Prepared:
    """The owner asks for a change; asked again after a death, it may find it made."""

    def act() -> None:
        with suppress(JobStateError, JobNotFoundError):
            ask(world.app.owner.job(job.job_id, "ann"))

    return job.job_id, act


@scenario("cancel_job", f"GET {LAST}", end="cancelled", asks_again=True)
def cancelling(world: CrashWorld, key: str) -> Prepared:
    return asking(world, accepted(world, key), world.app.owner.cancel)


@scenario("retry_job", f"GET HEAD {MOVE} SEND UPDATE", asks_again=True)
def retrying(world: CrashWorld, key: str) -> Prepared:
    job = accepted(world, key)
    world.app.owner.cancel(world.app.owner.job(job.job_id, "ann"))
    return asking(world, job, world.app.owner.retry)


@scenario("delete_job", "GET LIST REMOVE_ALL DROP", end=None, asks_again=True)
def deleting(world: CrashWorld, key: str) -> Prepared:
    job = accepted(world, key)
    assert world.work() is Outcome.COMPLETED
    return asking(world, job, world.app.owner.delete)


@scenario("delete_job that waits", f"GET {LAST} LIST REMOVE_ALL DROP", end=None, asks_again=True)
def deleting_one_that_waits(world: CrashWorld, key: str) -> Prepared:
    return asking(world, accepted(world, key), world.app.owner.delete)


def in_chunks(world: CrashWorld, key: str) -> Job:
    return world.app.intake.submit_multipart(TINY.stat().st_size, world.submission(key))


@scenario("submit_multipart", "CREATE TRANSACT", uploads=True, asks_again=True)
def submitting_in_chunks(world: CrashWorld, key: str) -> Prepared:
    return id_of(key), lambda: in_chunks(world, key)


@scenario("complete_upload", "GET HEAD PARTS COMPLETE", asks_again=True)
def completing(world: CrashWorld, key: str) -> Prepared:
    job = in_chunks(world, key)
    put_only_chunk(os.environ["BUCKET_NAME"], job)
    return asking(world, job, world.app.multipart.complete_upload)


@scenario("abort_upload", f"GET {MOVE} ABORT", end="cancelled", asks_again=True)
def aborting(world: CrashWorld, key: str) -> Prepared:
    return asking(world, in_chunks(world, key), world.app.owner.abort_upload)


def _told_of(world: CrashWorld, job_id: str) -> Prepared:
    return job_id, lambda: world.upload_received(job_id)


@scenario("upload_received", f"GET HEAD READ {MOVE} SEND UPDATE GET")
def receiving(world: CrashWorld, key: str) -> Prepared:
    return _told_of(world, uploaded(world, key, TINY).job_id)


@scenario("upload_received refuses", f"GET HEAD READ {MOVE} GET", end="invalid_mp4")
def receiving_garbage(world: CrashWorld, key: str) -> Prepared:
    return _told_of(world, uploaded(world, key, world.garbage).job_id)


@scenario("upload_received of no job", "GET HEAD REMOVE", end=None)
def receiving_of_no_job(world: CrashWorld, key: str) -> Prepared:
    job_id = str(UUID(int=next(numbers), version=4))
    world.storage.save_file(video_key(job_id), TINY, "video/mp4")
    return _told_of(world, job_id)


@scenario("worker completes", f"{OPEN} UPDATE STORE STORE STORE {END} REMOVE_ALL {SPEED}")
def working(world: CrashWorld, key: str) -> Prepared:
    return accepted(world, key).job_id, world.work


@scenario("worker fails", f"{OPEN} {LAST} DELETE", end="unreadable_video")
def working_on_broken(world: CrashWorld, key: str) -> Prepared:
    return accepted(world, key, world.broken).job_id, world.work


def misbehaving(world: CrashWorld, key: str, call: Callable[[int], None]) -> Job:
    world.pipelines.fingerprint("misbehave")
    on_frame().append(call)
    return accepted(world, key, TINY, "misbehave")


@scenario("worker retries", f"{OPEN} UPDATE UPDATE VISIBILITY")
def working_with_trouble(world: CrashWorld, key: str) -> Prepared:
    def fail(_: int) -> None:
        raise TransientError("the disk did not answer")

    return misbehaving(world, key, fail).job_id, world.work


@scenario("worker stops", f"{OPEN} UPDATE STORE STORE UPDATE VISIBILITY")
def working_until_stopped(world: CrashWorld, key: str) -> Prepared:
    def stop(frame_index: int) -> None:
        if frame_index == 4:
            world.stop.request()
            world.stop._over.wait(5)

    return misbehaving(world, key, stop).job_id, world.work


@scenario("worker resumes", f"{OPEN} READ READ UPDATE STORE {END} REMOVE_ALL {SPEED}")
def resuming(world: CrashWorld, key: str) -> Prepared:
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


@scenario("worker declines", "RECEIVE GET VISIBILITY")
def declining(world: CrashWorld, key: str) -> Prepared:
    job = world.find(accepted(world, key).job_id)
    assert job is not None
    other = changes.claim(job, worker_id="x", lease=timedelta(seconds=30), now=world.clock.now())
    world.jobs.update_status(other)
    return job.job_id, world.work


@scenario("worker acknowledges", "RECEIVE GET DELETE")
def acknowledging(world: CrashWorld, key: str) -> Prepared:
    job = accepted(world, key)
    world.work()
    world.queue.enqueue(job.job_id, 7)
    return job.job_id, world.work


@scenario("worker postpones", "RECEIVE GET UPDATE DELETE")
def postponing(world: CrashWorld, key: str) -> Prepared:
    return accepted(world, key).job_id, lambda: world.worker("old", understands=0).run_once()


@scenario("dead_letter", f"GET {LAST}", end="dead_letter", asks_again=True)
def burying(world: CrashWorld, key: str) -> Prepared:
    job = accepted(world, key)
    message = world.queue.dequeue()
    assert message is not None
    world.queue.acknowledge(message)  # SQS has moved it to the dead letters
    return job.job_id, lambda: world.app.upkeep.bury(job.job_id, 1)


@scenario("reconcile takes back", f"{DUE} UPDATE SEND UPDATE {DUE} {DUE} {DOUBTS}")
def taking_back(world: CrashWorld, key: str) -> Prepared:
    job_id = declining(world, key)[0]
    world.clock.advance(200)
    return job_id, world.app.upkeep.reconcile


@scenario("reconcile sends again", f"{DUE} UPDATE SEND UPDATE {DUE} {DUE} {DOUBTS}")
def sending_again(world: CrashWorld, key: str) -> Prepared:
    job = uploaded(world, key, TINY)
    accept = changes.accept_upload(job, version=None, size_bytes=9, now=world.clock.now())
    world.jobs.update_status(accept)
    world.clock.advance(200)
    return job.job_id, world.app.upkeep.reconcile


FOUND = f"HEAD GET HEAD READ {MOVE} SEND UPDATE GET"


@scenario("reconcile finds the upload", f"{DUE} {DUE} {DUE} {FOUND} {DOUBTS}")
def finding_upload(world: CrashWorld, key: str) -> Prepared:
    job = uploaded(world, key, TINY)
    world.clock.advance(2 * 3600)
    return job.job_id, world.app.upkeep.reconcile


@scenario("reconcile gives up", f"{DUE} {DUE} {DUE} HEAD {MOVE} {DOUBTS}", end="upload_expired")
def giving_up(world: CrashWorld, key: str) -> Prepared:
    job = world.submit_form(key)
    world.clock.advance(2 * 3600)
    return job.job_id, world.app.upkeep.reconcile


@scenario("reconcile gives up chunks", f"{DUE} {DUE} {DUE} HEAD {MOVE} ABORT {DOUBTS}", end="upload_expired")
def giving_up_chunks(world: CrashWorld, key: str) -> Prepared:
    job = in_chunks(world, key)
    world.clock.advance(2 * 3600)
    return job.job_id, world.app.upkeep.reconcile
