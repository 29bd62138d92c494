"""What the OpenAPI document says of a route, noted beside the route.

Models are given by name, so that a cold start imports neither them nor pydantic; `tools.reference.openapi`
looks them up. For the same reason the routes do not use what Powertools has for this.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypedDict, TypeVar, Unpack

from video_jobs.domain.errors import VideoJobsError

Route = TypeVar("Route", bound=Callable[..., Any])


class Operation(TypedDict, total=False):
    """A route as its clients see it; what may be left out is empty then.

    Attributes
    ----------
    answer
        A model of `answer_models`; without one the answer has no body.
    status
        The status of that answer; 200 if left out.
    query, json_bodies
        Models of `parameters` or `requests`; a JSON body is of one of its models.
    query_names
        The fields of ``query`` that are taken, if not all of them are.
    file_bodies
        Content types of bodies that hold a video.
    request_headers
        Names of optional headers, with the greatest length of each.
    answer_headers
        Names of headers that come with the answer.
    errors
        Those that the route raises, beside those that every route may raise.
    needs_token
        Whether the client must send a token; true if left out.
    """

    name: str
    summary: str
    answer: str
    status: int
    query: str
    query_names: Collection[str]
    json_bodies: Collection[str]
    file_bodies: Collection[str]
    request_headers: Mapping[str, int]
    answer_headers: Collection[str]
    errors: Collection[type[VideoJobsError]]
    needs_token: bool


OPERATIONS: dict[Callable[..., Any], Operation] = {}
"""The operation of each route function that has one."""


def operation(**described: Unpack[Operation]) -> Callable[[Route], Route]:
    """Describe the route function below."""

    def note(route: Route) -> Route:
        OPERATIONS[route] = described
        return route

    return note
