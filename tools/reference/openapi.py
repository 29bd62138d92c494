"""The OpenAPI document: routes from one table, bodies from models, errors from the problem table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from video_jobs.domain import errors
from video_jobs.domain.errors import VideoJobsError

from functions.video_api.parameters import ListParameters, ResultsParameters
from functions.video_api.problems import CONTENT_TYPE, STATUS_OF_ERROR
from functions.video_api.requests import PartsRequest, SubmitParameters, SubmitRequest
from tools.reference import schemas

Schema = dict[str, Any]
JSON = "application/json"
MP4: Schema = {"type": "string", "format": "binary"}
_REF = "#/components/schemas/{model}"
_RETRY_AFTER = "Retry-After"
_VALIDATION: Literal["validation"] = "validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    name: str
    summary: str
    answer: type[BaseModel] | None = None
    status: int = 200
    query: type[BaseModel] | None = None
    bodies: tuple[str, ...] = ()
    request: type[BaseModel] = SubmitRequest
    problems: tuple[type[VideoJobsError], ...] = ()
    headers: tuple[str, ...] = ()
    is_open: bool = False


_JOB = (errors.JobNotFoundError,)
_CHANGE = (*_JOB, errors.JobStateError)
OPERATIONS = (
    Operation(
        method="post",
        path="/video/submit",
        name="submit",
        summary="Submit a video in the body, or JSON that answers a form to upload it with",
        answer=schemas.UploadOffered,
        status=201,
        query=SubmitParameters,
        bodies=("video/mp4", "multipart/form-data", JSON),
        problems=(
            errors.InvalidRequestError,
            errors.InvalidVideoError,
            errors.VideoTooLargeError,
            errors.UnsupportedContentTypeError,
            errors.IdempotencyMismatchError,
        ),
    ),
    Operation(
        method="get",
        path="/video/status/{job_id}",
        name="status",
        summary="How far a job is",
        answer=schemas.JobStatus,
        problems=_JOB,
        headers=(_RETRY_AFTER,),
    ),
    Operation(
        method="get",
        path="/video/results/{job_id}",
        name="results",
        summary="The results of a completed job, whole or a page of them",
        answer=schemas.Results,
        query=ResultsParameters,
        problems=(*_JOB, errors.InvalidRequestError),
        headers=("ETag",),
    ),
    Operation(
        method="get",
        path="/video/jobs",
        name="listJobs",
        summary="The caller's own jobs, newest first",
        answer=schemas.JobList,
        query=ListParameters,
        problems=(errors.InvalidRequestError,),
    ),
    Operation(
        method="get",
        path="/video/jobs/{job_id}",
        name="job",
        summary="All about a job",
        answer=schemas.Job,
        problems=_JOB,
        headers=(_RETRY_AFTER,),
    ),
    Operation(
        method="delete",
        path="/video/jobs/{job_id}",
        name="deleteJob",
        summary="Delete a job that is not running, with its video and results",
        status=204,
        problems=_CHANGE,
    ),
    Operation(
        method="post",
        path="/video/jobs/{job_id}/cancel",
        name="cancelJob",
        summary="End an open job: it fails with the code cancelled",
        answer=schemas.Job,
        problems=_CHANGE,
    ),
    Operation(
        method="post",
        path="/video/jobs/{job_id}/retry",
        name="retryJob",
        summary="Run a failed job once more",
        answer=schemas.Job,
        problems=_CHANGE,
        headers=(_RETRY_AFTER,),
    ),
    Operation(
        method="get",
        path="/video/jobs/{job_id}/upload",
        name="upload",
        summary="Which parts of an upload are there",
        answer=schemas.UploadProgress,
        problems=_CHANGE,
    ),
    Operation(
        method="delete",
        path="/video/jobs/{job_id}/upload",
        name="abortUpload",
        summary="Give an upload in parts up: its job is cancelled",
        answer=schemas.Job,
        problems=_CHANGE,
    ),
    Operation(
        method="post",
        path="/video/jobs/{job_id}/upload/parts",
        name="signParts",
        summary="Signed URLs for some parts of an upload",
        answer=schemas.SignedParts,
        bodies=(JSON,),
        request=PartsRequest,
        problems=(*_CHANGE, errors.InvalidRequestError),
    ),
    Operation(
        method="post",
        path="/video/jobs/{job_id}/upload/complete",
        name="completeUpload",
        summary="Make one video of the parts: the job starts",
        answer=schemas.Job,
        problems=(*_CHANGE, errors.UploadIncompleteError),
    ),
    Operation(
        method="get",
        path="/video/pipelines",
        name="pipelines",
        summary="The pipelines that a job may ask for",
        answer=schemas.Pipelines,
    ),
    Operation(
        method="get",
        path="/health",
        name="health",
        summary="Whether the service answers",
        answer=schemas.Health,
        is_open=True,
    ),
)


def openapi_document() -> Schema:
    """The whole document (OpenAPI 3.1)."""
    models: set[type[BaseModel]] = {schemas.Problem, SubmitRequest, PartsRequest}
    models |= {one.answer for one in OPERATIONS if one.answer}
    kinds = [(one, _VALIDATION) for one in sorted(models, key=lambda model: model.__name__)]
    _, definitions = models_json_schema(kinds, ref_template=_REF)
    paths: dict[str, Schema] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ForgeSyte Video Jobs",
            "version": "1",
            "description": "Submit an MP4, poll the job, fetch deterministic results.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(one: Operation) -> Schema:
    body = {"required": True, "content": {kind: _body(kind, one.request) for kind in one.bodies}}
    return {
        "operationId": one.name,
        "summary": one.summary,
        "security": [] if one.is_open else [{"token": []}],
        "parameters": [*_path_parameters(one), *_query_parameters(one), *_header_parameters(one)],
        "responses": _responses(one),
        **({"requestBody": body} if one.bodies else {}),
    }


def _path_parameters(one: Operation) -> list[Schema]:
    if "{job_id}" not in one.path:
        return []
    uuid = {"type": "string", "format": "uuid"}
    return [{"name": "job_id", "in": "path", "required": True, "schema": uuid}]


def _query_parameters(one: Operation) -> list[Schema]:
    if one.query is None:
        return []
    schema = one.query.model_json_schema()
    parameters = []
    for name, spec in schema["properties"].items():
        if one.query is SubmitParameters and name == "filename":
            continue  # only in the JSON body
        plain = _without_null(spec) if "$ref" not in str(spec) else schema["$defs"]["JobStatus"]
        kept = {key: value for key, value in plain.items() if key not in ("title", "description")}
        parameters.append({"name": name, "in": "query", "required": False, "schema": kept})
    return parameters


def _without_null(spec: Schema) -> Schema:
    """A parameter is there or not; it is never null."""
    if "anyOf" not in spec:
        return spec
    (kind,) = [choice for choice in spec["anyOf"] if choice != {"type": "null"}]
    return dict(kind)


def _header_parameters(one: Operation) -> list[Schema]:
    known = {"submit": ("Idempotency-Key", 255), "results": ("If-None-Match", 1000)}
    if one.name not in known:
        return []
    name, longest = known[one.name]
    text = {"type": "string", "minLength": 1, "maxLength": longest, "pattern": "^[ -~]+$"}
    return [{"name": name, "in": "header", "required": False, "schema": text}]


def _body(kind: str, request: type[BaseModel]) -> Schema:
    form = {"type": "object", "required": ["file"], "properties": {"file": MP4}}
    return {JSON: _content(request), "multipart/form-data": {"schema": form}}.get(kind, {"schema": MP4})


def _responses(one: Operation) -> Schema:
    done: Schema = {"description": one.summary}
    if one.answer is not None:
        done["content"] = {JSON: _content(one.answer)}
    if one.headers:
        done["headers"] = {name: {"schema": {"type": "string"}} for name in one.headers}
    responses: Schema = {str(one.status): done}
    if "ETag" in one.headers:
        responses["304"] = {"description": "The client has this answer (If-None-Match)"}
    common = [] if one.is_open else [errors.UnauthenticatedError, errors.TransientError]
    problems = [*one.problems, *common, errors.MethodNotAllowedError, VideoJobsError]
    for status, texts in sorted(_by_status(problems).items()):
        responses.setdefault(
            str(status),
            {
                "description": " / ".join(dict.fromkeys(texts)),
                "content": {CONTENT_TYPE: _content(schemas.Problem)},
            },
        )
    if not one.is_open:
        responses["403"] = _gateway_answer("The gateway refused the token")
    responses["429"] = _gateway_answer("Too many requests; try again later")
    return dict(sorted(responses.items()))


def _by_status(problems: Iterable[type[VideoJobsError]]) -> dict[int, list[str]]:
    by_status: dict[int, list[str]] = {}
    for kind in problems:
        status = STATUS_OF_ERROR.get(kind, HTTPStatus.INTERNAL_SERVER_ERROR)
        by_status.setdefault(int(status), []).append(kind().message)
    return by_status


def _content(model: type[BaseModel]) -> Schema:
    return {"schema": {"$ref": _REF.format(model=model.__name__)}}


def _gateway_answer(description: str) -> Schema:
    message = {"type": "object", "properties": {"message": {"type": "string"}}}
    return {"description": description, "content": {JSON: {"schema": message}}}
