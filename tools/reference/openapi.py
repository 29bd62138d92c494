"""The OpenAPI document: operations from the routes, bodies from models, statuses from the problems."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from video_jobs.domain.errors import (
    MethodNotAllowedError,
    TransientError,
    UnauthenticatedError,
    VideoJobsError,
)

from functions.video_api import answer_models, parameters, requests
from functions.video_api.app import ROUTE_MODULES
from functions.video_api.operations import OPERATIONS, Operation
from functions.video_api.problems import CONTENT_TYPE, status_of

Schema = dict[str, Any]
JSON = "application/json"
PROBLEM = "Problem"
REQUEST_MODELS = ChainMap(vars(requests), vars(parameters))
FILE: Schema = {"type": "string", "format": "binary"}
FORM = "multipart/form-data"
_REF = "#/components/schemas/{model}"
_ATTRIBUTES = "\n\nAttributes\n----------\n"
_VALIDATION: Literal["validation"] = "validation"


def described_routes() -> Iterator[tuple[str, str, Operation]]:
    """Method, path and operation of each route that has an operation."""
    for module in ROUTE_MODULES:
        for (rule, methods, *_), route in module.router._routes.items():
            if route in OPERATIONS:
                path = rule.replace("<", "{").replace(">", "}")
                yield from ((method.lower(), path, OPERATIONS[route]) for method in methods)


def openapi_document() -> Schema:
    """The whole document (OpenAPI 3.1)."""
    paths: dict[str, Schema] = {}
    for method, path, one in described_routes():
        paths.setdefault(path, {})[method] = _operation(path, one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ForgeSyte Video Jobs",
            "version": "1",
            "description": "Submit a video (MP4 or MOV), poll the job, fetch deterministic results.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _schemas() -> Schema:
    """The bodies that the operations name, and what is in them."""
    found: dict[str, type[BaseModel]] = {PROBLEM: answer_models.Problem}
    for _, _, one in described_routes():
        if "answer" in one:
            found[one["answer"]] = vars(answer_models)[one["answer"]]
        found |= {name: REQUEST_MODELS[name] for name in one.get("json_bodies", ())}
    _, definitions = models_json_schema(
        [(found[name], _VALIDATION) for name in sorted(found)], ref_template=_REF
    )
    return {name: _in_sentences(schema) for name, schema in definitions["$defs"].items()}


def _in_sentences(schema: Schema) -> Schema:
    """The schema of a dataclass describes its attributes as a docstring does: make a list of that."""
    about, heading, attributes = schema.get("description", "").partition(_ATTRIBUTES)
    if not heading:
        return schema
    items = re.sub(r"^(\S.*)\n +", r"- ``\1``: ", attributes, flags=re.MULTILINE)
    return schema | {"description": f"{about}\n\n{items}"}


def _operation(path: str, one: Operation) -> Schema:
    parameters = [*_path_parameters(path), *_query_parameters(one), *_header_parameters(one)]
    bodies = one.get("file_bodies", ())
    body = {kind: _form_body(one) if kind == FORM else {"schema": FILE} for kind in bodies}
    if "json_bodies" in one:
        body |= _content(*one["json_bodies"])
    return {
        "operationId": one["name"],
        "summary": one["summary"],
        "security": [{"token": []}] if one.get("needs_token", True) else [],
        "parameters": parameters,
        "responses": _responses(one),
        **({"requestBody": {"required": True, "content": body}} if body else {}),
    }


def _separated(schema: Schema) -> Schema:
    """How a query or form holds a list: in one value, separated by commas."""
    return {"style": "form", "explode": False} if schema.get("type") == "array" else {}


def _form_body(one: Operation) -> Schema:
    form = _form(one)
    encoding = {name: found for name, schema in form["properties"].items() if (found := _separated(schema))}
    return {"schema": form, "encoding": encoding}


def _form(one: Operation) -> Schema:
    """A form with the file, and with what may stand in the query too."""
    options = {parameter["name"]: parameter["schema"] for parameter in _query_parameters(one)}
    return {
        "type": "object",
        "required": ["file"],
        "properties": {"file": FILE, **options},
        "additionalProperties": False,
    }


def _path_parameters(path: str) -> Iterator[Schema]:
    if "{job_id}" in path:
        uuid = {"type": "string", "format": "uuid"}
        yield {"name": "job_id", "in": "path", "required": True, "schema": uuid}


def _query_parameters(one: Operation) -> Iterator[Schema]:
    if "query" not in one:
        return
    schema = REQUEST_MODELS[one["query"]].model_json_schema()
    for name, spec in schema["properties"].items():
        if name in one.get("query_names", schema["properties"]):
            plain = _plain(spec, schema.get("$defs", {}))
            kept = {key: value for key, value in plain.items() if key not in ("title", "description")}
            yield {"name": name, "in": "query", "required": False, "schema": kept, **_separated(kept)}


def _plain(spec: Schema, definitions: Schema) -> Schema:
    """A parameter's schema by itself; a parameter is there or not, it is never null."""
    choices = [choice for choice in spec.get("anyOf", [spec]) if choice != {"type": "null"}]
    (kind,) = choices
    return dict(definitions[kind["$ref"].rpartition("/")[2]] if "$ref" in kind else kind)


