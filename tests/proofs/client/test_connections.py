"""What the clients say over real connections, and to whom."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from video_jobs_client import errors
from video_jobs_client.protocol.retries import Retries
from video_jobs_client.uploads import UploadSettings

from tests.proofs.client.client_behaviours import JOB, SUBMIT, VIDEO
from tests.proofs.client.storage_behaviours import results_at
from tests.support.client_user import client_user
from tests.support.misbehaving_server import MisbehavingServer, reply
from tests.support.played_service import JOB_ID, job

BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    with MisbehavingServer() as running:
        yield running


@BOTH
def test_no_signature_is_logged(
    is_async: bool, server: MisbehavingServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    # GIVEN a program that logs all that its packages tell
    caplog.set_level(logging.DEBUG)
    results_at(server, reply(status=307, location=f"{server.url}/elsewhere?X-Amz-Signature=s"))
    server.moves["GET /elsewhere"] = [reply({})]

    # WHEN it downloads from a signed URL that redirects to another one
    with client_user(server.url, is_async=is_async, token="secret") as user:
        user.do(user.job(JOB_ID).download, tmp_path / "results.json")

    # THEN neither these nor the token are in the log
    assert f"GET {server.url}/elsewhere?…" in caplog.text
    assert "Signature" not in caplog.text
    assert "secret" not in caplog.text


@pytest.fixture
def proxied(server: MisbehavingServer, monkeypatch: pytest.MonkeyPatch) -> MisbehavingServer:
    """A proxy that the environment names."""
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    return server


@BOTH
def test_what_is_for_this_machine_goes_to_no_proxy(is_async: bool, proxied: MisbehavingServer) -> None:
    settings = {"token": "secret", "retries": Retries(limit=0)}
    with (
        client_user("http://127.0.0.1:9", is_async=is_async, **settings) as user,
        pytest.raises(errors.ServiceUnreachableError),
    ):
        user.do(user.client.health)
    assert proxied.asked == []


@BOTH
def test_what_is_for_another_machine_goes_to_the_proxy(is_async: bool, proxied: MisbehavingServer) -> None:
    proxied.moves["GET http://api.example.test/health"] = [reply({"status": "ok"})]
    with client_user("http://api.example.test", is_async=is_async) as user:
        assert user.do(user.client.health).status == "ok"


@BOTH
def test_an_upload_that_is_redirected_to_a_page_has_not_arrived(
    is_async: bool, server: MisbehavingServer
) -> None:
    # GIVEN a storage that answers a form as web sites do: the page to show next
    form = {"url": f"{server.url}/form", "fields": {}, "max_bytes": 100, "expires_at": "2026-11-25T10:00:00Z"}
    elsewhere = reply(status=303, location=f"{server.url}/welcome")
    server.moves = {
        SUBMIT: [reply({"job_id": JOB_ID, "upload": form}, 201)],
        "POST /form": [elsewhere],
        "GET /welcome": [reply(b"hello")],
        JOB: [reply(job())],
    }
    # WHEN a video is uploaded, THEN that is no success
    with (
        client_user(server.url, is_async=is_async) as user,
        pytest.raises(errors.UploadError, match="status 303"),
    ):
        user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="form"))
