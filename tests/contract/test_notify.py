"""One contract each for events, webhooks to be delivered and their secrets, over memory and AWS (moto)."""

from __future__ import annotations

import pytest
from video_jobs.domain.errors import WebhookSecretError
from video_jobs.domain.job_events import JobEvent
from video_jobs.domain.webhooks import WebhookMessage

from tests.contract.conftest import BusUnderTest, SecretsUnderTest, WebhooksUnderTest

ENDED = JobEvent("JobFailed", {"event_id": "e:1", "job_id": "j", "error": {"code": "x", "message": "why"}})
MESSAGE = WebhookMessage(
    job_id="j",
    owner="ann",
    status="failed",
    generation=2,
    callback_url="https://receiver.example/hook",
    event_id="e:1",
    body='{"type": "job.failed"}',
)


def test_an_event_that_was_published_is_heard(bus: BusUnderTest) -> None:
    bus.events.publish(ENDED)
    assert bus.heard() == [ENDED]


def test_an_event_is_told_as_often_as_it_was_published(bus: BusUnderTest) -> None:
    for _ in range(2):
        bus.events.publish(ENDED)
    assert bus.heard() == [ENDED, ENDED]


def test_a_call_that_was_sent_is_received_as_it_was(webhooks: WebhooksUnderTest) -> None:
    webhooks.queue.send(MESSAGE)
    [(received, _)] = webhooks.receive()
    assert received == MESSAGE


def test_a_call_that_was_put_off_comes_back_after_its_pause(webhooks: WebhooksUnderTest) -> None:
    webhooks.queue.send(MESSAGE)
    [(_, receipt)] = webhooks.receive()
    webhooks.queue.delay(receipt, 10)
    assert webhooks.pause_s(receipt) == 10


def test_an_owners_secret_is_the_one_that_was_set(secrets: SecretsUnderTest) -> None:
    secrets.put("auth0|7", "whsec_new whsec_old")
    secrets.put("ann", "whsec_ann")
    assert secrets.secrets.secret_of("auth0|7") == "whsec_new whsec_old"
    assert secrets.secrets.secret_of("ann") == "whsec_ann"


def test_an_owner_without_a_secret_is_told(secrets: SecretsUnderTest) -> None:
    secrets.put("ann", "whsec_ann")
    with pytest.raises(WebhookSecretError):
        secrets.secrets.secret_of("bob")
