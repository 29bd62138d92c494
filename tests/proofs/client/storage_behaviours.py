"""What the clients do when the storage misbehaves."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from video_jobs_client import errors
from video_jobs_client.uploads import UploadSettings

from tests.proofs.client.client_behaviours import GOOD, JOB, PART_BYTES, RESULTS, SUBMIT, UPLOAD, VIDEO, when
from tests.support.client_user import ClientUser
from tests.support.misbehaving_server import (
    Asked,
    MisbehavingServer,
    Move,
    answered,
    cut,
    reply,
    slow,
    until_closed,
)
from tests.support.played_service import JOB_ID, job

WHOLE = json.dumps({"results": [{"frame_index": n, "result": {"text": "EXIT"}} for n in range(50)]}).encode()
EXPIRED = reply(b"<Error><Code>AccessDenied</Code></Error>", 403, content_type="application/xml")


def signed_parts(server: MisbehavingServer) -> Move:
    def signed(asked: Asked) -> dict[str, Any]:
        numbers = json.loads(asked.content)["part_numbers"]
        parts = [{"part_number": n, "size_bytes": 0, "url": f"{server.url}/part-{n}?s=1"} for n in numbers]
        return {"parts": parts, "expires_at": "2026-11-25T10:00:00Z"}

    return answered(signed)


@when("the URL of a part has expired")
def part_url_expired(server: MisbehavingServer, user: ClientUser) -> None:
    offer = {"job_id": JOB_ID, "multipart": {"part_bytes": PART_BYTES, "part_count": 2}}
    server.moves = {
        SUBMIT: [reply(offer, 201)],
        f"POST {UPLOAD}/parts": [signed_parts(server)],
        "PUT /part-1": [EXPIRED, reply()],
        "PUT /part-2": [reply()],
        f"POST {UPLOAD}/complete": [GOOD],
        JOB: [GOOD],
    }
    user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="multipart", parallel=1))
    sent = [one.content for one in server.asked if one.call.startswith("PUT")]
    assert sent == [VIDEO[:PART_BYTES], VIDEO[:PART_BYTES], VIDEO[PART_BYTES:]]
    assert server.calls.count(f"POST {UPLOAD}/parts") == 2


@when("the form of an upload has expired")
def form_expired(server: MisbehavingServer, user: ClientUser) -> None:
    form = {"url": f"{server.url}/form", "fields": {"policy": "p"}, "max_bytes": 100}
    offer = {"job_id": JOB_ID, "upload": {**form, "expires_at": "2026-11-25T10:00:00Z"}}
    server.moves = {SUBMIT: [reply(offer, 201)], "POST /form": [EXPIRED, reply(status=204)], JOB: [GOOD]}
    user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="form"))
    keys = {one.headers["idempotency-key"] for one in server.asked if one.call == SUBMIT}
    assert (server.calls.count(SUBMIT), len(keys)) == (2, 1)


def results_at(server: MisbehavingServer, *moves: Move) -> None:
    page: dict[str, Any] = {
        "results": [],
        "next_cursor": None,
        "results_url": f"{server.url}/stored?X-Amz-Signature=s",
    }
    server.moves = {JOB: [reply(job("completed"))], RESULTS: [reply(page)], "GET /stored": [*moves]}


@when("the storage refuses a download")
def download_refused(server: MisbehavingServer, user: ClientUser) -> None:
    results_at(server, EXPIRED)
    Path("results.json").write_text("old")
    with pytest.raises(errors.DownloadError, match=r"status 403( \(\w+\))?; try again"):
        user.do(user.job(JOB_ID).download, "results.json")
    assert [path.read_text() for path in Path().glob("results*")] == ["old"]


@when("a download breaks in the middle")
def download_breaks(server: MisbehavingServer, user: ClientUser) -> None:
    results_at(server, cut(WHOLE, 500), reply(WHOLE))
    assert user.do(user.job(JOB_ID).download, "results.json").read_bytes() == WHOLE


@when("a download is not all of the file: another status than 200, fewer bytes, or JSON that is cut")
def download_is_cut(server: MisbehavingServer, user: ClientUser) -> None:
    half = len(WHOLE) // 2
    packed = gzip.compress(WHOLE)[:-20]
    cuts = [
        reply(b""),
        reply(WHOLE[:half]),
        reply(WHOLE, 206),
        until_closed(WHOLE[:half]),
        until_closed(packed, content_encoding="gzip"),
    ]
    signed = {"job_id": JOB_ID, "video_url": f"{server.url}/stored", "expires_at": "2026-11-25T10:00:00Z"}
    for file in ("results", "video"):
        for move in cuts:
            results_at(server, move)
            server.moves[f"{JOB}/video"] = [reply({**signed, "size_bytes": len(WHOLE)})]
            Path("kept").write_text("old")
            with pytest.raises(errors.DownloadError, match="try again"):
                user.do(user.job(JOB_ID).download, "kept", file)
            assert [path.read_text() for path in Path().glob("kept*")] == ["old"]
        results_at(server, until_closed(gzip.compress(WHOLE), content_encoding="gzip"))
        server.moves[f"{JOB}/video"] = [reply({**signed, "size_bytes": len(WHOLE)})]
        assert user.do(user.job(JOB_ID).download, "kept", file).read_bytes() == WHOLE


@when("the storage redirects")
def storage_redirects(server: MisbehavingServer, user: ClientUser) -> None:
    results_at(server, reply(status=307, location=f"{server.url}/elsewhere"))
    server.moves["GET /elsewhere"] = [reply(WHOLE)]
    assert user.do(user.job(JOB_ID).download, "results.json").read_bytes() == WHOLE
    sent = {one.call: one.headers.get("authorization") for one in server.asked}
    assert (sent[JOB], sent["GET /stored"], sent["GET /elsewhere"]) == ("Bearer secret", None, None)


@when("the storage redirects an upload")
def storage_redirects_an_upload(server: MisbehavingServer, user: ClientUser) -> None:
    form = {"url": f"{server.url}/form", "fields": {"policy": "p"}, "max_bytes": 100}
    offer = {"job_id": JOB_ID, "upload": {**form, "expires_at": "2026-11-25T10:00:00Z"}}
    server.moves = {
        SUBMIT: [reply(offer, 201)],
        "POST /form": [reply(status=307, location=f"{server.url}/elsewhere")],
        "POST /elsewhere": [reply(status=204)],
        JOB: [GOOD],
    }
    user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="form"))
    first, second = (one for one in server.asked if one.call in ("POST /form", "POST /elsewhere"))
    assert VIDEO in second.content
    assert (first.content, "authorization" in second.headers) == (second.content, False)


@when("a part of an upload fails for good")
def part_fails(server: MisbehavingServer, user: ClientUser) -> None:
    offer = {"job_id": JOB_ID, "multipart": {"part_bytes": PART_BYTES, "part_count": 2}}
    server.moves = {
        SUBMIT: [reply(offer, 201)],
        f"POST {UPLOAD}/parts": [signed_parts(server)],
        "PUT /part-1": [slow(None, 1.5)],
        "PUT /part-2": [reply(b"<Error><Code>NoSuchUpload</Code></Error>", 404)],
    }
    with pytest.raises(errors.UploadError, match=r"part 2 with status 404 \(NoSuchUpload\)"):
        user.do(user.client.analyse, VIDEO, upload=UploadSettings(method="multipart"))
    assert "PUT /part-1" not in server.done
