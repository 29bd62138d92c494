"""With logins a job belongs to the subject of the token, and no other caller can reach it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.integration.conftest import invoke
from tests.support.aws import REGION, Resources
from tools.local_stack.authorizer import JwtAuthorizer
from tools.local_stack.development_issuer import DevelopmentIssuer
from tools.local_stack.gateway import Gateway
from tools.local_stack.template import Route, Template

ROUTES = Template().routes()
OF_ONE_JOB = [route for route in ROUTES if "{job_id}" in route.path]
CLOSED = [route for route in ROUTES if not route.is_open]
OPEN = [route for route in ROUTES if route.is_open]
BODIES = {"/video/submit": {"size_bytes": 1000}, "/video/jobs/{job_id}/upload/parts": {"part_numbers": [1]}}
NOT_FOUND = (404, "Job not found")
UNAUTHORIZED = (401, {"message": "Unauthorized"})
AS_BOB = {"jwt": {"claims": {"sub": "bob"}}}
NAMES_OF_A_CALLER = ("owner", "sub", "x-owner", "x-user-id", "x-forwarded-user", "x-amzn-oidc-identity")
FORGED_HEADERS = {
    **dict.fromkeys(NAMES_OF_A_CALLER, "bob"),
    "x-amzn-request-context": json.dumps({"authorizer": AS_BOB}),
    "authorizer": json.dumps(AS_BOB),
    "cookie": "sub=bob; owner=bob",
}
FORGED_FIELDS = {"owner": "bob", "sub": "bob", "authorizer": json.dumps(AS_BOB), "claims.sub": "bob"}


class Caller:
    """A client with a token, or without one."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url, self._headers = url, {"authorization": f"Bearer {token}"} if token else {}

    def call(self, route: Route, job_id: str = "", **options: Any) -> requests.Response:
        """One request as the route wants it."""
        path = re.sub(r"\{\w+\+\}", "no/such/route", route.path).replace("{job_id}", job_id or str(uuid4()))
        method = "PUT" if route.method == "ANY" else route.method
        return self.request(method, path, **{"json": BODIES.get(route.path), **options})

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**options.pop("headers", {}), **self._headers}
        return requests.request(method, self._url + path, headers=headers, timeout=30, **options)

    def submit(self, **options: Any) -> str:
        """A new job, to be uploaded in parts."""
        body = {"size_bytes": 1000, "upload_method": "multipart"}
        answer = self.request("POST", "/video/submit", json=body, **options)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["job_id"])

    def jobs(self) -> set[str]:
        """The ids of the caller's own jobs."""
        listed = self.request("GET", "/video/jobs", params={"limit": 100}).json()["jobs"]
        return {job["job_id"] for job in listed}


@pytest.fixture(scope="module")
def gateway(issuer: DevelopmentIssuer) -> Iterator[Gateway]:
    authorizer = JwtAuthorizer(issuer.url, [issuer.audience])
    with Gateway(0, ROUTES, invoke, authorizer=authorizer) as running:
        yield running


@pytest.fixture
def ann(gateway: Gateway, issuer: DevelopmentIssuer, resources: Resources) -> Caller:
    return Caller(gateway.url, issuer.token("ann"))


@pytest.fixture
def bob(gateway: Gateway, issuer: DevelopmentIssuer, resources: Resources) -> Caller:
    return Caller(gateway.url, issuer.token("bob"))


@pytest.fixture
def nobody(gateway: Gateway, resources: Resources) -> Caller:
    return Caller(gateway.url, None)


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


def refusal(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("detail")


def owner_of(resources: Resources, job_id: str) -> str:
    table = boto3.client("dynamodb", region_name=REGION)
    item = table.get_item(TableName=resources.id("JobsTable"), Key={"job_id": {"S": job_id}})["Item"]
    return str(item["owner"]["S"])


@pytest.mark.parametrize("route", OF_ONE_JOB, ids=name)
def test_a_job_is_found_by_its_owner_only(ann: Caller, bob: Caller, route: Route) -> None:
    # GIVEN a job of bob's
    job_id = bob.submit()
    before = bob.request("GET", f"/video/jobs/{job_id}").json()
    # WHEN ann asks for it, also as "bob", and for a job that does not exist
    for answer in (ann.call(route, job_id), ann.call(route, job_id, headers=FORGED_HEADERS), ann.call(route)):
        # THEN the answers are the same
        assert refusal(answer) == NOT_FOUND
    # and the job has not changed, and its owner finds it
    assert bob.request("GET", f"/video/jobs/{job_id}").json() == before
    answer = bob.call(route, job_id)
    assert answer.status_code == 204 or refusal(answer) != NOT_FOUND


def test_a_list_holds_the_callers_own_jobs(ann: Caller, bob: Caller) -> None:
    of_ann, of_bob = ann.submit(), bob.submit()
    assert (ann.jobs(), bob.jobs()) == ({of_ann}, {of_bob})


def test_the_gateway_asks_for_a_token(ann: Caller, nobody: Caller) -> None:
    job_id = ann.submit()
    for route in CLOSED:
        answer = nobody.call(route, job_id, headers=FORGED_HEADERS, params=FORGED_FIELDS)
        assert (answer.status_code, answer.json()) == UNAUTHORIZED, name(route)
        assert answer.headers["www-authenticate"] == "Bearer"


def test_open_routes_tell_nothing_of_any_caller_and_need_no_token(nobody: Caller) -> None:
    paths = ("GET /health", "GET /openapi.json", "GET /docs", "OPTIONS /{proxy+}")
    assert {name(route) for route in OPEN} == set(paths)
    assert {nobody.call(route).status_code for route in OPEN} == {200, 204}


def test_the_gateway_stops_a_bad_token(issuer: DevelopmentIssuer, nobody: Caller) -> None:
    headers = {"authorization": f"Bearer {issuer.token('ann', expires_in_s=-1)}"}
    answer = nobody.request("POST", "/video/submit", data=TINY.read_bytes(), headers=headers)
    assert (answer.status_code, answer.json()) == UNAUTHORIZED
    assert "the token has expired" in answer.headers["www-authenticate"]


def test_a_job_belongs_to_the_subject_of_the_token(resources: Resources, ann: Caller, bob: Caller) -> None:
    # GIVEN headers and a query that name bob
    ids = {ann.submit(headers=FORGED_HEADERS), ann.submit(params=FORGED_FIELDS)}
    # THEN the jobs are ann's
    assert {owner_of(resources, job_id) for job_id in ids} == {"ann"}
    assert (ann.jobs(), bob.jobs()) == (ids, set())


def test_a_body_that_names_an_owner_makes_no_job(ann: Caller, bob: Caller) -> None:
    for field in ({"owner": "bob"}, {"sub": "bob"}, {"requestContext": {"authorizer": AS_BOB}}):
        answer = ann.request("POST", "/video/submit", json={"size_bytes": 1000, **field})
        assert answer.status_code == 400
    files = {"file": ("tiny.mp4", TINY.read_bytes(), "video/mp4")}
    assert ann.request("POST", "/video/submit", data=FORGED_FIELDS, files=files).status_code == 400
    assert ann.jobs() == bob.jobs() == set()


def test_a_query_that_names_an_owner_shows_none_of_his_jobs(ann: Caller, bob: Caller) -> None:
    job_id = bob.submit()
    for field, value in FORGED_FIELDS.items():
        query = {field: value}
        assert job_id not in ann.request("GET", "/video/jobs", params=query).text
        assert refusal(ann.request("GET", f"/video/jobs/{job_id}", params=query)) == NOT_FOUND