def _header_parameters(one: Operation) -> Iterator[Schema]:
    for name, longest in one.get("request_headers", {}).items():
        text = {"type": "string", "minLength": 1, "maxLength": longest, "pattern": "^[ -~]+$"}
        yield {"name": name, "in": "header", "required": False, "schema": text}


def _responses(one: Operation) -> Schema:
    done: Schema = {"description": one["summary"]}
    if "answer" in one:
        done["content"] = _content(one["answer"])
    if "answer_headers" in one:
        done["headers"] = {name: {"schema": {"type": "string"}} for name in one["answer_headers"]}
    responses = {**_problems(one), str(one.get("status", 200)): done}
    if "ETag" in one.get("answer_headers", ()):
        responses["304"] = {"description": "The client has this answer (If-None-Match)"}
    if one.get("needs_token", True):
        responses["403"] = _gateway_answer("The gateway refused the token")
    throttled = _gateway_answer("Too many requests; try again later")
    responses["429"] = _both(responses["429"], throttled) if "429" in responses else throttled
    return dict(sorted(responses.items()))


def _problems(one: Operation) -> Schema:
    """The errors of an operation by status, with those that any route may raise."""
    common = [UnauthenticatedError, TransientError] if one.get("needs_token", True) else []
    messages: dict[int, list[str]] = {}
    for kind in (*one.get("errors", ()), *common, MethodNotAllowedError, VideoJobsError):
        messages.setdefault(status_of(kind()).value, []).append(kind().message)
    return {
        str(status): {
            "description": " / ".join(dict.fromkeys(texts)),
            "content": _content(PROBLEM, kind=CONTENT_TYPE),
        }
        for status, texts in messages.items()
    }


def _both(problem: Schema, of_the_gateway: Schema) -> Schema:
    """An answer of the functions, which says when to ask again, or of the gateway."""
    return {
        "description": f"{problem['description']} / {of_the_gateway['description']}",
        "headers": {"Retry-After": {"schema": {"type": "string"}}},
        "content": {**problem["content"], **of_the_gateway["content"]},
    }


def _content(*models: str, kind: str = JSON) -> Mapping[str, Schema]:
    choices = [{"$ref": _REF.format(model=model)} for model in models]
    return {kind: {"schema": choices[0] if len(choices) == 1 else {"anyOf": choices}}}


def _gateway_answer(description: str) -> Schema:
    message = {"type": "object", "properties": {"message": {"type": "string"}}}
    return {"description": description, "content": {JSON: {"schema": message}}}
