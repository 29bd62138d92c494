"""The jobs that fill the table: ended ones of one owner, as many of them as there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from video_jobs.adapters.dynamodb import DynamoDbJobRepository, JobItem
from video_jobs.domain.job import Job, JobStatus, UploadState, to_iso
from video_jobs.domain.keys import results_key, video_key

from tools.local_stack.aws_server import REGION
from tools.local_stack.gateway import LOCAL_OWNER

Item = dict[str, Any]

FAILED_EVERY = 4
_FIRST_MADE = datetime(2026, 1, 1, tzinfo=UTC)
_EXPIRES = datetime(2100, 1, 1, tzinfo=UTC)


def job_id_of(number: int) -> str:
    """The id of job ``number``."""
    return f"{number:08x}-3d1c-4a52-8f6e-2b7a90c4d1e3"


def job_of(number: int) -> Job:
    """Job ``number``; a higher number is a newer job, and one in `FAILED_EVERY` failed."""
    job_id = job_id_of(number)
    made = _FIRST_MADE + timedelta(seconds=number)
    failed = number % FAILED_EVERY == 0
    return Job(
        job_id=job_id,
        owner=LOCAL_OWNER,
        created_at=made,
        updated_at=made,
        status=JobStatus.FAILED if failed else JobStatus.COMPLETED,
        filename="street.mp4",
        upload_state=UploadState.ACCEPTED,
        input_path=video_key(job_id),
        input_version="3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY",
        input_bytes=1_048_576,
        output_path=None if failed else results_key(job_id),
        error_code="pipeline_failed" if failed else None,
        error_message="The pipeline failed on frame 12" if failed else None,
        generation=1,
        attempt=1,
        frames_done=12 if failed else 250,
        frames_total=250,
        fingerprint={"model": "street_demo", "device": "cpu", "precision": "f32"},
        expires_at=_EXPIRES,
    )


def items(start: int, stop: int) -> Iterator[Item]:
    """Jobs ``start`` to ``stop`` as the table keeps them.

    One of each kind goes through the adapter; the others differ in what is a job's own.
    """
    kinds = [_stored(job_of(number)) for number in range(FAILED_EVERY)]
    for number in range(start, stop):
        item = kinds[number % FAILED_EVERY]
        yield item | _own_attributes(number, has_results="output_path" in item)


def _own_attributes(number: int, *, has_results: bool) -> Item:
    job_id, made = job_id_of(number), to_iso(_FIRST_MADE + timedelta(seconds=number))
    own = {"job_id": job_id, "created_at": made, "updated_at": made, "input_path": video_key(job_id)}
    if has_results:
        own["output_path"] = results_key(job_id)
    return {name: {"S": value} for name, value in own.items()}


def _stored(job: Job) -> Item:
    """The item that the adapter makes of a job; nothing is sent."""
    stored: Item = {}

    def keep(item: JobItem, **_: Any) -> None:
        stored.update(item.serialize())

    with patch.object(JobItem, "save", keep):
        DynamoDbJobRepository("unused", REGION).save(job)
    return stored
