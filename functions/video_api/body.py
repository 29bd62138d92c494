"""The bytes of a request's body."""

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
        If the event says that it is base64 and it is not.
    """
    body = event.body or ""
    if not event.is_base64_encoded:
        return body.encode("utf-8", "surrogatepass")  # half a surrogate pair is then no JSON
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise InvalidRequestError("The request body is not valid base64") from None
