"""The AWS adapters of queue and storage, over moto."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import boto3
import pytest
from botocore.config import Config
from video_jobs.adapters.s3 import S3Storage
from video_jobs.adapters.sqs import SqsQueue
from video_jobs.domain.errors import FileMissingError, InvalidKeyError, ReceiptExpiredError

REGION: Final = "eu-central-1"


@pytest.fixture
def queue_url(aws: None) -> str:
    client = boto3.client("sqs", region_name=REGION)
    return client.create_queue(QueueName="jobs.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]


@pytest.fixture
def storage(aws: None) -> S3Storage:
    client = boto3.client(
        "s3",
        region_name=REGION,
        config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )
    client.create_bucket(Bucket="media", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket="media", VersioningConfiguration={"Status": "Enabled"})
    return S3Storage(client, "media")


def make_queue(queue_url: str, *, strict_order: bool = False) -> SqsQueue:
    return SqsQueue(boto3.client("sqs", region_name=REGION), queue_url, strict_order=strict_order)


def test_a_message_carries_job_and_generation_and_is_sent_once(queue_url: str) -> None:
    queue = make_queue(queue_url)
    queue.enqueue("a", 3)
    queue.enqueue("a", 3)
    message = queue.dequeue()
    assert message is not None
    assert (message.body, message.generation, message.receive_count) == ("a", 3, 1)
    queue.acknowledge(message)
    assert (queue.dequeue(), queue.size()) == (None, 0)


def test_a_returned_message_comes_back(queue_url: str) -> None:
    queue = make_queue(queue_url)
    queue.enqueue("a", 1)
    message = queue.dequeue()
    assert message is not None
    queue.extend(message, 100)
    assert queue.dequeue() is None
    queue.return_message(message)
    again = queue.dequeue()
    assert again is not None
    assert again.receive_count == 2


def test_a_lost_receipt_is_told(queue_url: str) -> None:
    queue = make_queue(queue_url)
    queue.enqueue("a", 1)
    message = queue.dequeue()
    assert message is not None
    queue.acknowledge(message)
    with pytest.raises(ReceiptExpiredError):
        queue.extend(message, 10)


@pytest.mark.parametrize("strict_order", [False, True])
def test_eight_producers_and_consumers_lose_and_repeat_nothing(queue_url: str, *, strict_order: bool) -> None:
    # GIVEN 8 producers that send 300 messages in all and 8 consumers
    total, threads = 300, 8
    received: list[str] = []
    lock, sent = threading.Lock(), threading.Event()

    def produce(producer: int) -> None:
        queue = make_queue(queue_url, strict_order=strict_order)
        for number in range(producer, total, threads):
            queue.enqueue(f"job-{number}", 1)

    def consume() -> None:
        queue = make_queue(queue_url, strict_order=strict_order)
        while True:
            finished = sent.is_set()
            with lock:  # receiving and noting are one step, so that the order seen is the order given
                message = queue.dequeue()
                if message is not None:
                    received.append(message.body)
            if message is not None:
                queue.acknowledge(message)
            elif finished and len(received) >= total:
                return

    producers = [threading.Thread(target=produce, args=(n,)) for n in range(threads)]
    consumers = [threading.Thread(target=consume) for _ in range(threads)]
    for thread in [*producers, *consumers]:
        thread.start()
    for thread in producers:
        thread.join()
    sent.set()
    for thread in consumers:
        thread.join()
    # THEN each came exactly once; in one line, each producer's messages came in order
    assert len(received) == len(set(received)) == total
    if strict_order:
        for producer in range(threads):
            numbers = [int(body.split("-")[1]) for body in received]
            own = [number for number in numbers if number % threads == producer]
            assert own == sorted(own)


def test_files_and_versions(storage: S3Storage, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"one")
    first = storage.save_file("video_jobs/a.mp4", source, "video/mp4")
    source.write_bytes(b"three")
    second = storage.save_file("video_jobs/a.mp4", source, "video/mp4")
    storage.load_file("video_jobs/a.mp4", target, first.version)
    assert target.read_bytes() == b"one"
    assert storage.find_file("video_jobs/a.mp4") == second
    assert storage.read_range("video_jobs/a.mp4", 1, 100) == b"hree"
    assert storage.read_range("video_jobs/a.mp4", 50, 10) == b""
    assert list(storage.list_keys("video_jobs/")) == ["video_jobs/a.mp4"]
    storage.delete_file("video_jobs/a.mp4")
    assert storage.find_file("video_jobs/a.mp4") is None


def test_a_missing_object_leaves_no_target(storage: S3Storage, tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        storage.load_file("nothing", tmp_path / "target")
    with pytest.raises(InvalidKeyError):
        storage.load_file("../x", tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


def test_the_signed_form_binds_key_type_and_size(storage: S3Storage) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    upload = storage.presign_upload("k", content_type="video/mp4", max_bytes=99, expires_s=60, now=now)
    policy = json.loads(base64.b64decode(upload.fields["policy"]))
    assert upload.url == f"https://media.s3.{REGION}.amazonaws.com/"
    assert upload.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert {"key": "k"} in policy["conditions"]
    assert {"Content-Type": "video/mp4"} in policy["conditions"]
    assert ["content-length-range", 1, 99] in policy["conditions"]


def test_the_signed_download_uses_version_four(storage: S3Storage, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    storage.save_file("k", tmp_path / "source", "application/json")
    url = storage.presign_download("k", expires_s=60)
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
