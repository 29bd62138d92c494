"""The local stack with logins: a job belongs to the token's subject, and nobody else gets at it."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.commands import run_in
from tools.local_stack.stack import LocalStack
from tools.local_stack.template import Route, Template

ROUTES = Template().routes()
OF_ONE_JOB = [route for route in ROUTES if "{job_id}" in route.path]
CLOSED = [route for route in ROUTES if not route.is_open]
OPEN = [route for route in ROUTES if route.is_open]
BODIES = {"/video/submit": {"size_bytes": 1000}, "/video/jobs/{job_id}/upload/parts": {"part_numbers": [1]}}
NO_JOB = "Job not found"
AS_BOB = {"jwt": {"claims": {"sub": "bob"}}}
FORGED_HEADERS = {
    "owner": "bob",
    "sub": "bob",
    "x-owner": "bob",
    "x-user-id": "bob",
    "x-forwarded-user": "bob",
    "x-amzn-oidc-identity": "bob",
    "x-amzn-request-context": json.dumps({"authorizer": AS_BOB}),
    "authorizer": json.dumps(AS_BOB),
    "cookie": "sub=bob; owner=bob",
}
FORGED_FIELDS = {"owner": "bob", "sub": "bob", "authorizer": json.dumps(AS_BOB), "claims.sub": "bob"}


class Caller:
    """Somebody with a token, or without one."""

    def __init__(self, stack: LocalStack, subject: str | None = None) -> None:
        self._url = stack.url
        self._headers = {"authorization": f"Bearer {stack.issuer.token(subject)}"} if subject else {}

    def call(self, route: Route, job_id: str = "", **options: Any) -> requests.Response:
        """One request as the route wants it."""
        path = re.sub(r"\{\w+\+\}", "no/such/route", route.path).replace("{job_id}", job_id or str(uuid4()))
        method = "PUT" if route.method == "ANY" else route.method
        return self.request(method, path, **{"json": BODIES.get(route.path), **options})

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request."""
        headers = {**options.pop("headers", {}), **self._headers}
        return requests.request(method, self._url + path, headers=headers, timeout=30, **options)

    def submit(self, **options: Any) -> str:
        """A new job, to be uploaded in parts."""
        body = {"size_bytes": 1000, "upload_method": "multipart"}
        answer = self.request("POST", "/video/submit", json=body, **options)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["job_id"])

    def jobs(self) -> list[str]:
        """The ids of the caller's own jobs."""
        listed = self.request("GET", "/video/jobs", params={"limit": 100}).json()["jobs"]
        return [job["job_id"] for job in listed]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    log = tmp_path_factory.mktemp("log") / "local-stack.log"
    with LocalStack(log_file=log, workers=0, logins=True) as running:
        yield running


@pytest.fixture
def ann(stack: LocalStack) -> Caller:
    return Caller(stack, "ann")


@pytest.fixture
def bob(stack: LocalStack) -> Caller:
    return Caller(stack, "bob")


@pytest.fixture
def nobody(stack: LocalStack) -> Caller:
    return Caller(stack)


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


def owner_of(stack: LocalStack, job_id: str) -> str:
    table = stack.template.resolve({"Ref": "JobsTable"})
    item = stack.aws.client("dynamodb").get_item(TableName=table, Key={"job_id": {"S": job_id}})["Item"]
    return str(item["owner"]["S"])


# --- with a token --------------------------------------------------------------------------------


@pytest.mark.parametrize("route", OF_ONE_JOB, ids=name)
def test_another_owner_s_job_is_as_good_as_none(ann: Caller, bob: Caller, route: Route) -> None:
    # GIVEN a job of ann's
    job_id = ann.submit()
    before = ann.request("GET", f"/video/jobs/{job_id}").json()
    # WHEN bob tries the route on it, and on a job that nobody has
    hers, none = bob.call(route, job_id), bob.call(route)
    # THEN he cannot tell them apart, and the job has not changed
    assert (hers.status_code, hers.json()["detail"]) == (404, NO_JOB)
    assert (none.status_code, none.json()["detail"]) == (404, NO_JOB)
    assert ann.request("GET", f"/video/jobs/{job_id}").json() == before


@pytest.mark.parametrize("route", OF_ONE_JOB, ids=name)
def test_the_owner_finds_the_job_on_every_route(ann: Caller, route: Route) -> None:
    answer = ann.call(route, ann.submit())
    assert answer.status_code == 204 or answer.json().get("detail") != NO_JOB


def test_a_list_holds_the_caller_s_own_jobs(ann: Caller, bob: Caller) -> None:
    of_ann, of_bob = ann.submit(), bob.submit()
    assert of_ann in ann.jobs()
    assert of_bob in bob.jobs()
    assert not set(ann.jobs()) & set(bob.jobs())


