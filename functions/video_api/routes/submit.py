"""``POST /video/submit``: a video in the body, or JSON for one that is uploaded, or fetched from a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from video_jobs.bootstrap import application
from video_jobs.domain.chunks import chunk_bytes_of, chunk_sizes
from video_jobs.domain.content_types import VIDEO_CONTENT_TYPES, VideoContentType
from video_jobs.domain.errors import (
    IdempotencyMismatchError,
    InvalidRequestError,
    InvalidVideoError,
    QuotaError,
    UnsupportedContentTypeError,
    VideoTooLargeError,
)
from video_jobs.domain.job import to_iso
from video_jobs.ports import PresignedUpload

from functions.video_api.body import body_bytes
from functions.video_api.caller import owner_of
from functions.video_api.content_type import media_type_of, video_type_of
from functions.video_api.known_names import check_known
from functions.video_api.operations import operation
from functions.video_api.request_log import name_job

router = APIGatewayHttpRouter()
_KEY_LENGTH = 255
_LISTS = frozenset({"languages", "classes", "region"})
_BODY_PARAMETERS = _LISTS | {
    "pipeline_id",
    "frame_stride",
    "max_frames",
    "callback_url",
    "text_engine",
    "min_confidence",
    "start_ms",
    "end_ms",
    "frames_per_second",
}


@router.post("/video/submit")
@operation(
    name="submit",
    summary="Submit a video in the body, or JSON for one that is uploaded, or fetched from a URL",
    query="SubmitParameters",
    query_names=_BODY_PARAMETERS,
    request_headers={"Idempotency-Key": _KEY_LENGTH},
    file_bodies=[*VIDEO_CONTENT_TYPES, "multipart/form-data"],
    json_bodies=["SubmitRequest", "SourceRequest"],
    answer="UploadOffered",
    status=201,
    errors=[
        InvalidRequestError,
        InvalidVideoError,
        VideoTooLargeError,
        UnsupportedContentTypeError,
        IdempotencyMismatchError,
        QuotaError,
    ],
)
def post_submit() -> tuple[dict[str, Any], int]:
    """Take a job; the content type says which way."""
    answer = _submit(router.current_event)
    name_job(answer["job_id"])
    return answer, 201


def _submit(event: APIGatewayProxyEventV2) -> dict[str, Any]:
    match media_type_of(event):
        case "application/json":
            return _submit_json(event)
        case "multipart/form-data":
            return _submit_form(event)
        case other:
            return _submit_video(event, body_bytes(event), video_type_of(other), _options_of(event))


def _submit_json(event: APIGatewayProxyEventV2) -> dict[str, Any]:
    from functions.video_api.requests import (
        SourceRequest,
        read_submit_request,
    )  # off the start path: pydantic

    request = read_submit_request(body_bytes(event))
    submission = request.to_submission(owner_of(event), _idempotency_key(event))
    if isinstance(request, SourceRequest):
        return {"job_id": application().intake.submit_source(request.source_url, submission).job_id}
    if request.upload_method == "multipart":
        job = application().intake.submit_multipart(request.size_bytes, submission)
        return {"job_id": job.job_id, "multipart": _chunks_of(request.size_bytes)}
    job, upload = application().intake.submit_form(request.size_bytes, submission)
    return {"job_id": job.job_id, "upload": _form_of(upload)}


def _submit_form(event: APIGatewayProxyEventV2) -> dict[str, Any]:
    from functions.video_api.form import read_form

    form = read_form(event.headers["content-type"], body_bytes(event), _BODY_PARAMETERS)
    query = _options_of(event)
    for name in sorted(query.keys() & form.options.keys()):
        if query[name] != form.options[name]:
            raise InvalidRequestError(f"{name}: the query and the form have different values")
    return _submit_video(event, form.video, form.content_type, {**query, **form.options})


def _submit_video(
    event: APIGatewayProxyEventV2, video: bytes, content_type: VideoContentType, options: Mapping[str, str]
) -> dict[str, Any]:
    from functions.video_api.requests import SubmitParameters

    parameters = SubmitParameters.model_validate(_with_lists(options))
    submission = replace(
        parameters.to_submission(owner_of(event), _idempotency_key(event)), content_type=content_type
    )
    with TemporaryDirectory(prefix="submit-") as folder:
        path = Path(folder) / "video.mp4"
        path.write_bytes(video)
        return {"job_id": application().intake.submit_video(path, submission).job_id}


def _with_lists(options: Mapping[str, str]) -> Mapping[str, str | list[str]]:
    """Options of a query or form, whose lists are separated by commas."""
    lists = {name: text.split(",") for name, text in options.items() if name in _LISTS}
    return {**options, **lists}


def _form_of(upload: PresignedUpload) -> dict[str, Any]:
    return {
        "url": upload.url,
        "fields": upload.fields,
        "expires_at": to_iso(upload.expires_at),
        "max_bytes": upload.max_bytes,
    }


def _chunks_of(size_bytes: int) -> dict[str, int]:
    return {"part_bytes": chunk_bytes_of(size_bytes), "part_count": len(chunk_sizes(size_bytes))}


def _idempotency_key(event: APIGatewayProxyEventV2) -> str | None:
    key = event.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidRequestError(f"Idempotency-Key: 1 to {_KEY_LENGTH} printable ASCII characters")
    return key


def _options_of(event: APIGatewayProxyEventV2) -> Mapping[str, str]:
    """The options in the query."""
    query = event.query_string_parameters
    check_known("query parameter", query, _BODY_PARAMETERS)
    return query
