"""A test finds nothing of the test before it, although both use one stack."""

from __future__ import annotations

from typing import Any

import boto3
from video_jobs.application import VideoJobs

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.job_states import queued_job
from tests.support.aws import REGION, Resources, create_resources


def contents(resources: Resources) -> list[Any]:
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName=resources.id("JobsTable"))
    objects = boto3.client("s3", region_name=REGION).list_objects_v2(Bucket=resources.id("MediaBucket"))
    messages = boto3.client("sqs", region_name=REGION).receive_message(QueueUrl=resources.id("JobsQueue"))
    return [items["Items"], objects.get("Contents", []), messages.get("Messages", [])]


def test_the_next_test_finds_an_empty_stack(resources: Resources, services: VideoJobs) -> None:
    for _ in range(2):
        job = queued_job(services)
        services.ports.storage.save_file(job.upload.key, TINY, "video/mp4")
        services.ports.queue.enqueue(job.job_id, 1)
        assert all(contents(resources))
        assert contents(create_resources()) == [[], [], []]
