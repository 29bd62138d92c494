"""The caller: the subject of the token that the authorizer verified."""

from __future__ import annotations

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from video_jobs.bootstrap import application
from video_jobs.domain.errors import UnauthenticatedError
from video_jobs.domain.job import Job, is_job_id

from functions.video_api.request_log import name_job


def owner_of(event: APIGatewayProxyEventV2) -> str:
    """The ``sub`` claim of the caller's token.

    Raises
    ------
    UnauthenticatedError
        If the request did not pass the authorizer, which cannot happen in a deployment of the template.
    """
    authorizer = event.request_context.get("authorizer") or {}
    subject = (authorizer.get("jwt") or {}).get("claims", {}).get("sub")
    if not isinstance(subject, str) or not subject:
        raise UnauthenticatedError
    return subject


def own_job(job_id: str, event: APIGatewayProxyEventV2) -> Job:
    """The caller's job with this id.

    Raises
    ------
    JobNotFoundError
        If the caller has no such job.
    """
    if is_job_id(job_id):
        name_job(job_id)
    return application().owner.job(job_id, owner_of(event))
