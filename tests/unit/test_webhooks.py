"""Who may be called, and how a call is signed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from video_jobs.adapters.aws.secrets_manager import secret_name
from video_jobs.domain.addresses import is_reachable
from video_jobs.domain.errors import InvalidRequestError, WebhookSecretError
from video_jobs.domain.job_events import event_of_change
from video_jobs.domain.webhooks import (
    WebhookMessage,
    check_callback_url,
    retry_delay_s,
    signed_headers,
)

OLD, NEW = "whsec_b2xkIG9sZCBvbGQgb2xk", "whsec_bmV3IG5ldyBuZXcgbmV3"
ITEM = {
    "job_id": "0b6c9a5e-5f0e-4c57-9d3b-6a1f2f4a7c11",
    "owner": "ann",
    "status": "completed",
    "pipeline_id": "yolo_ocr",
    "generation": 2,
    "frames_done": 3,
    "updated_at": "2026-03-01T00:00:00.000000Z",
    "callback_url": "https://receiver.example/hook",
}
BAD_URLS = """
    http://example.com/ ftp://example.com/ https:// https:///path https://user:password@example.com/
    https://example.com/#part https://exämple.com/ https://example.com:99999/ https://[::1 https://localhost/
    https://a..b.example/ https://.example/ https://example.com./ https://[fec0::1]/ https://db.internal/
    https://127.0.0.1/ https://127.1/ https://2130706433/ https://0x7f000001/ https://0x7f.1/
    https://10.0.0.1/ https://169.254.169.254/latest/meta-data/ https://[::1]/ https://[fd00:ec2::254]/
    https://[::ffff:10.0.0.1]/
"""
PRIVATE_ADDRESSES = """
    127.0.0.1 10.1.2.3 172.16.0.1 192.168.0.1 100.64.0.1 0.0.0.0 255.255.255.255 169.254.169.254 224.0.0.1
    198.18.0.1 ::1 :: fe80::1%eth0 fc00::1 ff02::1 fd00:ec2::254 fec0::1 ::127.0.0.1 64:ff9b:1::a9fe:a9fe
    ::ffff:127.0.0.1 2002:7f00:1:: 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
"""


def test_a_receiver_verifies_a_call_with_the_standard_library_of_webhooks() -> None:
    body = '{"type": "job.completed"}'
    headers = signed_headers("id:1", datetime.now(UTC), body, OLD)
    assert Webhook(OLD).verify(body, headers) == json.loads(body)
    for forged in ('{"type": "job.failed"}', body + " "):
        with pytest.raises(WebhookVerificationError):
            Webhook(OLD).verify(forged, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(body, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)})


def test_while_a_secret_is_replaced_both_are_good() -> None:
    headers = signed_headers("id:1", datetime.now(UTC), "{}", f"{NEW} {OLD}")
    assert Webhook(OLD).verify("{}", headers) == Webhook(NEW).verify("{}", headers)


@pytest.mark.parametrize("secret", ["", " ", "whsec_not base64", "whsec_%%%"])
def test_a_secret_that_is_none_is_told(secret: str) -> None:
    with pytest.raises(WebhookSecretError):
        signed_headers("id:1", datetime.now(UTC), "{}", secret)


def test_the_message_holds_the_event_and_survives_the_queue() -> None:
    event = event_of_change({"status": "running"}, ITEM)
    assert event is not None
    message = WebhookMessage.of_event(event, ITEM)
    assert message is not None
    assert WebhookMessage.from_json(message.to_json()) == message
    assert json.loads(message.body) == {
        "type": "job.completed",
        "timestamp": ITEM["updated_at"],
        "data": dict(event.detail),
    }
    assert (message.generation, message.event_id) == (2, f"{ITEM['job_id']}:2:completed")
    assert WebhookMessage.of_event(event, ITEM | {"callback_url": None}) is None


@pytest.mark.parametrize(
    "url", ["https://example.com", "https://a.b.example:8443/x?token=1", "https://8.8.8.8/"]
)
def test_a_public_https_url_is_taken(url: str) -> None:
    check_callback_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *BAD_URLS.split(),
        "https://example.com/a b",
        "https://" + "a" * 64 + ".example/",
        "https://example.com/" + "x" * 2048,
    ],
)
def test_any_other_url_is_refused_and_said_why(url: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^callback_url: "):
        check_callback_url(url)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_reachable(address: str) -> None:
    assert is_reachable(address)


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES.split())
def test_all_other_addresses_are_not(address: str) -> None:
    assert not is_reachable(address)


def test_an_operator_may_open_a_network_but_never_the_metadata_services() -> None:
    networks = ("10.0.0.0/8", "169.254.0.0/16", "fd00::/8")
    assert is_reachable("10.1.2.3", networks)
    assert is_reachable("fd00::1", networks)
    assert not is_reachable("192.168.0.1", networks)
    assert not is_reachable("169.254.169.254", networks)
    assert not is_reachable("fd00:ec2::254", networks)
    check_callback_url("https://10.1.2.3/", networks)


def test_pauses_grow_to_less_than_a_message_may_be_held_back() -> None:
    delays = [retry_delay_s(attempt) for attempt in range(1, 20)]
    assert delays[:3] == [10, 30, 90]
    assert delays == sorted(delays)
    assert delays[-1] < 12 * 3600


@pytest.mark.parametrize(
    ("owner", "name"), [("ann-1@x.y", "p/ann-1@x.y"), ("auth0|7", "p/auth0=7C7"), ("a=7Cb", "p/a=3D7Cb")]
)
def test_every_owner_has_a_secret_of_another_name(owner: str, name: str) -> None:
    assert secret_name("p/", owner) == name
