"""The id of a job is on the log lines of the API, the functions and the worker, and nothing secret is."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs import bootstrap
from video_jobs.application import VideoJobs
from video_jobs.domain.keys import video_key
from video_worker.job_worker import Outcome

from functions.dead_letter import app as dead_letter
from functions.deliver_webhook import app as deliver_webhook
from functions.fetch_source import app as fetch_source
from functions.job_events import app as job_events
from functions.queue_webhook import app as queue_webhook
from functions.reconcile import app as reconcile
from functions.upload_received import app as upload_received
from functions.video_api import app as video_api
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import EVENT_JOB_ID, answer_of, asked, call, load_event
from tests.integration.job_states import running_job
from tests.support.aws import REGION, Resources, stream_of
from tests.support.worker_world import World
from tools.local_stack.pollers import to_record

HANDLERS = (
    video_api,
    upload_received,
    dead_letter,
    reconcile,
    job_events,
    queue_webhook,
    deliver_webhook,
    fetch_source,
)
PRIVATE = "private-word"
"""Stands in the token, the query of the callback and the name of the file."""


class Log:
    """The lines that functions and worker write, formatted as on AWS."""

    def __init__(self) -> None:
        self.stream = StringIO()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def of_job(self, job_id: str) -> list[tuple[str, str]]:
        """Function (or service) and action of each line that has the job's id."""
        found = [line for line in self.lines() if line.get("job_id") == job_id]
        return [(line.get("function_name") or line["service"], line["action"]) for line in found]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    streams = {handler for module in HANDLERS for handler in module.logger._logger.handlers}
    for handler in streams:
        assert isinstance(handler, logging.StreamHandler)
        monkeypatch.setattr(handler, "stream", log.stream)
    return log


