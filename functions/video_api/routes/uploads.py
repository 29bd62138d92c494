"""``/video/jobs/{job_id}/upload``: a large video in parts."""

from __future__ import annotations

from datetime import timedelta

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from video_jobs.bootstrap import aws_services
from video_jobs.domain.job import to_iso
from video_jobs.domain.multipart import part_bytes_of, part_sizes
from video_jobs.services.multipart_upload import abort_upload, complete_upload, sign_parts, uploaded_parts

from functions.video_api.answers import json_answer
from functions.video_api.body import body_bytes
from functions.video_api.caller import owner_of
from functions.video_api.routes.jobs import to_resource

router = APIGatewayHttpRouter()


@router.post("/video/jobs/<job_id>/upload/parts")
def post_parts(job_id: str) -> Response[str]:
    """Signed URLs for some parts."""
    from functions.video_api.requests import PartsRequest  # pydantic stays off the start path

    services, event = aws_services(), router.current_event
    owner = owner_of(event)
    request = PartsRequest.model_validate_json(body_bytes(event))
    signed, until = sign_parts(
        job_id,
        owner,
        request.part_numbers,
        jobs=services.jobs,
        uploads=services.uploads,
        clock=services.clock,
        expires=timedelta(seconds=services.settings.upload_expires_s),
    )
    parts = [{"part_number": one.number, "size_bytes": one.size_bytes, "url": one.url} for one in signed]
    return json_answer({"parts": parts, "expires_at": to_iso(until)})


@router.get("/video/jobs/<job_id>/upload")
def get_upload(job_id: str) -> Response[str]:
    """Which parts are there."""
    services = aws_services()
    job, stored = uploaded_parts(
        job_id, owner_of(router.current_event), jobs=services.jobs, uploads=services.uploads
    )
    size_bytes = job.upload_bytes or 0
    return json_answer(
        {
            "size_bytes": size_bytes,
            "part_bytes": part_bytes_of(size_bytes),
            "part_count": len(part_sizes(size_bytes)),
            "parts": [{"part_number": part.number, "size_bytes": part.size_bytes} for part in stored],
        }
    )


@router.post("/video/jobs/<job_id>/upload/complete")
def post_complete(job_id: str) -> Response[str]:
    """All parts are there: the job may start."""
    services = aws_services()
    job = complete_upload(
        job_id,
        owner_of(router.current_event),
        jobs=services.jobs,
        storage=services.storage,
        uploads=services.uploads,
    )
    return json_answer(to_resource(job))


@router.delete("/video/jobs/<job_id>/upload")
def delete_upload(job_id: str) -> Response[str]:
    """Give the upload up."""
    services = aws_services()
    job = abort_upload(
        job_id,
        owner_of(router.current_event),
        jobs=services.jobs,
        uploads=services.uploads,
        clock=services.clock,
        keep=services.keep,
    )
    return json_answer(to_resource(job))
