"""The HTTPS call of a webhook: where it goes, whom it trusts, and what counts as an answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from video_jobs.adapters.webhook_http import HttpsWebhookTransport, resolve
from video_jobs.domain.errors import WebhookDeliveryError

from tests.support.webhook_receiver import WebhookReceiver


@pytest.fixture
def reachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookReceiver]:
    """A receiver whose certificate is trusted."""
    with WebhookReceiver(tmp_path) as receiver:
        monkeypatch.setenv("SSL_CERT_FILE", str(receiver.certificate))
        yield receiver


def test_a_name_that_also_stands_for_a_private_address_is_not_called(reachable: WebhookReceiver) -> None:
    transport = HttpsWebhookTransport(resolve=lambda *_: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(WebhookDeliveryError, match="may not be called"):
        transport.post(f"https://receiver.example:{reachable.port}/", {}, "{}")


def test_the_checked_address_is_the_one_that_is_called(reachable: WebhookReceiver) -> None:
    # GIVEN a name that is resolved to a good address once, and to another ever after
    answers = iter([["127.0.0.1"]])
    transport = HttpsWebhookTransport(["127.0.0.0/8"], resolve=lambda *_: next(answers))
    # WHEN it is called by its name
    url = f"https://receiver.example:{reachable.port}/hook"
    assert transport.post(url, {"x-test": "1"}, "{}") == 204
    # THEN nobody resolved it again, and the receiver saw its name
    assert reachable.calls[0].headers["host"] == f"receiver.example:{reachable.port}"


def test_a_certificate_of_another_name_or_of_nobody_is_refused(
    reachable: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = HttpsWebhookTransport(["127.0.0.0/8"], resolve=lambda *_: ["127.0.0.1"])
    with pytest.raises(WebhookDeliveryError, match="SSLCertVerificationError"):
        transport.post(f"https://other.example:{reachable.port}/", {}, "{}")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(WebhookDeliveryError, match="SSLCertVerificationError"):
        transport.post(f"https://receiver.example:{reachable.port}/", {}, "{}")
    assert reachable.calls == []


def test_a_receiver_that_is_not_there_is_an_attempt(reachable: WebhookReceiver) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    transport = HttpsWebhookTransport(["127.0.0.0/8"])
    with pytest.raises(WebhookDeliveryError, match="ConnectionRefusedError"):
        transport.post(f"https://127.0.0.1:{port}/", {}, "{}")


@pytest.mark.parametrize("error", [socket.gaierror(), UnicodeError()])
def test_a_host_without_an_address_is_an_attempt(error: Exception) -> None:
    def fail(*_: object) -> list[str]:
        raise error

    with pytest.raises(WebhookDeliveryError, match="no address"):
        HttpsWebhookTransport(resolve=fail).post("https://nowhere.example/", {}, "{}")


def test_a_number_is_resolved_to_the_address_that_it_stands_for() -> None:
    assert resolve("2130706433", 443) == ["127.0.0.1"]


def test_a_receiver_that_answers_a_byte_at_a_time_is_given_up_in_time(reachable: WebhookReceiver) -> None:
    reachable.drips_after = b"HTTP/1.1 2"
    transport = HttpsWebhookTransport(["127.0.0.0/8"], limit_s=0.5)
    started = time.monotonic()
    with pytest.raises(WebhookDeliveryError, match=r"within 0\.5 s"):
        transport.post(f"{reachable.url}/", {}, "{}")
    assert time.monotonic() - started < 10


def test_headers_without_an_end_hold_nobody_up(reachable: WebhookReceiver) -> None:
    reachable.drips_after = b"HTTP/1.1 204 No Content\r\nx: "
    started = time.monotonic()
    assert HttpsWebhookTransport(["127.0.0.0/8"], limit_s=0.5).post(f"{reachable.url}/", {}, "{}") == 204
    assert time.monotonic() - started < 10


def test_a_receiver_that_never_says_hello_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        transport = HttpsWebhookTransport(["127.0.0.0/8"], limit_s=0.5)
        with pytest.raises(WebhookDeliveryError, match="The call failed"):
            transport.post(f"https://127.0.0.1:{silent.getsockname()[1]}/", {}, "{}")


def test_what_a_receiver_sends_stays_out_of_the_log(
    reachable: WebhookReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    reachable.header_line = "no colon at all: \r\nfolded\r\n no colon"
    HttpsWebhookTransport(["127.0.0.0/8"]).post(f"{reachable.url}/hook?token=secret", {}, "{}")
    assert "secret" not in caplog.text
    assert "colon" not in caplog.text
