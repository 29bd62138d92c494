"""Calls to the URL that a job named: made, signed, tried again, noted on the job, never made to strangers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from standardwebhooks.webhooks import Webhook
from video_jobs import bootstrap
from video_jobs.adapters.webhook_http import CALL_LIMIT_S, HttpsWebhookTransport
from video_jobs.bootstrap import AwsServices
from video_jobs.domain import transitions
from video_jobs.domain.job import Job, UploadState
from video_jobs.domain.webhooks import WebhookMessage

from functions.deliver_webhook import app as deliver_webhook
from functions.job_events import app as job_events
from tests.integration.conftest import EVENT_JOB_ID, call, load_event
from tests.integration.job_states import KEEP, NOW, saved_job
from tests.integration.test_job_events import changes
from tests.support.aws import Resources
from tests.support.crashes import Crash, MortalProcess
from tests.support.webhook_receiver import WebhookReceiver
from tools.local_stack.pollers import to_record

SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHRlc3Q="
TOLD = f"{EVENT_JOB_ID}:0:failed"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[WebhookReceiver]:
    with WebhookReceiver(tmp_path) as running:
        yield running


@pytest.fixture
def reachable(
    receiver: WebhookReceiver, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> WebhookReceiver:
    """A receiver whose network is open and whose certificate is trusted."""
    bootstrap.aws_services.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(receiver.certificate))
    monkeypatch.setenv("WEBHOOK_NETWORKS", "127.0.0.0/8")
    return receiver


class Deliveries:
    """The queue of webhooks, and the function that Lambda feeds from it."""

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
        from moto.sqs.models import sqs_backends

        for message in (
            sqs_backends["123456789012"]["us-east-1"].queues[self._url.rsplit("/", 1)[1]]._messages
        ):
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
    boto3.client("secretsmanager", region_name="us-east-1").create_secret(
        Name="tests/webhooks/local", SecretString=SECRET
    )
    return Deliveries(resources, context)


def ended_job(services: AwsServices, url: str) -> Job:
    job = saved_job(services, callback_url=url)
    return services.jobs.update_status(job.job_id, transitions.cancel(job, keep=KEEP, now=NOW))


def told(resources: Resources, context: LambdaContext) -> None:
    """The change stream reaches `job_events`."""
    assert job_events.lambda_handler(changes(resources), context) == {"batchItemFailures": []}


def webhook_of(job_id: str = EVENT_JOB_ID) -> dict[str, Any]:
    webhook: dict[str, Any] = call("job")[1]["webhook"]
    return webhook


@pytest.fixture
def waiting_call(
    reachable: WebhookReceiver, services: AwsServices, resources: Resources, context: LambdaContext
) -> WebhookReceiver:
    """A job has ended, and its call waits in the queue."""
    ended_job(services, f"{reachable.url}/hook?token=secret")
    told(resources, context)
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
    assert (seen["state"], seen["attempts"], seen["status_code"], seen["error"]) == (
        "delivered",
        1,
        204,
        None,
    )
    assert deliveries.counts() == {"waiting": 0, "dead": 0}


@pytest.mark.parametrize("status", [500, 404, 301, 307])
def test_what_the_receiver_does_not_take_is_tried_again_later(
    waiting_call: WebhookReceiver, deliveries: Deliveries, status: int
) -> None:
    waiting_call.answers.append(status)
    assert deliveries.turn() is False
    seen = webhook_of()
    assert (seen["state"], seen["attempts"], seen["status_code"]) == ("retrying", 1, status)
    assert str(status) in seen["error"]
    assert deliveries.turn() is None  # not at once
    deliveries.let_time_pass()
    assert deliveries.turn() is True
    assert [made.path for made in waiting_call.calls] == [
        "/hook?token=secret"
    ] * 2  # no redirect was followed
    assert waiting_call.calls[0].headers["webhook-id"] == waiting_call.calls[1].headers["webhook-id"]
    assert webhook_of()["state"] == "delivered"


def test_after_the_last_attempt_the_call_is_a_dead_letter_and_the_job_says_so(
    waiting_call: WebhookReceiver, deliveries: Deliveries, services: AwsServices
) -> None:
    most = services.settings.webhook_attempts
    waiting_call.answers.extend([503] * most)
    for attempt in range(1, most + 1):
        assert deliveries.turn() is False
        assert webhook_of()["attempts"] == attempt
        deliveries.let_time_pass()
    assert webhook_of()["state"] == "failed"
    while deliveries.turn() is not None:
        deliveries.let_time_pass()
    assert deliveries.counts() == {"waiting": 0, "dead": 1}
    assert len(waiting_call.calls) == most
    assert webhook_of()["status_code"] == 503  # the last receives did not write over the reason


def test_a_job_says_failed_although_the_last_attempts_died(
    waiting_call: WebhookReceiver, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a function that dies at every attempt, before it can note anything
    with monkeypatch.context() as patched:
        patched.setattr(deliver_webhook, "handle_message", lambda _: 1 / 0)
        for _ in range(8):
            assert deliveries.turn() is False
            deliveries.let_time_pass()
    assert webhook_of()["state"] == "waiting"
    # WHEN the message is received once more
    assert deliveries.turn() is False
    # THEN nobody is called any more, and the job says so
    assert waiting_call.calls == []
    assert (webhook_of()["state"], webhook_of()["attempts"]) == ("failed", 8)


def test_the_pauses_between_attempts_grow(
    waiting_call: WebhookReceiver,
    deliveries: Deliveries,
    services: AwsServices,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[int] = []
    queue = bootstrap.aws_services().webhooks
    monkeypatch.setattr(queue, "delay", lambda _, seconds: pauses.append(seconds))
    waiting_call.answers.extend([503] * 3)
    for _ in range(3):
        deliveries.turn()
        deliveries.let_time_pass()
    assert pauses == [10, 30, 90]


def test_the_function_counts_attempts_as_the_queue_does(resources: Resources) -> None:
    redrive = resources.template.resources["WebhooksQueue"]["Properties"]["RedrivePolicy"]
    environment = resources.template.environment("DeliverWebhookFunction")
    assert int(environment["WEBHOOK_ATTEMPTS"]) < redrive["maxReceiveCount"]


def test_the_queue_waits_longer_than_the_function_may_take(resources: Resources) -> None:
    queue = resources.template.resources["WebhooksQueue"]["Properties"]
    function_s = resources.template.timeout_s("DeliverWebhookFunction")
    assert queue["VisibilityTimeout"] == 6 * function_s
    assert function_s / 2 > CALL_LIMIT_S


def test_a_second_message_of_one_end_does_not_undo_a_delivery(
    waiting_call: WebhookReceiver, deliveries: Deliveries, resources: Resources, context: LambdaContext
) -> None:
    told(resources, context)  # the batch came twice
    assert deliveries.turn() is True
    waiting_call.answers.append(409)  # the receiver knows this id
    assert deliveries.turn() is False
    assert webhook_of()["state"] == "delivered"


def test_without_a_secret_nothing_is_sent(
    waiting_call: WebhookReceiver, resources: Resources, context: LambdaContext
) -> None:
    assert Deliveries(resources, context).turn() is False
    assert waiting_call.calls == []
    assert webhook_of()["state"] == "retrying"
    assert "secret" in webhook_of()["error"]


def test_a_loopback_receiver_is_not_called_where_no_operator_opened_its_network(
    receiver: WebhookReceiver,
    services: AwsServices,
    resources: Resources,
    context: LambdaContext,
    deliveries: Deliveries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(receiver.certificate))
    ended_job(services, receiver.url)
    told(resources, context)
    assert deliveries.turn() is False
    assert receiver.calls == []
    assert "may not be called" in webhook_of()["error"]


def test_a_late_call_of_a_former_end_says_nothing_of_the_next(
    reachable: WebhookReceiver,
    services: AwsServices,
    resources: Resources,
    context: LambdaContext,
    deliveries: Deliveries,
) -> None:
    # GIVEN a job that failed, was told of, and is retried
    job = saved_job(services, upload_state=UploadState.ACCEPTED, callback_url=reachable.url)
    job = services.jobs.update_status(job.job_id, transitions.cancel(job, keep=KEEP, now=NOW))
    told(resources, context)
    told(resources, context)  # the batch came twice, so there are two messages
    assert deliveries.turn() is True
    assert webhook_of()["state"] == "delivered"
    job = services.jobs.update_status(job.job_id, transitions.retry(job, now=NOW))
    assert webhook_of()["state"] == "waiting"
    # WHEN it has failed again, and the second message of the first end is delivered only now
    services.jobs.update_status(job.job_id, transitions.cancel(job, keep=KEEP, now=NOW))
    assert deliveries.turn() is True
    # THEN the new end is still to be told
    assert webhook_of()["state"] == "waiting"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [0, 1])
def test_a_death_between_the_event_and_the_call_loses_neither(
    reachable: WebhookReceiver,
    services: AwsServices,
    resources: Resources,
    context: LambdaContext,
    deliveries: Deliveries,
    monkeypatch: pytest.MonkeyPatch,
    dies_at: int,
    after: bool,
) -> None:
    ended_job(services, reachable.url)
    event = changes(resources)
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


def test_the_sample_event_tells_what_is_wrong_and_logs_no_url(
    services: AwsServices, context: LambdaContext, deliveries: Deliveries, caplog: pytest.LogCaptureFixture
) -> None:
    event = load_event("deliver_webhook")
    message = WebhookMessage.from_json(event["Records"][0]["body"])
    assert message.job_id == EVENT_JOB_ID
    services.__dict__["webhook_transport"] = HttpsWebhookTransport(resolve=lambda *_: ["10.0.0.1"])
    services.__dict__["webhooks"] = type("Queue", (), {"delay": lambda *_: None})()
    answer = deliver_webhook.lambda_handler(event, context)
    assert len(answer["batchItemFailures"]) == 1
    assert "may not be called" in caplog.text
    assert "receiver.example" not in caplog.text
