"""Calls to the URL that a job named: made, signed, tried again, noted on the job, never made to strangers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto.sqs.models import sqs_backends
from standardwebhooks.webhooks import Webhook
from video_jobs import bootstrap
from video_jobs.adapters.local.memory_notify import MemoryWebhookQueue, MemoryWebhookSecrets
from video_jobs.adapters.webhook_http import CALL_LIMIT_S, HttpsWebhookTransport
from video_jobs.application import VideoJobs
from video_jobs.domain import changes
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.webhooks import WebhookMessage

from functions.deliver_webhook import app as deliver_webhook
from functions.job_events import app as job_events
from tests.integration.conftest import EVENT_JOB_ID, call, load_event, logged
from tests.integration.job_states import ACCEPTED, KEEP, NOW, saved_job, stored_job
from tests.integration.test_job_events import stream_of
from tests.support.aws import Resources
from tests.support.crashes import Crash, MortalProcess
from tests.support.webhook_receiver import WebhookReceiver
from tools.local_stack.pollers import to_record
from tools.local_stack.template import Template

SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHRlc3Q="
TOLD = f"{EVENT_JOB_ID}:0:failed"
LOOPBACK = "127.0.0.0/8"


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookReceiver]:
    """A receiver whose certificate is trusted, in a network that is not open."""
    with WebhookReceiver(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        yield running


def ended_job(app: VideoJobs, url: str) -> Job:
    job = saved_job(app, upload=ACCEPTED, options=JobOptions(callback_url=f"{url}/hook?token=secret"))
    return app.ports.jobs.update_status(changes.cancel(job, keep=KEEP, now=NOW))


def webhook_of(job_id: str = EVENT_JOB_ID) -> dict[str, Any]:
    webhook: dict[str, Any] = call("job")[1]["webhook"]
    return webhook


# --- on local adapters -------------------------------------------------------------------------------


@pytest.fixture
def queue(app: VideoJobs, monkeypatch: pytest.MonkeyPatch) -> MemoryWebhookQueue:
    """The calls that wait; the owner of the job has a secret."""
    monkeypatch.setattr(app.ports, "webhook_secrets", MemoryWebhookSecrets({"local": SECRET}))
    assert isinstance(app.ports.webhooks, MemoryWebhookQueue)
    return app.ports.webhooks


@pytest.fixture
def opened(app: VideoJobs, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> WebhookReceiver:
    """The receiver, its network opened by the operator."""
    monkeypatch.setattr(app, "rules", replace(app.rules, webhook_networks=(LOOPBACK,)))
    return receiver


def told(job: Job, context: LambdaContext) -> None:
    """The change stream tells `job_events` that the job was cancelled."""
    record = load_event("job_events")["Records"][-1]
    url = job.options.callback_url
    record["dynamodb"]["NewImage"] |= {"generation": {"N": str(job.generation)}, "callback_url": {"S": url}}
    assert job_events.lambda_handler({"Records": [record]}, context) == {"batchItemFailures": []}


def is_delivered(message: WebhookMessage, context: LambdaContext, attempt: int = 1) -> bool:
    """Whether the function takes the message, received for the ``attempt``-th time."""
    (record,) = load_event("deliver_webhook")["Records"]
    record |= {"body": message.to_json(), "receiptHandle": f"receipt {attempt}"}
    record["attributes"]["ApproximateReceiveCount"] = str(attempt)
    return not deliver_webhook.lambda_handler({"Records": [record]}, context)["batchItemFailures"]


@pytest.fixture
def message(
    app: VideoJobs, queue: MemoryWebhookQueue, opened: WebhookReceiver, context: LambdaContext
) -> WebhookMessage:
    """A job has ended, and its call waits in the queue."""
    told(ended_job(app, opened.url), context)
    return queue.sent[0]


@pytest.mark.parametrize("status", [500, 404, 301, 307])
def test_what_the_receiver_does_not_take_is_tried_again_later(
    message: WebhookMessage,
    queue: MemoryWebhookQueue,
    receiver: WebhookReceiver,
    context: LambdaContext,
    status: int,
) -> None:
    receiver.answers.append(status)
    assert not is_delivered(message, context)
    seen = webhook_of()
    assert (seen["state"], seen["attempts"], seen["status_code"]) == ("retrying", 1, status)
    assert str(status) in seen["error"]
    assert queue.delays == {"receipt 1": 10}  # not at once
    assert is_delivered(message, context, attempt=2)
    assert [made.path for made in receiver.calls] == ["/hook?token=secret"] * 2  # no redirect was followed
    assert receiver.calls[0].headers["webhook-id"] == receiver.calls[1].headers["webhook-id"]
    assert webhook_of()["state"] == "delivered"


def test_a_job_says_failed_although_the_last_attempts_died(
    message: WebhookMessage,
    receiver: WebhookReceiver,
    context: LambdaContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # GIVEN a function that dies at every attempt, before it can note anything
    with monkeypatch.context() as patched:
        patched.setattr(deliver_webhook, "handle_message", lambda _: 1 / 0)
        assert not any(is_delivered(message, context, attempt) for attempt in range(1, 9))
    assert webhook_of()["state"] == "waiting"
    # WHEN the message is received once more
    assert not is_delivered(message, context, attempt=9)
    # THEN nobody is called any more, and the job says so
    assert receiver.calls == []
    assert (webhook_of()["state"], webhook_of()["attempts"]) == ("failed", 8)


def test_the_pauses_between_attempts_grow(
    message: WebhookMessage,
    queue: MemoryWebhookQueue,
    receiver: WebhookReceiver,
    context: LambdaContext,
) -> None:
    receiver.answers.extend([503] * 3)
    for attempt in (1, 2, 3):
        is_delivered(message, context, attempt)
    assert list(queue.delays.values()) == [10, 30, 90]


def test_the_function_counts_attempts_as_the_queue_does(app: VideoJobs) -> None:
    redrive = Template().resources["WebhooksQueue"]["Properties"]["RedrivePolicy"]
    assert app.rules.webhook_attempts < redrive["maxReceiveCount"]


def test_the_queue_waits_longer_than_the_function_may_take() -> None:
    queue = Template().resources["WebhooksQueue"]["Properties"]
    function_s = Template().timeout_s("DeliverWebhookFunction")
    assert queue["VisibilityTimeout"] == 6 * function_s
    assert function_s / 2 > CALL_LIMIT_S


def test_a_second_message_of_one_end_does_not_undo_a_delivery(
    message: WebhookMessage, receiver: WebhookReceiver, context: LambdaContext
) -> None:
    assert is_delivered(message, context)
    receiver.answers.append(409)  # the receiver knows this id
    assert not is_delivered(message, context)
    assert webhook_of()["state"] == "delivered"


def test_a_loopback_receiver_is_not_called_where_no_operator_opened_its_network(
    app: VideoJobs, queue: MemoryWebhookQueue, receiver: WebhookReceiver, context: LambdaContext
) -> None:
    told(ended_job(app, receiver.url), context)
    assert not is_delivered(queue.sent[0], context)
    assert receiver.calls == []
    assert "may not be called" in webhook_of()["error"]


def test_a_late_call_of_a_former_end_says_nothing_of_the_next(
    message: WebhookMessage, app: VideoJobs, context: LambdaContext
) -> None:
    # GIVEN a job that failed, was told of, and is retried
    assert is_delivered(message, context)
    assert webhook_of()["state"] == "delivered"
    retried = app.ports.jobs.update_status(changes.retry(stored_job(app), now=NOW))
    assert webhook_of()["state"] == "waiting"
    # WHEN it has failed again, and a second message of the first end is delivered only now
    app.ports.jobs.update_status(changes.cancel(retried, keep=KEEP, now=NOW))
    assert is_delivered(message, context)
    # THEN the new end is still to be told
    assert webhook_of()["state"] == "waiting"


def test_the_sample_event_tells_what_is_wrong_and_logs_no_url(
    app: VideoJobs,
    queue: MemoryWebhookQueue,
    context: LambdaContext,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    event = load_event("deliver_webhook")
    assert WebhookMessage.from_json(event["Records"][0]["body"]).job_id == EVENT_JOB_ID
    private = HttpsWebhookTransport(resolve=lambda *_: ["10.0.0.1"])
    monkeypatch.setattr(app.ports, "webhook_transport", private)
    assert len(deliver_webhook.lambda_handler(event, context)["batchItemFailures"]) == 1
    assert "may not be called" in caplog.text
    assert "receiver.example" not in logged(caplog)


# --- on AWS ------------------------------------------------------------------------------------------


class Deliveries:
    """The queue of webhooks on SQS, and the function that Lambda feeds from it."""

    def __init__(self, resources: Resources, context: LambdaContext) -> None:
        self._sqs = boto3.client("sqs", region_name="us-east-1")
        self._resources, self._context = resources, context
        self._url = resources.id("WebhooksQueue")

    def turn(self) -> bool | None:
        """One message to the function: whether it was taken; None where none is visible."""
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=1, AttributeNames=["All"])
        messages = answer.get("Messages", [])
        if not messages:
            return None
        event = {"Records": [to_record(messages[0])]}
        if deliver_webhook.lambda_handler(event, self._context)["batchItemFailures"]:
            return False
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=messages[0]["ReceiptHandle"])
        return True

    def let_time_pass(self) -> None:
        """Every message that is held back is visible again."""
        queues = sqs_backends["123456789012"]["us-east-1"].queues
        for message in queues[self._url.rsplit("/", 1)[1]]._messages:
            message.change_visibility(0)

    def counts(self) -> dict[str, int]:
        names = {"waiting": "WebhooksQueue", "dead": "WebhooksDeadLetterQueue"}
        return {word: self._count(self._resources.id(logical_id)) for word, logical_id in names.items()}

    def _count(self, url: str) -> int:
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        visible, held = found["ApproximateNumberOfMessages"], found["ApproximateNumberOfMessagesNotVisible"]
        return int(visible) + int(held)


@pytest.fixture
def deliveries(resources: Resources, context: LambdaContext) -> Deliveries:
    secrets = boto3.client("secretsmanager", region_name="us-east-1")
    secrets.create_secret(Name="tests/webhooks/local", SecretString=SECRET)
    return Deliveries(resources, context)


@pytest.fixture
def reachable(
    receiver: WebhookReceiver, services: VideoJobs, monkeypatch: pytest.MonkeyPatch
) -> WebhookReceiver:
    """The receiver, its network opened by a setting of the function."""
    monkeypatch.setenv("WEBHOOK_NETWORKS", LOOPBACK)
    bootstrap.application.cache_clear()
    return receiver


@pytest.fixture
def waiting_call(
    reachable: WebhookReceiver, services: VideoJobs, resources: Resources, context: LambdaContext
) -> WebhookReceiver:
    """A job has ended, and its call waits in the queue."""
    ended_job(services, reachable.url)
    assert job_events.lambda_handler(stream_of(resources), context) == {"batchItemFailures": []}
    return reachable


def test_the_receiver_is_called_once_with_what_it_can_verify(
    waiting_call: WebhookReceiver, deliveries: Deliveries
) -> None:
    assert webhook_of()["state"] == "waiting"
    assert deliveries.turn() is True
    (made,) = waiting_call.calls
    assert made.path == "/hook?token=secret"
    assert made.headers["webhook-id"] == TOLD
    assert made.headers["host"] == waiting_call.url.removeprefix("https://")
    content = Webhook(SECRET).verify(made.body, made.headers)
    assert (content["type"], content["data"]["error"]["code"]) == ("job.failed", "cancelled")
    seen = webhook_of()
    said = (seen["state"], seen["attempts"], seen["status_code"], seen["error"])
    assert said == ("delivered", 1, 204, None)
    assert deliveries.counts() == {"waiting": 0, "dead": 0}


def test_after_the_last_attempt_the_call_is_a_dead_letter_and_the_job_says_so(
    waiting_call: WebhookReceiver, deliveries: Deliveries, services: VideoJobs
) -> None:
    most = services.rules.webhook_attempts
    waiting_call.answers.extend([503] * most)
    for attempt in range(1, most + 1):
        assert deliveries.turn() is False
        assert webhook_of()["attempts"] == attempt
        assert attempt == most or deliveries.turn() is None  # not at once
        deliveries.let_time_pass()
    assert webhook_of()["state"] == "failed"
    while deliveries.turn() is not None:
        deliveries.let_time_pass()
    assert deliveries.counts() == {"waiting": 0, "dead": 1}
    assert len(waiting_call.calls) == most
    assert webhook_of()["status_code"] == 503  # the last receives did not write over the reason


def test_without_a_secret_nothing_is_sent(
    waiting_call: WebhookReceiver, resources: Resources, context: LambdaContext
) -> None:
    assert Deliveries(resources, context).turn() is False
    assert waiting_call.calls == []
    assert webhook_of()["state"] == "retrying"
    assert "secret" in webhook_of()["error"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [0, 1])
def test_a_death_between_the_event_and_the_call_loses_neither(
    reachable: WebhookReceiver,
    services: VideoJobs,
    resources: Resources,
    context: LambdaContext,
    deliveries: Deliveries,
    monkeypatch: pytest.MonkeyPatch,
    dies_at: int,
    after: bool,
) -> None:
    ended_job(services, reachable.url)
    event = stream_of(resources)
    process = MortalProcess(monkeypatch)
    with process.living(dies_at, after=after), pytest.raises(Crash):
        job_events.lambda_handler(event, context)
    with process.living(None):
        job_events.lambda_handler(event, context)  # Lambda sends the batch again
    assert process.calls == ["sqs.SendMessage", "events.PutEvents"]
    while deliveries.turn() is not None:
        pass
    assert {made.headers["webhook-id"] for made in reachable.calls} == {TOLD}
    assert webhook_of()["state"] == "delivered"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [0, 1])
def test_a_death_at_the_delivery_loses_no_call(
    waiting_call: WebhookReceiver,
    deliveries: Deliveries,
    monkeypatch: pytest.MonkeyPatch,
    dies_at: int,
    after: bool,
) -> None:
    # GIVEN the function is watched, but not the poller around it
    process = MortalProcess(monkeypatch)
    handle = deliver_webhook.handle_message

    def mortal(record: Any) -> None:
        with process.living(dies_at if not process.calls else None, after=after):
            handle(record)

    monkeypatch.setattr(deliver_webhook, "handle_message", mortal)
    with pytest.raises(Crash):
        deliveries.turn()
    deliveries.let_time_pass()
    assert deliveries.turn() is True
    assert process.calls == ["secretsmanager.GetSecretValue", "dynamodb.UpdateItem"]
    assert len(waiting_call.calls) == 1 + dies_at  # again under the same id, never not at all
    assert webhook_of()["state"] == "delivered"
