"""Both clients call every route of the API on the running stack."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
from video_jobs_client import errors
from video_jobs_client.uploads import UploadSettings

from tests.e2e.conftest import TIMEOUT_S, Api
from tests.fixtures.ffmpeg import run_ffmpeg
from tests.fixtures.make_tiny_mp4 import FRAMES, PATH
from tests.support.client_user import ClientUser, client_user

DOCUMENT = json.loads((Path(__file__).parents[3] / "functions/video_api/openapi.json").read_text("utf-8"))
ROUTES = {
    f"{method.upper()} {path}"
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if "responses" in operation
} | {"GET /openapi.json", "GET /docs"}
ONE_FRAME = {"max_frames": 1}


class Recorder:
    """Sends what the clients send, and notes the routes."""

    def __init__(self) -> None:
        self.routes: set[str] = set()

    def transport(self, *, is_async: bool) -> httpx2.BaseTransport | httpx2.AsyncBaseTransport:
        note = self._note

        class Sync(httpx2.HTTPTransport):
            def handle_request(self, request: httpx2.Request) -> httpx2.Response:
                note(request)
                return super().handle_request(request)

        class Async(httpx2.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                note(request)
                return await super().handle_async_request(request)

        return Async() if is_async else Sync()

    def _note(self, request: httpx2.Request) -> None:
        asked = f"{request.method} {request.url.path}"
        self.routes |= {route for route in ROUTES if _pattern(route).fullmatch(asked)}


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(re.escape(route).replace(re.escape("{job_id}"), "[0-9a-f-]{36}"))


@pytest.fixture(scope="module", params=[False, True], ids=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def recorder(is_async: bool) -> Recorder:
    return Recorder()


@pytest.fixture
def user(api: Api, recorder: Recorder, is_async: bool) -> Iterator[ClientUser]:
    transport = recorder.transport(is_async=is_async)
    with client_user(api.url, is_async=is_async, transport=transport) as running:
        yield running


def begun(user: ClientUser, **options: Any) -> Any:
    """A job that waits for an upload in parts."""
    offer = user.do(user.client.jobs.begin_upload, PATH.stat().st_size, **ONE_FRAME, **options)
    assert offer.multipart.part_count == 1
    return user.job(offer.job_id)


def test_what_the_service_says_of_itself(user: ClientUser) -> None:
    assert user.do(user.client.health).status == "ok"
    assert "yolo_ocr" in {one.pipeline_id for one in user.do(user.client.pipelines).pipelines}
    assert user.do(user.client.openapi)["paths"].keys() == DOCUMENT["paths"].keys()
    assert "<html" in user.do(user.client.request, "GET", "/docs").content.decode()
    assert user.do(user.client.quote, duration_ms=1000, frame_stride=2).based_on.jobs >= 0


def test_a_job_from_submit_to_delete(user: ClientUser, tmp_path: Path) -> None:
    options = {"filename": "street.mp4", "frame_stride": 10, "upload": UploadSettings(resume=False)}
    job = user.do(user.client.analyse, PATH, **options)
    assert user.do(job.wait, TIMEOUT_S, poll_s=0.05).status == "completed"
    assert (user.do(job.poll).status, user.do(job.refresh).resource.filename) == ("completed", "street.mp4")
    assert [frame.index for frame in user.every(job.frames)] == list(range(0, FRAMES, 10))
    assert "HARBOUR" in {one.text for one in user.do(job.summary).texts}
    for file in ("results", "summary", "tracks"):
        assert json.loads(user.do(job.download, tmp_path / file, file).read_bytes())
    assert user.do(job.download, tmp_path / "video", "video").read_bytes() == PATH.read_bytes()
    signed = user.do(job.signed_video)
    assert requests.get(signed.video_url, timeout=30).content == PATH.read_bytes()
    assert job.id in {one.id for one in user.every(user.client.jobs.list, status="completed", limit=100)}
    user.do(job.delete)
    with pytest.raises(errors.JobNotFoundError):
        user.job(job.id)


def test_an_upload_that_another_program_makes(user: ClientUser) -> None:
    job = begun(user)
    (part,) = user.do(job.sign_parts, [1]).parts
    with pytest.raises(errors.UploadIncompleteError):
        user.do(job.complete_upload)
    assert requests.put(part.url, data=PATH.read_bytes(), timeout=30).ok
    assert [one.size_bytes for one in user.do(job.upload).parts] == [part.size_bytes]
    user.do(job.complete_upload)
    assert user.do(job.wait, TIMEOUT_S, poll_s=0.05).status == "completed"


def test_a_form_that_another_program_sends(user: ClientUser) -> None:
    offer = user.do(user.client.jobs.begin_upload, PATH.stat().st_size, upload_method="form", **ONE_FRAME)
    with PATH.open("rb") as file:
        sent = requests.post(offer.upload.url, offer.upload.fields, files={"file": file}, timeout=30)
    assert sent.ok
    assert user.do(user.job(offer.job_id).wait, TIMEOUT_S, poll_s=0.05).status == "completed"


def test_the_same_key_begins_one_upload(user: ClientUser) -> None:
    first, second = begun(user, idempotency_key="mine"), begun(user, idempotency_key="mine")
    assert first.id == second.id
    user.do(first.abort_upload)


@pytest.mark.parametrize("verb", ["abort_upload", "cancel"])
def test_a_job_that_is_given_up(verb: str, user: ClientUser) -> None:
    job = begun(user)
    assert user.do(getattr(job, verb)).error.code == "cancelled"
    with pytest.raises(errors.JobStateError):
        user.do(job.upload)


def test_a_failed_job_runs_once_more(user: ClientUser, tmp_path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "sine=duration=1", str(tmp_path / "sound.mp4"))
    job = user.do(user.client.jobs.submit, tmp_path / "sound.mp4", upload=UploadSettings(resume=False))
    with pytest.raises(errors.JobFailedError) as failed:
        user.do(job.wait, TIMEOUT_S, poll_s=0.05)
    assert failed.value.job_id == job.id
    assert user.do(job.retry).status in ("pending", "running")
    assert user.do(job.wait, TIMEOUT_S, check=False, poll_s=0.05).status == "failed"


def test_no_route_was_left_out(recorder: Recorder) -> None:
    """Comes after the others of this file, which run in their order in one process."""
    if not recorder.routes:
        pytest.skip("only this test was chosen")
    assert ROUTES - recorder.routes == set()