# --- without -------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", CLOSED, ids=name)
def test_the_gateway_asks_for_a_token(ann: Caller, nobody: Caller, route: Route) -> None:
    answer = nobody.call(route, ann.submit(), headers=FORGED_HEADERS, params=FORGED_FIELDS)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("route", OPEN, ids=name)
def test_open_routes_work_without_a_token(nobody: Caller, route: Route) -> None:
    assert nobody.call(route).status_code == 200


def test_only_what_tells_nothing_of_anybody_is_open() -> None:
    assert {name(route) for route in OPEN} == {"GET /health", "GET /openapi.json", "GET /docs"}


def test_a_bad_token_gets_no_further_than_the_gateway(stack: LocalStack, nobody: Caller) -> None:
    headers = {"authorization": f"Bearer {stack.issuer.token('ann', expires_in_s=-1)}"}
    answer = nobody.request("POST", "/video/submit", data=TINY.read_bytes(), headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert "the token has expired" in answer.headers["www-authenticate"]


# --- with a token and a lie ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "forged", [{"headers": FORGED_HEADERS}, {"params": FORGED_FIELDS}], ids=["headers", "query"]
)
def test_a_job_belongs_to_the_token_s_subject(
    stack: LocalStack, ann: Caller, bob: Caller, forged: dict[str, Any]
) -> None:
    job_id = ann.submit(**forged)
    assert owner_of(stack, job_id) == "ann"
    assert job_id in ann.jobs()
    assert job_id not in bob.jobs()


def test_a_job_belongs_to_the_token_s_subject_whatever_the_form_says(stack: LocalStack, ann: Caller) -> None:
    files = {"file": ("tiny.mp4", TINY.read_bytes(), "video/mp4")}
    answer = ann.request("POST", "/video/submit", data=FORGED_FIELDS, files=files)
    assert answer.status_code == 201, answer.text
    assert owner_of(stack, answer.json()["job_id"]) == "ann"


@pytest.mark.parametrize(
    "field", [{"owner": "bob"}, {"sub": "bob"}, {"requestContext": {"authorizer": AS_BOB}}]
)
def test_a_body_that_names_an_owner_makes_no_job(ann: Caller, bob: Caller, field: dict[str, Any]) -> None:
    before = ann.jobs(), bob.jobs()
    answer = ann.request("POST", "/video/submit", json={"size_bytes": 1000, **field})
    assert answer.status_code == 400
    assert (ann.jobs(), bob.jobs()) == before


@pytest.mark.parametrize("route", OF_ONE_JOB, ids=name)
def test_a_lie_opens_nobody_else_s_job(ann: Caller, bob: Caller, route: Route) -> None:
    answer = ann.call(route, bob.submit(), headers=FORGED_HEADERS)
    assert (answer.status_code, answer.json()["detail"]) == (404, NO_JOB)


@pytest.mark.parametrize("field", FORGED_FIELDS)
def test_a_query_that_names_an_owner_shows_none_of_his_jobs(ann: Caller, bob: Caller, field: str) -> None:
    job_id, query = bob.submit(), {field: FORGED_FIELDS[field]}
    assert job_id not in ann.request("GET", "/video/jobs", params=query).text
    answer = ann.request("GET", f"/video/jobs/{job_id}", params=query)
    assert (answer.status_code, answer.json()["detail"]) == (404, NO_JOB)


# --- the command ---------------------------------------------------------------------------------


def test_the_command_shows_how_to_log_in(tmp_path: Path, model_path: Path) -> None:
    # GIVEN a stack with logins, started by its command
    options = ["--logins", "--port", "0", "--workers", "0", "--model", str(model_path)]
    stack = run_in(tmp_path, "-m", "tools.local_stack", *options)
    try:
        said = said_until_ready(stack)
        # WHEN somebody does what it printed
        *_, data, token_url = shlex.split(said["Token"])
        body = dict([data.split("=")])
        token = requests.post(token_url, data=body, timeout=10).json()["access_token"]
        # THEN the token opens the API, which nobody enters without
        jobs_url = f"{said['Ready'].split()[0]}/video/jobs"
        assert requests.get(jobs_url, timeout=10).status_code == 401
        headers = {"authorization": f"Bearer {token}"}
        assert requests.get(jobs_url, headers=headers, timeout=10).json()["jobs"] == []
        assert token_url.startswith(said["Issuer"].split()[0])
    finally:
        stack.send_signal(signal.SIGTERM)
        output, _ = stack.communicate(timeout=60)
    assert stack.returncode == 0, output


def said_until_ready(stack: subprocess.Popen[str]) -> dict[str, str]:
    assert stack.stdout is not None
    said: dict[str, str] = {}
    while "Ready" not in said:
        word, _, rest = next(stack.stdout).partition(": ")
        said[word] = rest.strip()
    return said
