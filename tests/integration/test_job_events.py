"""From the table's change stream to the event bus."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from video_jobs.adapters.aws.eventbridge import EventBridgeBus
from video_jobs.adapters.local.memory_notify import MemoryEventBus, MemoryWebhookQueue
from video_jobs.application import VideoJobs
from video_jobs.domain.changes import Expected
from video_jobs.domain.errors import TransientError
from video_jobs.domain.job_events import JobEvent, event_of_change

from functions.job_events import app as job_events
from functions.queue_webhook import app as queue_webhook
from tests.integration.conftest import EVENT_JOB_ID, load_event
from tests.integration.job_states import completed_job
from tests.support.aws import Resources, Subscriber, stream_of
from tests.support.crashes import Crash, MortalProcess
from tests.support.pages import Page

EVENTS, WEBHOOKS = (Page(Path(__file__).parents[2] / "docs" / name) for name in ("events.md", "webhooks.md"))


@pytest.fixture
def subscriber(services: VideoJobs) -> Subscriber:
    return Subscriber()


def published(app: VideoJobs) -> list[JobEvent]:
    assert isinstance(app.ports.events, MemoryEventBus)
    return app.ports.events.published


def test_each_end_is_told_once_as_the_page_says(app: VideoJobs, context: LambdaContext) -> None:
    assert job_events.lambda_handler(load_event("job_events"), context) == {"batchItemFailures": []}
    assert [event.detail_type for event in published(app)] == ["JobCompleted", "JobFailed"]
    assert published(app)[1].detail["error"] == {"code": "cancelled", "message": "The job was cancelled"}
    (example,) = (block.content for block in EVENTS.blocks() if block.language == "json")
    assert published(app)[0].detail == json.loads(example)


def test_the_call_of_an_end_is_as_its_documentation_says(app: VideoJobs, context: LambdaContext) -> None:
    queue_webhook.lambda_handler(load_event("queue_webhook"), context)
    assert isinstance(app.ports.webhooks, MemoryWebhookQueue)
    (message,) = app.ports.webhooks.sent
    (example,) = (block.content for block in WEBHOOKS.blocks() if block.language == "json")
    assert json.loads(message.body) == json.loads(example)


def test_a_job_that_completes_is_told_from_the_real_stream(
    services: VideoJobs, resources: Resources, subscriber: Subscriber, context: LambdaContext, tmp_path: Path
) -> None:
    job = completed_job(services, tmp_path, frames=2)
    services.ports.jobs.delete(job.job_id, Expected(status=job.status))
    assert job_events.lambda_handler(stream_of(resources.id("JobsTable")), context) == {
        "batchItemFailures": []
    }
    (event,) = subscriber.received()
    assert event["detail-type"] == "JobCompleted"
    assert event["detail"]["event_id"] == f"{EVENT_JOB_ID}:1:completed"
    assert event["detail"]["frames_done"] == 2


def test_what_the_bus_did_not_take_comes_again(
    app: VideoJobs, context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = load_event("job_events")
    event["Records"] = event["Records"][:2]  # the second one is an end

    def fail(_: JobEvent) -> None:
        raise TransientError

    with monkeypatch.context() as patched:
        patched.setattr(app.ports.events, "publish", fail)
        answer = job_events.lambda_handler(event, context)
    failed = [item["itemIdentifier"] for item in answer["batchItemFailures"]]
    assert failed == [event["Records"][1]["dynamodb"]["SequenceNumber"]]
    assert published(app) == []
    assert job_events.lambda_handler(event, context) == {"batchItemFailures": []}
    assert [one.detail_type for one in published(app)] == ["JobCompleted"]


def test_webhooks_and_events_do_not_wait_for_each_other(
    app: VideoJobs, context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise TransientError

    webhooks = app.ports.webhooks
    assert isinstance(webhooks, MemoryWebhookQueue)
    event = load_event("job_events")
    ends = [record["dynamodb"]["SequenceNumber"] for record in (event["Records"][1], event["Records"][3])]
    # GIVEN the bus is away, WHEN jobs end, THEN their webhooks are queued, once
    with monkeypatch.context() as patched:
        patched.setattr(app.ports.events, "publish", fail)
        for _ in range(3):  # Lambda sends the batch again
            answer = job_events.lambda_handler(event, context)
            assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ends
        assert queue_webhook.lambda_handler(event, context) == {"batchItemFailures": []}
    assert [message.event_id for message in webhooks.sent] == [f"{EVENT_JOB_ID}:1:completed"]
    # GIVEN the queue of webhooks is away, WHEN jobs end, THEN events are published
    with monkeypatch.context() as patched:
        patched.setattr(webhooks, "send", fail)
        answer = queue_webhook.lambda_handler(event, context)
        assert [item["itemIdentifier"] for item in answer["batchItemFailures"]] == ends[:1]
        assert job_events.lambda_handler(event, context) == {"batchItemFailures": []}
    assert len(published(app)) == 2


@pytest.mark.parametrize("after", [False, True])
def test_a_death_at_the_sending_loses_no_event(
    subscriber: Subscriber, context: LambdaContext, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    process = MortalProcess(monkeypatch)
    with process.living(0, after=after), pytest.raises(Crash):
        job_events.lambda_handler(load_event("job_events"), context)
    with process.living(None):
        job_events.lambda_handler(load_event("job_events"), context)  # Lambda sends the batch again
    assert set(process.calls) == {"events.PutEvents"}
    told = [event["detail"]["event_id"] for event in subscriber.received()]
    assert set(told) == {f"{EVENT_JOB_ID}:1:completed", f"{EVENT_JOB_ID}:1:failed"}
    assert len(told) == 2 + after  # the second time under the same id


def test_an_answer_that_refuses_the_event_is_no_success() -> None:
    refusal = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    client: Any = SimpleNamespace(put_events=lambda **_: refusal)
    with pytest.raises(TransientError, match="Throttling"):
        EventBridgeBus(client, "default").publish(JobEvent("JobFailed", {}))


@pytest.mark.parametrize(
    ("before", "after"),
    [("pending", "running"), ("completed", "completed"), ("failed", "pending"), ("failed", None)],
)
def test_what_is_no_end_is_not_told(before: str, after: str | None) -> None:
    assert event_of_change({"status": before}, None if after is None else {"status": after}) is None
