"""How a video gets to the service: the way, what is sent, and what happens after an interruption."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from video_jobs_client import errors
from video_jobs_client.uploads import UploadSettings, UploadState

from tests.support.played_service import JOB_ID, answer, job, problem
from tests.support.played_storage import PARTS, VIDEO, Storage

pytestmark = pytest.mark.usefixtures("cache")
Submit = Callable[..., str]


@pytest.fixture(params=["sync", "async"])
def submit(request: pytest.FixtureRequest) -> Submit:
    """Submit by the one client or the other; gives the job_id."""

    def submit(service: Storage, source: Any, token: str | None = "t", **options: Any) -> str:
        with service.user(request.param == "async", token=token) as user:
            return str(user.do(user.client.analyse, source, **options).id)

    return submit


MULTIPART = UploadSettings(method="multipart", parallel=2)


def test_a_small_video_is_sent_in_the_request(submit: Submit, clip: Path) -> None:
    service = Storage()
    assert submit(service, clip, frame_stride=5, classes=["car", "person"]) == JOB_ID
    sent = service.asked[0]
    assert (sent.content, sent.headers["content-type"]) == (VIDEO, "video/mp4")
    assert dict(sent.url.params) == {"frame_stride": "5", "classes": "car,person"}


def test_a_larger_one_is_sent_with_a_form_and_its_name(submit: Submit, clip: Path) -> None:
    service = Storage()
    submit(service, clip, upload=UploadSettings(body_bytes=10), start_ms=5)
    assert json.loads(service.asked[0].content) == {
        "size_bytes": 35,
        "upload_method": "form",
        "start_ms": 5,
        "filename": "clip.mp4",
    }
    (form,) = service.forms
    assert form.index(b"videos/1") < form.index(b'name="file"') < form.index(VIDEO)


def test_a_large_one_is_sent_in_parts(submit: Submit, clip: Path) -> None:
    service = Storage()
    submit(service, clip, upload=UploadSettings(body_bytes=10, form_bytes=20))
    assert (sorted(service.put), service.is_complete) == ([1, 2, 3, 4], True)
    assert [content for _, content in sorted(service.parts.items())] == PARTS


@pytest.mark.parametrize(
    "first",
    [
        answer({"message": "Request Too Long"}, 413),
        httpx2.Response(413, html="<html>Request Entity Too Large</html>"),
        httpx2.Response(413),
    ],
)
def test_what_the_service_or_a_proxy_finds_too_large_is_sent_the_next_way(
    submit: Submit, clip: Path, first: httpx2.Response
) -> None:
    service = Storage(submit=[first, problem("video_too_large", 413)])
    submit(service, clip)
    assert service.is_complete


def test_a_url_is_fetched_by_the_service(submit: Submit) -> None:
    service = Storage()
    submit(service, "https://videos.example.com/a.mp4?X-Amz-Signature=s", max_frames=3)
    wanted = {"source_url": "https://videos.example.com/a.mp4?X-Amz-Signature=s", "max_frames": 3}
    assert json.loads(service.asked[0].content) == wanted


def test_content_open_files_and_pipes_are_sent_as_well(submit: Submit, clip: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, VIDEO)
    os.close(writer)
    with clip.open("rb") as file, clip.open("rb") as later, os.fdopen(reader, "rb") as pipe:
        later.seek(5)
        sources = [VIDEO, bytearray(VIDEO), memoryview(VIDEO), io.BytesIO(VIDEO), file, later, pipe]
        sent = []
        for source in sources:
            service = Storage()
            submit(service, source)
            sent.append(service.asked[0].content)
    assert sent == [VIDEO, VIDEO, VIDEO, VIDEO, VIDEO, VIDEO[5:], VIDEO]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("missing.mp4", "missing.mp4 cannot be read"),
        (".", "is a folder"),
        (b"", "is empty"),
        ("http://videos.example.com/a.mp4", "not from http://"),
        ("s3://bucket/a.mp4", "not from s3://"),
        (io.StringIO("text"), "binary"),
        (None, "NoneType is no video: pass a path, a URL, its content, or a file that is open"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_asked(
    submit: Submit, source: Any, words: str
) -> None:
    service = Storage()
    with pytest.raises(errors.SourceError, match=words):
        submit(service, source)
    assert service.asked == []


def test_a_submit_that_is_repeated_has_the_same_key_and_makes_one_job(submit: Submit, clip: Path) -> None:
    service = Storage(submit=[httpx2.ReadError("cut"), answer({}, 502)])
    submit(service, clip)
    keys = [one.headers["idempotency-key"] for one in service.asked if one.url.path == "/video/submit"]
    assert (len(keys), len(set(keys)), service.jobs) == (3, 1, 1)


def test_two_submits_of_one_file_make_two_jobs(submit: Submit, clip: Path) -> None:
    service = Storage()
    submit(service, clip)
    submit(service, clip)
    assert service.jobs == 2


def test_a_part_that_fails_is_sent_again_by_itself(submit: Submit, clip: Path) -> None:
    seen: list[UploadState] = []
    service = Storage(storage=[httpx2.WriteError("cut"), httpx2.Response(503)])
    submit(service, clip, upload=UploadSettings(method="multipart", on_progress=seen.append, parallel=1))
    assert service.put == [1, 2, 3, 4]
    # what failed is taken back, and counted again
    assert [state.sent_bytes for state in seen][:6] == [0, 10, 0, 10, 0, 10]
    assert seen[-1] == UploadState(35, 35, 0)


def test_an_expired_url_is_renewed(submit: Submit, clip: Path) -> None:
    service = Storage(storage=[httpx2.Response(403, content=b"<Code>AccessDenied</Code>")])
    submit(service, clip, upload=MULTIPART)
    assert (service.signatures, service.is_complete) == (2, True)


def test_an_expired_form_is_renewed(submit: Submit, clip: Path) -> None:
    service = Storage(storage=[httpx2.Response(403, content=b"<Code>AccessDenied</Code>")])
    submit(service, clip, upload=UploadSettings(method="form"))
    assert (service.jobs, len(service.keys), len(service.forms)) == (1, 2, 1)


def test_parts_that_the_storage_lost_are_sent_again(submit: Submit, clip: Path) -> None:
    service = Storage()
    taken = service._storage

    def loses_the_first(request: httpx2.Request) -> httpx2.Response:
        reply = taken(request)
        if service.put == [1]:
            service.parts.clear()
        return reply

    service._storage = loses_the_first  # type: ignore[method-assign]
    submit(service, clip, upload=UploadSettings(method="multipart", parallel=1))
    assert service.put == [1, 2, 3, 4, 1]


@pytest.fixture
def interrupted(submit: Submit, clip: Path) -> Storage:
    """An upload of which two parts arrived before the storage went away."""
    service = Storage()
    taken = service._storage

    def goes_away(request: httpx2.Request) -> httpx2.Response:
        if len(service.put) == 2:
            raise httpx2.ConnectError("away")
        return taken(request)

    service._storage = goes_away  # type: ignore[method-assign]
    with pytest.raises(errors.ServiceUnreachableError):
        submit(service, clip, upload=UploadSettings(method="multipart", parallel=1))
    service._storage = taken  # type: ignore[method-assign]
    return service


def test_an_interrupted_upload_goes_on_and_sends_nothing_twice(
    interrupted: Storage, submit: Submit, clip: Path, cache: Path
) -> None:
    seen: list[UploadState] = []
    settings = UploadSettings(method="multipart", parallel=1, on_progress=seen.append)
    assert submit(interrupted, clip, upload=settings) == JOB_ID
    assert (interrupted.put, interrupted.jobs, interrupted.is_complete) == ([1, 2, 3, 4], 1, True)
    assert (seen[0], seen[-1].resumed_bytes) == (UploadState(20, 35, 20), 20)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("change", ["options", "content", "no resume", "own key"])
def test_another_upload_does_not_go_on(interrupted: Storage, submit: Submit, clip: Path, change: str) -> None:
    interrupted.parts.clear()
    more: dict[str, Any] = {}
    if change == "options":
        more["max_frames"] = 3
    if change == "content":
        os.utime(clip, ns=(1, 1))
    if change == "own key":
        more["idempotency_key"] = "mine"
    settings = UploadSettings(method="multipart", resume=change != "no resume")
    submit(interrupted, clip, upload=settings, **more)
    assert interrupted.jobs == 2


@pytest.mark.parametrize("reply", [problem("job_not_found", 404), problem("job_state", 409)])
def test_an_upload_that_the_service_has_given_up_begins_anew(
    interrupted: Storage, submit: Submit, clip: Path, reply: httpx2.Response
) -> None:
    interrupted.breaks["upload"] = [reply]
    interrupted.breaks[JOB_ID] = [answer(job("failed"))] if reply.status_code == 409 else []
    interrupted.parts.clear()
    submit(interrupted, clip, upload=MULTIPART)
    assert (interrupted.jobs, interrupted.is_complete) == (2, True)


def test_an_upload_whose_completion_was_not_answered_is_not_sent_again(
    interrupted: Storage, submit: Submit, clip: Path
) -> None:
    interrupted.breaks["upload"] = [problem("job_state", 409)]
    assert submit(interrupted, clip, upload=MULTIPART) == JOB_ID
    assert (interrupted.jobs, interrupted.put) == (1, [1, 2])


def test_a_submit_that_was_not_answered_is_repeated_with_its_key_by_the_next_program(
    submit: Submit, clip: Path, cache: Path
) -> None:
    service = Storage(submit=[httpx2.ReadError("cut") for _ in range(6)])
    with pytest.raises(errors.ServiceUnreachableError):
        submit(service, clip)
    (kept,) = cache.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    submit(service, clip)
    assert len({one.headers["idempotency-key"] for one in service.asked if one.method == "POST"}) == 1


def test_what_is_kept_has_neither_url_nor_token(interrupted: Storage, cache: Path) -> None:
    (kept,) = cache.iterdir()
    assert json.loads(kept.read_text()).keys() == {"key", "begun_at", "job_id"}


def test_a_file_that_changes_meanwhile_is_noticed_and_its_job_cancelled(submit: Submit, clip: Path) -> None:
    service = Storage()
    taken = service._storage

    def changes(request: httpx2.Request) -> httpx2.Response:
        clip.write_bytes(VIDEO[:12])
        return taken(request)

    service._storage = changes  # type: ignore[method-assign]
    with pytest.raises(errors.VideoFileChangedError, match="has changed"):
        submit(service, clip, upload=UploadSettings(method="multipart", parallel=1))
    assert service.asked[-1].method == "DELETE"


def test_a_callback_that_raises_stops_the_upload(submit: Submit, clip: Path) -> None:
    def stop(state: UploadState) -> None:
        raise RuntimeError("enough")

    service = Storage()
    with pytest.raises(RuntimeError, match="enough"):
        submit(service, clip, upload=UploadSettings(method="multipart", on_progress=stop))
    assert not service.is_complete
