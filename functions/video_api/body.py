"""The body of a request, as bytes."""

from __future__ import annotations

import base64
import binascii

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from video_jobs.domain.errors import InvalidRequestError


def body_bytes(event: APIGatewayProxyEventV2) -> bytes:
    """The body as the client sent it.

    Raises
    ------
    InvalidRequestError
        If the event says that the body is base64, but it is not.
    """
    body = event.body or ""
    if not event.is_base64_encoded:
        return body.encode("utf-8", "surrogatepass")  # half a surrogate pair then fails as JSON
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise InvalidRequestError("The request body is not valid base64") from None
