"""Errors as ``application/problem+json`` (RFC 9457), with one table from error to HTTP status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from pydantic_core import ValidationError
from video_jobs.domain import errors
from video_jobs.domain.errors import VideoJobsError

CONTENT_TYPE = "application/problem+json"

STATUS_OF_ERROR: Mapping[type[VideoJobsError], HTTPStatus] = {
    errors.InvalidRequestError: HTTPStatus.BAD_REQUEST,
    errors.InvalidVideoError: HTTPStatus.BAD_REQUEST,
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.VideoMissingError: HTTPStatus.NOT_FOUND,
    errors.JobNotFoundError: HTTPStatus.NOT_FOUND,
    errors.JobNotCompletedError: HTTPStatus.NOT_FOUND,
    errors.NoSummaryError: HTTPStatus.NOT_FOUND,
    errors.MethodNotAllowedError: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.JobStateError: HTTPStatus.CONFLICT,
    errors.ResultsRestartedError: HTTPStatus.CONFLICT,
    errors.UploadIncompleteError: HTTPStatus.CONFLICT,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.VideoTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.IdempotencyMismatchError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnsupportedContentTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.QuotaError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.TransientError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def install(app: APIGatewayHttpResolver, logger: Logger) -> None:
    """Have ``app`` answer every error with a problem document."""
    problems = Problems(app, logger)
    app.exception_handler(VideoJobsError)(problems.on_known_error)
    app.exception_handler(ValidationError)(problems.on_invalid_request)
    app.exception_handler(Exception)(problems.on_unknown_error)
    app.not_found(problems.on_unknown_route)


class Problems:
    """Turns errors into answers."""

    def __init__(self, app: APIGatewayHttpResolver, logger: Logger) -> None:
        self._app = app
        self._logger = logger

    def on_known_error(self, error: VideoJobsError) -> Response[str]:
        """Answer one of this product's errors, by the table."""
        status = status_of(error)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.on_unknown_error(error)
        self._logger.info("request refused", action="request_refused", code=error.code, status=status.value)
        answer = self._answer(status, error.code, error.message)
        if isinstance(error, errors.QuotaError):
            answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer

    def on_invalid_request(self, error: ValidationError) -> Response[str]:
        """Answer a request that does not fit its model, with the first thing that is wrong."""
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "request body"
        return self.on_known_error(errors.InvalidRequestError(f"{where}: {first['msg']}"))

    def on_unknown_route(self, _: NotFoundError) -> Response[str]:
        """Answer a request for a path, or a method of a path, that no route has."""
        event = self._app.current_event
        allowed = self._methods_of(event.path)
        if allowed:
            detail = f"This route takes {', '.join(allowed)}, not {event.http_method}"
            answer = self._answer(HTTPStatus.METHOD_NOT_ALLOWED, errors.MethodNotAllowedError.code, detail)
            answer.headers["Allow"] = ", ".join(allowed)
            return answer
        return self._answer(HTTPStatus.NOT_FOUND, "route_not_found", "There is no such route")

    def _methods_of(self, path: str) -> list[str]:
        """The methods of the routes of a path; Powertools has no public list of routes."""
        routes = [*self._app._static_routes, *self._app._dynamic_routes]
        methods = {str(route.method) for route in routes if route.rule.match(path)}
        return sorted(methods - {"OPTIONS"})  # every path takes preflights, even one that does not exist

    def on_unknown_error(self, error: Exception) -> Response[str]:
        """Answer any other error; details go to the log, never to the client."""
        self._logger.exception("request failed", action="request_failed", exc_info=error)
        detail = "Something went wrong here; try again, and report the request_id if it happens again"
        return self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, VideoJobsError.code, detail)

    def _answer(self, status: HTTPStatus, code: str, detail: str) -> Response[str]:
        problem = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "code": code,
            "request_id": self._app.lambda_context.aws_request_id,
        }
        return Response(status.value, CONTENT_TYPE, json.dumps(problem))


def status_of(error: VideoJobsError) -> HTTPStatus:
    """The HTTP status of an error: that of its nearest base class in the table."""
    for kind in type(error).__mro__:
        if kind in STATUS_OF_ERROR:
            return STATUS_OF_ERROR[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR
