"""What a submit may look like: content types, forms with options, and bodies refused by their kind."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import boto3
import pytest
from video_jobs.application import VideoJobs
from video_jobs.domain.content_types import VIDEO_CONTENT_TYPES
from video_jobs.domain.job import JobStatus
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import asked, assert_refused, call, load_event
from tests.integration.job_states import stored_job
from tests.support.aws import Resources
from tools.local_stack.gateway import to_event
from tools.local_stack.template import Route

Field = tuple[str, str | bytes]
FILE: Field = ("file", TINY.read_bytes())


def sent(content: bytes, headers: dict[str, str], query: dict[str, str] | None = None) -> dict[str, Any]:
    """A submit with these headers and no others that tell of the body."""
    event = asked("submit_video", query)
    del event["headers"]["content-type"]
    event["headers"] |= headers
    return event | {"body": b64encode(content).decode(), "isBase64Encoded": True}


def form(*fields: Field, query: dict[str, str] | None = None) -> dict[str, Any]:
    """A submit of a form as browsers send it."""
    parts = []
    for name, value in fields:
        content = value.encode() if isinstance(value, str) else value
        file = "" if isinstance(value, str) else '; filename="x.mov"\r\nContent-Type: video/quicktime'
        disposition = f'Content-Disposition: form-data; name="{name}"{file}'
        parts.append(f"--b\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n")
    return sent(b"".join(parts) + b"--b--\r\n", {"content-type": "multipart/form-data; boundary=b"}, query)


def stored_type(services: VideoJobs, resources: Resources, job_id: str) -> str:
    """The content type that S3 keeps of a job's video."""
    key = stored_job(services, job_id).upload.key
    s3 = boto3.client("s3", region_name="us-east-1")
    return s3.head_object(Bucket=resources.id("MediaBucket"), Key=key)["ContentType"]


# --- content types -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        *((kind, kind) for kind in VIDEO_CONTENT_TYPES),
        ("Video/QuickTime; codecs=hvc1", "video/quicktime"),
        (None, "video/mp4"),
    ],
)
def test_a_video_of_any_type_is_stored_with_it(
    services: VideoJobs, resources: Resources, header: str | None, kept: str
) -> None:
    video = b64decode(load_event("submit_quicktime")["body"])
    status, body = call(sent(video, {} if header is None else {"content-type": header}))
    assert status == 201
    assert stored_type(services, resources, body["job_id"]) == kept


@pytest.mark.parametrize("content_type", [*VIDEO_CONTENT_TYPES, None])
def test_the_local_gateway_hands_a_video_on_as_bytes(app: VideoJobs, content_type: str | None) -> None:
    builder = EnvironBuilder(
        "/video/submit", method="POST", data=TINY.read_bytes(), content_type=content_type
    )
    route = Route("POST", "/video/submit", "VideoApiFunction", is_open=False)
    status, body = call(to_event(Request(builder.get_environ()), route, {}, {"sub": "local"}))
    assert status == 201
    stored = app.ports.storage.find_file(stored_job(app, body["job_id"]).upload.key)
    assert stored is not None
    assert stored.size_bytes == len(TINY.read_bytes())


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"content-type": "video/mp4", "content-encoding": "gzip"}, ["compressed", "gzip", "as it is"]),
        ({"content-type": "application/json", "content-encoding": "br"}, ["compressed", "br"]),
        ({"content-encoding": "identity, Zstd"}, ["compressed", "zstd"]),
        (
            {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
            ["curl", "-H 'content-type: video/mp4'"],
        ),
        ({"content-type": "video/webm"}, ["'video/webm'", "video/quicktime"]),
        ({"content-type": "text/plain"}, ["'text/plain'", "application/json"]),
    ],
)
def test_a_body_of_another_kind_is_told_its_cause_and_remedy(
    app: VideoJobs, headers: dict[str, str], words: list[str]
) -> None:
    status, problem = call(sent(TINY.read_bytes(), headers))
    assert (status, problem["code"]) == (415, "unsupported_media_type")
    assert [word for word in words if word not in problem["detail"]] == []
    assert app.ports.jobs.list_by_owner("local", 10) == []


def test_a_body_that_says_it_is_not_compressed_is_taken(app: VideoJobs) -> None:
    assert call(sent(TINY.read_bytes(), {"content-encoding": "identity"}))[0] == 201


# --- forms -------------------------------------------------------------------------------------------


def test_the_other_fields_of_a_form_are_options(services: VideoJobs, resources: Resources) -> None:
    fields: list[Field] = [
        ("pipeline_id", "ocr_only"),
        FILE,
        ("frame_stride", "7"),
        ("callback_url", "https://example.com/x?a=1"),
    ]
    query = {"max_frames": "9", "frame_stride": "7"}
    status, body = call(form(*fields, query=query))
    assert status == 201
    options = stored_job(services, body["job_id"]).options
    assert (options.pipeline_id, options.frame_stride, options.max_frames) == ("ocr_only", 7, 9)
    assert options.callback_url == "https://example.com/x?a=1"
    assert stored_type(services, resources, body["job_id"]) == "video/quicktime"


