"""Calls to the URL that a job named: made, signed, tried again, noted on the job, never made to strangers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto.sqs.models import sqs_backends
from standardwebhooks.webhooks import Webhook
from video_jobs import bootstrap
from video_jobs.adapters.aws.secrets_manager import SecretsManagerWebhookSecrets
from video_jobs.adapters.local.memory_notify import MemoryWebhookQueue, MemoryWebhookSecrets
from video_jobs.adapters.webhook_http import CALL_LIMIT_S
from video_jobs.application import VideoJobs
from video_jobs.domain import changes
from video_jobs.domain.job import Job, JobOptions
from video_jobs.domain.webhooks import WebhookMessage

from functions.deliver_webhook import app as deliver_webhook
from functions.queue_webhook import app as queue_webhook
from tests.integration.conftest import EVENT_JOB_ID, asked, call, load_event, logged
from tests.integration.job_states import ACCEPTED, KEEP, NOW, saved_job, stored_job
from tests.support.aws import Resources, stream_of
from tests.support.crashes import Crash, MortalProcess
from tests.support.webhook_receiver import WebhookReceiver
from tools.local_stack.pollers import to_record
from tools.local_stack.template import Template
from tools.webhook_secret import new_secret

SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHRlc3Q="
TOLD = f"{EVENT_JOB_ID}:0:failed"
LOOPBACK = "127.0.0.0/8"


def ended_job(app: VideoJobs, url: str) -> Job:
    job = saved_job(app, upload=ACCEPTED, options=JobOptions(callback_url=f"{url}/hook?token=secret"))
    return app.ports.jobs.update_status(changes.cancel(job, keep=KEEP, now=NOW))


def said(*names: str) -> tuple[Any, ...]:
    """What the job says of its webhook."""
    webhook = call("job")[1]["webhook"]
    return tuple(webhook[name] for name in names)


# --- on local adapters -------------------------------------------------------------------------------


class Waiting:
    """A job that has ended, whose call waits in the queue for the function."""

    def __init__(self, app: VideoJobs, receiver: WebhookReceiver, context: LambdaContext) -> None:
        assert isinstance(app.ports.webhooks, MemoryWebhookQueue)
        self.app, self.receiver, self.queue, self._context = app, receiver, app.ports.webhooks, context
        job = ended_job(app, receiver.url)
        record = load_event("job_events")["Records"][-1]  # a job that failed
        values = {"generation": {"N": str(job.generation)}, "callback_url": {"S": job.options.callback_url}}
        record["dynamodb"]["NewImage"] |= values
        assert queue_webhook.lambda_handler({"Records": [record]}, context) == {"batchItemFailures": []}

    def is_taken(self, attempt: int = 1) -> bool:
        """Whether the function takes the message, received for the ``attempt``-th time."""
        (record,) = load_event("deliver_webhook")["Records"]
        assert WebhookMessage.from_json(record["body"]).job_id == EVENT_JOB_ID
        record |= {"body": self.queue.sent[0].to_json(), "receiptHandle": f"receipt {attempt}"}
        record["attributes"]["ApproximateReceiveCount"] = str(attempt)
        return not deliver_webhook.lambda_handler({"Records": [record]}, self._context)["batchItemFailures"]


@pytest.fixture
def unopened(
    app: VideoJobs, receiver: WebhookReceiver, context: LambdaContext, monkeypatch: pytest.MonkeyPatch
) -> Waiting:
    """No operator has opened the network of the receiver."""
    monkeypatch.setattr(app.ports, "webhook_secrets", MemoryWebhookSecrets({"local": SECRET}))
    return Waiting(app, receiver, context)


@pytest.fixture
def waiting(unopened: Waiting, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    rules = replace(unopened.app.rules, webhook_networks=(LOOPBACK,))
    monkeypatch.setattr(unopened.app, "rules", rules)
    return unopened


def test_what_the_receiver_does_not_take_is_tried_again_later(waiting: Waiting) -> None:
    statuses = [500, 404, 301, 307]
    waiting.receiver.answers.extend(statuses)
    for attempt, status in enumerate(statuses, start=1):
        assert not waiting.is_taken(attempt)
        assert said("state", "attempts", "status_code") == ("retrying", attempt, status)
        assert str(status) in said("error")[0]
    assert list(waiting.queue.delays.values()) == [10, 30, 90, 270]  # not at once
    assert waiting.is_taken(attempt=5)
    assert said("state") == ("delivered",)
    calls = waiting.receiver.calls
    assert [made.path for made in calls] == ["/hook?token=secret"] * 5  # no redirect was followed
    assert len({made.headers["webhook-id"] for made in calls}) == 1


def test_a_job_says_failed_if_its_attempts_died(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    # GIVEN a function that dies at every attempt, before it can note anything
    with monkeypatch.context() as patched:
        patched.setattr(deliver_webhook, "handle_message", lambda _: 1 / 0)
        assert not any(waiting.is_taken(attempt) for attempt in range(1, 9))
    assert said("state") == ("waiting",)
    # WHEN the message is received once more
    assert not waiting.is_taken(attempt=9)
    # THEN nobody is called any more, and the job says so
    assert waiting.receiver.calls == []
    assert said("state", "attempts") == ("failed", 8)


def test_the_queue_receives_more_often_and_waits_longer_than_the_function_needs(app: VideoJobs) -> None:
    queue = Template().resources["WebhooksQueue"]["Properties"]
    function_s = Template().timeout_s("DeliverWebhookFunction")
    assert app.rules.webhook_attempts < queue["RedrivePolicy"]["maxReceiveCount"]
    assert queue["VisibilityTimeout"] == 6 * function_s
    assert function_s / 2 > CALL_LIMIT_S


def test_a_second_message_of_one_end_is_not_delivered_again(
    waiting: Waiting, caplog: pytest.LogCaptureFixture
) -> None:
    assert waiting.is_taken()
    assert waiting.is_taken()
    assert len(waiting.receiver.calls) == 1
    assert said("state", "attempts") == ("delivered", 1)
    assert "webhook was delivered before" in caplog.text


def test_what_two_messages_of_one_end_do_at_once_does_not_undo_a_delivery(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored_job(waiting.app)
    assert waiting.is_taken()
    waiting.receiver.answers.append(409)  # the receiver knows this id
    monkeypatch.setattr(waiting.app.ports.jobs, "get_by_id", lambda _: before)
    assert not waiting.is_taken()
    monkeypatch.undo()
    assert said("state") == ("delivered",)


def test_a_closed_network_is_not_called(unopened: Waiting, caplog: pytest.LogCaptureFixture) -> None:
    assert not unopened.is_taken()
    assert unopened.receiver.calls == []
    assert "may not be called" in said("error")[0]
    assert "may not be called" in caplog.text
    assert unopened.receiver.url not in logged(caplog)
    assert "token=secret" not in logged(caplog)


def test_a_late_call_of_a_former_end_says_nothing_of_the_next(waiting: Waiting) -> None:
    # GIVEN a job that failed, was told of, and is retried
    jobs = waiting.app.ports.jobs
    assert waiting.is_taken()
    assert said("state") == ("delivered",)
    retried = jobs.update_status(changes.retry(stored_job(waiting.app), now=NOW))
    assert said("state") == ("waiting",)
    # WHEN it has failed again, and a second message of the first end is delivered only now
    jobs.update_status(changes.cancel(retried, keep=KEEP, now=NOW))
    assert waiting.is_taken()
    # THEN the new end is still to be told
    assert said("state") == ("waiting",)


def test_a_callback_url_is_taken_by_both_ways_of_submitting_and_a_wrong_one_refused(app: VideoJobs) -> None:
    url = "https://receiver.example/hook"
    for submitted in (
        asked("submit_video", {"callback_url": url}),
        load_event("submit_json") | {"body": json.dumps({"size_bytes": 9, "callback_url": url})},
    ):
        status, body = call(submitted)
        assert status == 201
        assert stored_job(app, body["job_id"]).options.callback_url == url
    for url in ("http://receiver.example/", "https://127.0.0.1/", "https://x/" + "y" * 3000):
        sent = json.dumps({"size_bytes": 9, "callback_url": url})
        status, problem = call(load_event("submit_json") | {"body": sent})
        assert (status, problem["code"]) == (400, "invalid_request")
        assert "callback_url" in problem["detail"]
    assert len(app.ports.jobs.list_by_owner("local", 10)) == 2


# --- on AWS ------------------------------------------------------------------------------------------


class Deliveries:
    """The receiver, the queue of webhooks on SQS, and the function that Lambda feeds from it."""

    def __init__(self, receiver: WebhookReceiver, resources: Resources, context: LambdaContext) -> None:
        self._sqs = boto3.client("sqs", region_name="us-east-1")
        self.receiver, self.resources, self.context = receiver, resources, context
        self._url = resources.id("WebhooksQueue")

    def tell(self) -> None:
        """The change stream tells `queue_webhook` what happened, which sends the calls to the queue."""
        told = queue_webhook.lambda_handler(stream_of(self.resources.id("JobsTable")), self.context)
        assert told == {"batchItemFailures": []}

    def turn(self) -> bool | None:
        """One message to the function: whether it was taken; None where none is visible."""
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=1, AttributeNames=["All"])
        messages = answer.get("Messages", [])
        if not messages:
            return None
        event = {"Records": [to_record(messages[0])]}
        if deliver_webhook.lambda_handler(event, self.context)["batchItemFailures"]:
            return False
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=messages[0]["ReceiptHandle"])
        return True

    def let_time_pass(self) -> None:
        """Every message that is held back is visible again."""
        queues = sqs_backends["123456789012"]["us-east-1"].queues
        for message in queues[self._url.rsplit("/", 1)[1]]._messages:
            message.change_visibility(0)

    def counts(self) -> list[int]:
        """How many messages wait, and how many are dead letters."""
        queues = sqs_backends["123456789012"]["us-east-1"].queues
        urls = (self._url, self.resources.id("WebhooksDeadLetterQueue"))
        return [len(queues[url.rsplit("/", 1)[1]]._messages) for url in urls]


@pytest.fixture
def deliveries(
    receiver: WebhookReceiver,
    services: VideoJobs,
    resources: Resources,
    context: LambdaContext,
    monkeypatch: pytest.MonkeyPatch,
) -> Deliveries:
    """A job has ended; the network of the receiver is opened by a setting of the function."""
    monkeypatch.setenv("WEBHOOK_NETWORKS", LOOPBACK)
    bootstrap.application.cache_clear()
    ended_job(services, receiver.url)
    return Deliveries(receiver, resources, context)


@pytest.fixture
def secret(deliveries: Deliveries) -> None:
    """The owner of the job has a secret."""
    secrets = boto3.client("secretsmanager", region_name="us-east-1")
    secrets.create_secret(Name="tests/webhooks/local", SecretString=SECRET)


@pytest.mark.usefixtures("secret")
def test_the_receiver_is_called_once_with_what_it_can_verify(deliveries: Deliveries) -> None:
    deliveries.tell()
    assert said("state") == ("waiting",)
    assert deliveries.turn() is True
    (made,) = deliveries.receiver.calls
    assert made.path == "/hook?token=secret"
    assert made.headers["webhook-id"] == TOLD
    assert made.headers["host"] == deliveries.receiver.url.removeprefix("https://")
    content = Webhook(SECRET).verify(made.body, made.headers)
    assert (content["type"], content["data"]["error"]["code"]) == ("job.failed", "cancelled")
    assert said("state", "attempts", "status_code", "error") == ("delivered", 1, 204, None)
    assert deliveries.counts() == [0, 0]


@pytest.mark.usefixtures("secret")
def test_a_call_that_failed_for_good_is_a_dead_letter(deliveries: Deliveries, services: VideoJobs) -> None:
    most = services.rules.webhook_attempts
    deliveries.receiver.answers.extend([503] * most)
    deliveries.tell()
    for attempt in range(1, most + 1):
        assert deliveries.turn() is False
        assert said("attempts") == (attempt,)
        assert attempt == most or deliveries.turn() is None  # not at once
        deliveries.let_time_pass()
    assert said("state") == ("failed",)
    while deliveries.turn() is not None:
        deliveries.let_time_pass()
    assert deliveries.counts() == [0, 1]
    assert len(deliveries.receiver.calls) == most
    assert said("status_code") == (503,)  # the last receives did not write over the reason


def test_without_a_secret_nothing_is_sent(deliveries: Deliveries) -> None:
    deliveries.tell()
    assert deliveries.turn() is False
    assert deliveries.receiver.calls == []
    assert said("state") == ("retrying",)
    assert "secret" in said("error")[0]


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("after", [False, True])
def test_a_death_at_the_queueing_loses_no_call_and_makes_none_twice(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    process = MortalProcess(monkeypatch)
    event = stream_of(deliveries.resources.id("JobsTable"))
    with process.living(0, after=after), pytest.raises(Crash):
        queue_webhook.lambda_handler(event, deliveries.context)
    with process.living(None):
        queue_webhook.lambda_handler(event, deliveries.context)  # Lambda sends the batch again
    assert process.calls == ["sqs.SendMessage"]
    while deliveries.turn() is not None:
        pass
    assert [made.headers["webhook-id"] for made in deliveries.receiver.calls] == [TOLD]
    assert said("state") == ("delivered",)


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", [0, 1, 2])
def test_a_death_at_the_delivery_loses_no_call(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch, dies_at: int, after: bool
) -> None:
    # GIVEN the function is watched, but not the poller around it
    deliveries.tell()
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
    lasting = ["dynamodb.GetItem", "secretsmanager.GetSecretValue", "dynamodb.UpdateItem"]
    assert process.calls == (lasting[:1] if dies_at == 2 and after else lasting)
    died_between = dies_at == 2 and not after  # called again under the same id, never not at all
    assert len(deliveries.receiver.calls) == 1 + died_between
    assert said("state") == ("delivered",)


def test_a_replaced_secret_signs_beside_the_new_one_until_the_next(aws: None) -> None:
    client = boto3.client("secretsmanager", region_name="us-east-1")
    first, second, third = (new_secret(client, "tests/webhooks/local") for _ in range(3))
    assert len({first, second, third}) == 3
    assert client.get_secret_value(SecretId="tests/webhooks/local")["SecretString"] == f"{third} {second}"
    secrets = SecretsManagerWebhookSecrets(client, "tests/webhooks/")
    assert secrets.secret_of("local") == f"{third} {second}"
