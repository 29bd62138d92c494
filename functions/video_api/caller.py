"""Who is calling: the subject of the token that the authorizer verified, and nothing else."""

from __future__ import annotations

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from video_jobs.domain.errors import UnauthenticatedError


def owner_of(event: APIGatewayProxyEventV2) -> str:
    """The ``sub`` claim.

    Raises
    ------
    UnauthenticatedError
        If the request came past the authorizer; it never does in a deployment of the template.
    """
    authorizer = event.request_context.get("authorizer") or {}
    subject = (authorizer.get("jwt") or {}).get("claims", {}).get("sub")
    if not isinstance(subject, str) or not subject:
        raise UnauthenticatedError
    return subject
