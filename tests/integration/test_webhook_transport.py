"""The HTTPS call of a webhook: where it goes, whom it trusts, and what counts as an answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import Mock

import pytest
from video_jobs.adapters.pinned_https import resolve
from video_jobs.adapters.webhook_http import HttpsWebhookTransport
from video_jobs.domain.errors import WebhookDeliveryError

from tests.support.webhook_receiver import WebhookReceiver

Local = partial(HttpsWebhookTransport, ["127.0.0.0/8"])


@contextmanager
def failing(match: str) -> Iterator[None]:
    """The call is a failed attempt, of less than ten seconds."""
    started = time.monotonic()
    with pytest.raises(WebhookDeliveryError, match=match):
        yield
    assert time.monotonic() - started < 10


def test_a_name_that_also_stands_for_a_private_address_is_not_called(receiver: WebhookReceiver) -> None:
    transport = HttpsWebhookTransport(resolve=lambda *_: ["93.184.216.34", "127.0.0.1"])
    with failing("may not be called"):
        transport.post(f"https://receiver.example:{receiver.port}/", {}, "{}")
    assert receiver.calls == []


def test_the_checked_address_is_the_one_that_is_called(receiver: WebhookReceiver) -> None:
    # GIVEN a name that is resolved to a good address once, and to none ever after
    answers = iter([["127.0.0.1"]])
    transport = Local(resolve=lambda *_: next(answers))
    # WHEN it is called by its name, THEN nobody resolves it again, and the receiver sees its name
    assert transport.post(f"https://receiver.example:{receiver.port}/hook", {"x-test": "1"}, "{}") == 204
    assert receiver.calls[0].headers["host"] == f"receiver.example:{receiver.port}"


def test_a_wrong_certificate_is_refused(receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Local(resolve=lambda *_: ["127.0.0.1"])
    with failing("SSLCertVerificationError"):
        transport.post(f"https://other.example:{receiver.port}/", {}, "{}")
    monkeypatch.delenv("SSL_CERT_FILE")
    with failing("SSLCertVerificationError"):
        transport.post(f"https://receiver.example:{receiver.port}/", {}, "{}")
    assert receiver.calls == []


def test_a_host_without_an_address_or_a_listener_is_a_failed_attempt() -> None:
    for error in (socket.gaierror(), UnicodeError()):
        with failing("no address"):
            HttpsWebhookTransport(resolve=Mock(side_effect=error)).post("https://a.example/", {}, "{}")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with failing("ConnectionRefusedError"):
        Local().post(f"https://127.0.0.1:{port}/", {}, "{}")


def test_a_number_is_resolved_to_the_address_that_it_stands_for() -> None:
    assert resolve("2130706433", 443) == ["127.0.0.1"]


def test_a_receiver_that_is_slow_is_given_up_in_time(receiver: WebhookReceiver) -> None:
    transport = Local(limit_s=0.5)
    receiver.drips_after = b"HTTP/1.1 2"
    with failing(r"within 0\.5 s"):
        transport.post(f"{receiver.url}/", {}, "{}")
    with socket.create_server(("127.0.0.1", 0)) as silent, failing("The call failed"):
        transport.post(f"https://127.0.0.1:{silent.getsockname()[1]}/", {}, "{}")
    # AND headers without an end hold nobody up
    receiver.drips_after = b"HTTP/1.1 204 No Content\r\nx: "
    started = time.monotonic()
    assert transport.post(f"{receiver.url}/", {}, "{}") == 204
    assert time.monotonic() - started < 10


def test_an_answer_stays_out_of_the_log(receiver: WebhookReceiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.header_line = "no colon at all: \r\nfolded\r\n no colon"
    Local().post(f"{receiver.url}/hook?token=secret", {}, "{}")
    assert "secret" not in caplog.text
    assert "colon" not in caplog.text
