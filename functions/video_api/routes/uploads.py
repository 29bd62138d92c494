"""``/video/jobs/{job_id}/upload``: a multipart upload; its chunks are ``parts`` in the API, as on S3."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import application
from video_jobs.domain.chunks import chunk_bytes_of, chunk_sizes
from video_jobs.domain.errors import (
    InvalidRequestError,
    JobNotFoundError,
    JobStateError,
    UploadIncompleteError,
)
from video_jobs.domain.job import to_iso

from functions.video_api.answers import job_resource, json_answer
from functions.video_api.body import body_bytes
from functions.video_api.caller import own_job
from functions.video_api.operations import operation

router = APIGatewayHttpRouter()


@router.get("/video/jobs/<job_id>/upload")
@operation(
    name="upload",
    summary="Which parts of an upload are there",
    answer="UploadProgress",
    errors=[JobNotFoundError, JobStateError],
)
def get_upload(job_id: str) -> Response[str]:
    """Which chunks are there."""
    job = own_job(job_id, router.current_event)
    stored = application().multipart.uploaded_chunks(job)
    size_bytes = job.upload.announced_bytes or 0
    return json_answer(
        {
            "size_bytes": size_bytes,
            "part_bytes": chunk_bytes_of(size_bytes),
            "part_count": len(chunk_sizes(size_bytes)),
            "parts": [{"part_number": chunk.number, "size_bytes": chunk.size_bytes} for chunk in stored],
        }
    )


@router.delete("/video/jobs/<job_id>/upload")
@operation(
    name="abortUpload",
    summary="Give an upload in parts up: its job is cancelled",
    answer="Job",
    errors=[JobNotFoundError, JobStateError],
)
def delete_upload(job_id: str) -> Response[str]:
    """Give the upload up."""
    job = own_job(job_id, router.current_event)
    return json_answer(job_resource(application().owner.abort_upload(job)))


@router.post("/video/jobs/<job_id>/upload/parts")
@operation(
    name="signParts",
    summary="Signed URLs for some parts of an upload",
    json_bodies=["PartsRequest"],
    answer="SignedParts",
    errors=[JobNotFoundError, JobStateError, InvalidRequestError],
)
def post_parts(job_id: str) -> Response[str]:
    """Signed URLs for some chunks."""
    from functions.video_api.requests import PartsRequest  # pydantic stays off the start path

    event = router.current_event
    job = own_job(job_id, event)
    request = PartsRequest.model_validate_json(body_bytes(event))
    signed, until = application().multipart.sign_chunks(job, request.part_numbers)
    parts = [{"part_number": one.number, "size_bytes": one.size_bytes, "url": one.url} for one in signed]
    return json_answer({"parts": parts, "expires_at": to_iso(until)})


@router.post("/video/jobs/<job_id>/upload/complete")
@operation(
    name="completeUpload",
    summary="Make one video of the parts: the job starts",
    answer="Job",
    errors=[JobNotFoundError, JobStateError, UploadIncompleteError],
)
def post_complete(job_id: str) -> Response[str]:
    """All chunks are there: the job may start."""
    job = own_job(job_id, router.current_event)
    return json_answer(job_resource(application().multipart.complete_upload(job)))