@pytest.fixture
def service(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> Iterator[VideoJobs]:
    """The application on moto, with a pipeline for tests."""
    monkeypatch.setenv("PIPELINE_IDS", "count yolo_ocr")
    bootstrap.application.cache_clear()
    yield bootstrap.application()
    bootstrap.application.cache_clear()


def submitted_form() -> dict[str, Any]:
    """The API's answer to a job with a callback, whose video is to be uploaded with a form."""
    body = {
        "size_bytes": TINY.stat().st_size,
        "pipeline_id": "count",
        "filename": f"{PRIVATE}.mp4",
        "callback_url": f"https://receiver.example/hook?token={PRIVATE}",
    }
    event = asked("submit_json") | {"body": json.dumps(body)}
    event["headers"] |= {"authorization": f"Bearer {PRIVATE}"}
    status, answer = call(event)
    assert status == 201
    return answer


def upload(service: VideoJobs, job_id: str, context: LambdaContext) -> None:
    """The video arrives, and S3 tells of it."""
    stored = service.ports.storage.save_file(video_key(job_id), TINY, "video/mp4")
    event = load_event("upload_received")
    body = json.loads(event["Records"][0]["body"])
    body["Records"][0]["s3"]["object"] |= {"key": stored.key, "versionId": stored.version}
    event["Records"][0]["body"] = json.dumps(body)
    assert upload_received.lambda_handler(event, context) == {"batchItemFailures": []}


def work(service: VideoJobs, folder: Path, log: Log) -> None:
    logger = Logger(service="worker-of-this-test", stream=log.stream)
    assert World(folder, service).worker(logger=logger).run_once() is Outcome.COMPLETED


def deliver(resources: Resources, context: LambdaContext) -> None:
    """The webhook's first attempt, which fails: the owner has no secret."""
    sqs = boto3.client("sqs", region_name=REGION)
    answer = sqs.receive_message(QueueUrl=resources.id("WebhooksQueue"), AttributeNames=["All"])
    event: Any = {"Records": [to_record(message) for message in answer["Messages"]]}
    assert len(deliver_webhook.lambda_handler(event, context)["batchItemFailures"]) == 1


def results_of(job_id: str) -> dict[str, Any]:
    event = asked("results")
    event["rawPath"] = event["requestContext"]["http"]["path"] = f"/video/results/{job_id}"
    event["pathParameters"] = {"job_id": job_id}
    answer = answer_of(event)
    assert answer["statusCode"] == 200
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def test_one_id_leads_from_the_request_to_the_result_and_nothing_secret_is_logged(
    service: VideoJobs,
    resources: Resources,
    context: LambdaContext,
    log: Log,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # WHEN a job goes the whole way, on AWS's stand-in
    offer = submitted_form()
    job_id = offer["job_id"]
    upload(service, job_id, context)
    work(service, tmp_path, log)
    changes = stream_of(resources.id("JobsTable"))
    job_events.lambda_handler(changes, context)
    queue_webhook.lambda_handler(changes, context)
    deliver(resources, context)
    results = results_of(job_id)
    # THEN its id is on a line of each
    assert log.of_job(job_id) == [
        ("video_api", "request_answered"),
        ("function", "upload_handled"),
        ("function", "fleet_changed"),
        ("worker-of-this-test", "job_started"),
        ("worker-of-this-test", "fingerprint"),
        ("worker-of-this-test", "job_completed"),
        ("function", "job_event_sent"),
        ("function", "webhook_queued"),
        ("function", "message_failed"),
        ("video_api", "request_answered"),
    ]
    # AND a metric's line has it
    metrics = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')
    ]
    assert {line["job_id"] for line in metrics} == {job_id}
    # AND the first of them leads to the access log
    first = log.lines()[0]
    assert first["gateway_request_id"] == load_event("submit_json")["requestContext"]["requestId"]
    assert (first["route"], first["status"]) == ("POST /video/submit", 201)
    # AND no line has a signature, a token or what the client keeps to itself
    text = log.stream.getvalue() + json.dumps(metrics)
    signed = [offer["upload"]["fields"]["policy"], offer["upload"]["fields"]["x-amz-signature"]]
    signed += [results[url].partition("?")[2] for url in ("results_url", "summary_url", "tracks_url")]
    assert all(len(secret) > 20 and secret not in text for secret in signed)
    assert PRIVATE not in text
    assert "signature" not in text.lower()


def test_each_line_has_the_job_of_its_own_message(
    service: VideoJobs, context: LambdaContext, log: Log
) -> None:
    # GIVEN a batch: a message of a job, one that is malformed, one of another job
    first, second = (submitted_form()["job_id"] for _ in range(2))
    records = []
    for number, job_id in enumerate((first, None, second)):
        (record,) = load_event("upload_received")["Records"]
        body = json.loads(record["body"])
        stored = job_id and service.ports.storage.save_file(video_key(job_id), TINY, "video/mp4")
        if stored:
            body["Records"][0]["s3"]["object"] |= {"key": stored.key, "versionId": stored.version}
        records.append(record | {"messageId": str(number), "body": json.dumps(body) if stored else "{"})
    log.stream.truncate(log.stream.seek(0))
    # WHEN the function takes it
    upload_received.lambda_handler({"Records": records}, context)
    # THEN no line borrows the id of the message before
    assert [(line["action"], line.get("job_id")) for line in log.lines()] == [
        ("upload_handled", first),
        ("fleet_changed", first),
        ("message_failed", None),
        ("upload_handled", second),
    ]


def test_a_request_for_no_job_has_no_id_of_the_request_before(service: VideoJobs, log: Log) -> None:
    submitted_form()
    call("health")
    last = log.lines()[-1]
    assert (last["action"], "job_id" in last) == ("request_answered", False)


def test_a_line_has_no_id_that_is_none(app: VideoJobs, log: Log) -> None:
    event = asked("job")
    path = f"/video/jobs/{PRIVATE}"
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    assert answer_of(event)["statusCode"] == 404
    assert PRIVATE not in log.stream.getvalue()


def test_what_reconcile_and_the_dead_letters_do_to_a_job_is_on_a_line_of_it(
    app: VideoJobs, context: LambdaContext, log: Log
) -> None:
    running_job(app)  # its lease has ended
    reconcile.lambda_handler(load_event("reconcile_schedule"), context)
    event = load_event("dead_letter")
    event["Records"][0]["messageAttributes"]["generation"]["stringValue"] = "2"
    dead_letter.lambda_handler(event, context)
    assert log.of_job(EVENT_JOB_ID) == [("function", "job_repaired"), ("function", "dead_letter")]