@pytest.mark.parametrize(
    ("event", "code", "word"),
    [
        (form(FILE, ("pipeline", "x"), ("colour", "red")), "invalid_request", "'colour', 'pipeline'"),
        (form(FILE, ("filename", "x")), "invalid_request", "'filename'"),
        (form(FILE, ("", "x")), "invalid_request", "form field ''"),
        (form(FILE, FILE), "invalid_request", "'file' more than once"),
        (form(FILE, ("max_frames", "1"), ("max_frames", "1")), "invalid_request", "'max_frames' more than"),
        (form(FILE, ("max_frames", "1"), query={"max_frames": "2"}), "invalid_request", "max_frames"),
        (form(FILE, ("max_frames", "many")), "invalid_request", "max_frames"),
        (form(FILE, ("frame_stride", "0")), "invalid_request", "frame_stride"),
        (form(FILE, ("frame_stride", b"\xff")), "invalid_request", "'frame_stride' is not UTF-8"),
        (form(FILE, ("pipeline_id", "nope")), "unknown_pipeline", "nope"),
        (form(FILE, ("callback_url", "ftp://x")), "invalid_request", "callback_url"),
        (form(FILE, query={"colour": "red"}), "invalid_request", "query parameter 'colour'"),
        (form(("pipeline_id", "ocr_only")), "invalid_request", "no field 'file'"),
        (form(("file", b"\x89PNG\r\n\x1a\n\0\0")), "invalid_mp4", "PNG"),
    ],
)
def test_a_wrong_form_is_told_what_is_wrong_and_makes_no_job(
    app: VideoJobs, event: dict[str, Any], code: str, word: str
) -> None:
    assert_refused(app, event, code, word)


# --- signed uploads ----------------------------------------------------------------------------------


def described(**body: Any) -> dict[str, Any]:
    return load_event("submit_json") | {"body": json.dumps({"size_bytes": 9, **body})}


@pytest.mark.parametrize("content_type", VIDEO_CONTENT_TYPES)
def test_an_upload_in_parts_is_stored_with_the_type_that_was_named(
    services: VideoJobs, resources: Resources, content_type: str
) -> None:
    body = call(described(upload_method="multipart", content_type=content_type))[1]
    upload = stored_job(services, body["job_id"]).upload
    s3, bucket = boto3.client("s3", region_name="us-east-1"), resources.id("MediaBucket")
    target = {"Bucket": bucket, "Key": upload.key, "UploadId": upload.multipart_id or ""}
    etag = s3.upload_part(**target, PartNumber=1, Body=b"nine byte")["ETag"]  # type: ignore[arg-type]
    s3.complete_multipart_upload(
        **target,  # type: ignore[arg-type]
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]},
    )
    assert stored_type(services, resources, body["job_id"]) == content_type


@pytest.mark.parametrize("content_type", ["video/webm", "Video/MP4", "", None, 5])
def test_a_type_that_is_not_of_the_list_is_refused(app: VideoJobs, content_type: Any) -> None:
    for method in ("form", "multipart"):
        status, problem = call(described(upload_method=method, content_type=content_type))
        assert (status, problem["code"]) == (400, "invalid_request")
        assert "content_type" in problem["detail"]


def test_another_type_under_the_same_key_is_another_request(app: VideoJobs) -> None:
    def under_key(**body: Any) -> tuple[int, dict[str, Any]]:
        event = described(**body)
        return call(event | {"headers": event["headers"] | {"idempotency-key": "k"}})

    first = under_key()[1]["job_id"]
    assert under_key(content_type="video/mp4")[1]["job_id"] == first
    assert under_key(content_type="video/quicktime")[0] == 422


# --- one rule for both doors -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b64decode(load_event("submit_quicktime")["body"]),
        TINY.read_bytes(),
        b"\x89PNG\r\n\x1a\n",
        b"",
        b"a text",
    ],
    ids=["mov", "mp4", "png", "empty", "text"],
)
def test_an_upload_is_told_by_the_same_rule_as_a_body(app: VideoJobs, content: bytes, tmp_path: Any) -> None:
    status, answer = call(sent(content, {}))
    job = stored_job(app, call(described(size_bytes=max(1, len(content))))[1]["job_id"])
    (tmp_path / "video").write_bytes(content)
    app.ports.storage.save_file(job.upload.key, tmp_path / "video", "video/mp4")
    accepted = app.intake.accept_upload(job.upload.key)
    assert accepted is not None
    if status == 201:
        assert (accepted.status, accepted.error) == (JobStatus.PENDING, None)
    else:
        assert accepted.error is not None
        assert accepted.error.message == answer["detail"]
