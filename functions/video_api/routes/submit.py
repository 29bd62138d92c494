"""``POST /video/submit``: an MP4 in the body, or JSON that answers a presigned upload."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from video_jobs.bootstrap import aws_services
from video_jobs.domain.errors import InvalidRequestError, UnsupportedContentTypeError
from video_jobs.domain.job import to_iso
from video_jobs.domain.multipart import part_bytes_of, part_sizes
from video_jobs.services.submit_job import submit_job, submit_multipart, submit_video

from functions.video_api.body import body_bytes
from functions.video_api.caller import owner_of

if TYPE_CHECKING:
    from functions.video_api.requests import SubmitRequest

router = APIGatewayHttpRouter()
_KEY_LENGTH = 255
_BODY_PARAMETERS = frozenset({"pipeline_id", "frame_stride", "max_frames", "callback_url"})


@router.post("/video/submit")
def post_submit() -> tuple[dict[str, Any], int]:
    """Take a job; the content type says which way."""
    event = router.current_event
    content_type = event.headers.get("content-type", "")
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return _submit_json(event), 201
        case "video/mp4" | "application/octet-stream" | "":
            return _submit_video(event, body_bytes(event)), 201
        case "multipart/form-data":
            from functions.video_api.multipart import file_of_form

            return _submit_video(event, file_of_form(content_type, body_bytes(event))), 201
    raise UnsupportedContentTypeError


def _submit_json(event: APIGatewayProxyEventV2) -> dict[str, Any]:
    from functions.video_api.requests import SubmitRequest  # pydantic stays off the start path

    request = SubmitRequest.model_validate_json(body_bytes(event))
    if request.upload_method == "multipart":
        return _submit_multipart(event, request)
    services = aws_services()
    job, upload = submit_job(
        request.size_bytes,
        owner_of(event),
        request.to_options(_idempotency_key(event)),
        jobs=services.jobs,
        storage=services.storage,
        clock=services.clock,
        ids=services.ids,
        limits=services.submit_limits,
    )
    return {
        "job_id": job.job_id,
        "upload": {
            "url": upload.url,
            "fields": upload.fields,
            "expires_at": to_iso(upload.expires_at),
            "max_bytes": upload.max_bytes,
        },
    }


def _submit_multipart(event: APIGatewayProxyEventV2, request: SubmitRequest) -> dict[str, Any]:
    services = aws_services()
    job = submit_multipart(
        request.size_bytes,
        owner_of(event),
        request.to_options(_idempotency_key(event)),
        jobs=services.jobs,
        uploads=services.uploads,
        clock=services.clock,
        ids=services.ids,
        limits=services.submit_limits,
    )
    sizes = part_sizes(request.size_bytes)
    offer = {"part_bytes": part_bytes_of(request.size_bytes), "part_count": len(sizes)}
    return {"job_id": job.job_id, "multipart": offer}


def _submit_video(event: APIGatewayProxyEventV2, video: bytes) -> dict[str, Any]:
    from functions.video_api.requests import SubmitParameters

    parameters = SubmitParameters.model_validate(_known_parameters(event.query_string_parameters))
    options = parameters.to_options(_idempotency_key(event))
    services = aws_services()
    with TemporaryDirectory(prefix="submit-") as folder:
        path = Path(folder) / "video.mp4"
        path.write_bytes(video)
        job = submit_video(
            path,
            owner_of(event),
            options,
            jobs=services.jobs,
            storage=services.storage,
            clock=services.clock,
            ids=services.ids,
            limits=services.submit_limits,
        )
    return {"job_id": job.job_id}


def _idempotency_key(event: APIGatewayProxyEventV2) -> str | None:
    key = event.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidRequestError(f"Idempotency-Key: 1 to {_KEY_LENGTH} printable ASCII characters")
    return key


def _known_parameters(query: Mapping[str, str]) -> Mapping[str, str]:
    unknown = sorted(query.keys() - _BODY_PARAMETERS)
    if unknown:
        raise InvalidRequestError(
            f"Unknown query parameter {unknown[0]!r}; known are {', '.join(sorted(_BODY_PARAMETERS))}"
        )
    return query
