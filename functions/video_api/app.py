"""Handler of the REST API."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.video_api import problems
from functions.video_api.routes import jobs, quote, results, service, status, submit, summary, uploads

ROUTE_MODULES = (submit, quote, status, results, summary, jobs, uploads, service)
"""In the order of the OpenAPI document."""

logger = Logger()
app = APIGatewayHttpResolver()
for module in ROUTE_MODULES:
    app.include_router(module.router)
problems.install(app, logger)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the HTTP API (payload format 2.0), and log it without anything that it carried.

    ``gateway_request_id`` is the request's id in the access log, ``job_id`` its job's id everywhere.
    """
    logger.append_keys(gateway_request_id=event["requestContext"].get("requestId"))
    answer = app.resolve(event, context)
    logger.info(
        "request answered",
        action="request_answered",
        route=event.get("routeKey"),
        status=answer["statusCode"],
    )
    return answer
