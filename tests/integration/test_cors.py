"""Which pages may call the local gateway and the bucket: those that template.yaml lets call AWS's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from tools.local_stack.authorizer import JwtAuthorizer
from tools.local_stack.aws_server import MotoServer
from tools.local_stack.cors import Cors
from tools.local_stack.development_issuer import DevelopmentIssuer
from tools.local_stack.functions import FunctionError
from tools.local_stack.gateway import Gateway
from tools.local_stack.template import Route, Template

CONSOLE, OTHER = "https://console.example.com", "https://other.example.com"
TEMPLATE = Template({"AllowedOrigins": f"http://localhost:3000,{CONSOLE}"})
BUCKET_RULES = TEMPLATE.compute(TEMPLATE.resources["MediaBucket"]["Properties"]["CorsConfiguration"])
ALLOW = "access-control-allow-"


def function(_: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """A function that would let every page call it, if it were asked."""
    if event["rawPath"] == "/video/pipelines":
        raise FunctionError("it died")
    status = 204 if event["requestContext"]["http"]["method"] == "OPTIONS" else 200
    headers = {"Access-Control-Allow-Origin": "*", "access-control-allow-headers": "x-all"}
    return {"statusCode": status, "headers": headers, "body": ""}


@pytest.fixture(scope="module")
def gateway(issuer: DevelopmentIssuer) -> Iterator[Gateway]:
    authorizer, routes = JwtAuthorizer(issuer.url, [issuer.audience]), list(reversed(TEMPLATE.routes()))
    with Gateway(0, routes, function, authorizer=authorizer, cors=TEMPLATE.cors()) as running:
        yield running


def preflight(url: str, origin: str, method: str = "POST", headers: str = "authorization") -> Any:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return requests.options(url, headers={"Origin": origin, **asked}, timeout=10)


def named(answer: requests.Response) -> dict[str, str]:
    """The CORS headers of an answer."""
    return {name.lower(): text for name, text in answer.headers.items() if name.lower().startswith("access-")}


def exposed(answer: requests.Response) -> set[str]:
    """The headers that a page may read."""
    return set(answer.headers["access-control-expose-headers"].split(", "))


@pytest.mark.parametrize("path", ["/video/submit", "/video/jobs/1/upload/parts", "/health"])
def test_a_preflight_needs_no_token(gateway: Gateway, path: str) -> None:
    answer = preflight(gateway.url + path, CONSOLE)
    assert answer.status_code == 204
    assert named(answer) == {
        ALLOW + "origin": CONSOLE,
        ALLOW + "methods": "GET,POST,DELETE",
        ALLOW + "headers": "authorization,content-type,idempotency-key,if-none-match",
        "access-control-expose-headers": "etag,retry-after",
        "access-control-max-age": "600",
    }


def test_without_a_route_of_its_own_a_preflight_would_need_a_token(issuer: DevelopmentIssuer) -> None:
    routes = [route for route in TEMPLATE.routes() if route.method != "OPTIONS"]
    authorizer = JwtAuthorizer(issuer.url, [issuer.audience])
    with Gateway(0, routes, function, authorizer=authorizer, cors=TEMPLATE.cors()) as gateway:
        assert preflight(f"{gateway.url}/video/submit", CONSOLE).status_code == 401
    # AND API Gateway answers by itself only where no route takes it
    submit = [Route("POST", "/video/submit", "VideoApiFunction", is_open=False)]
    with Gateway(0, submit, function, authorizer=authorizer, cors=TEMPLATE.cors()) as gateway:
        assert preflight(f"{gateway.url}/video/submit", CONSOLE).status_code == 204
        assert requests.options(f"{gateway.url}/video/submit", timeout=10).status_code == 404


def test_every_answer_tells_the_page_that_it_may_read_it(gateway: Gateway, issuer: DevelopmentIssuer) -> None:
    token = {"authorization": f"Bearer {issuer.token('ann')}"}
    for path, headers, status in (
        ("/video/jobs", token, 200),
        ("/video/jobs", {}, 401),
        ("/video/pipelines", token, 500),
    ):
        answer = requests.get(gateway.url + path, headers={**headers, "Origin": CONSOLE}, timeout=10)
        assert (answer.status_code, answer.headers[ALLOW + "origin"]) == (status, CONSOLE)
        assert answer.headers["access-control-expose-headers"] == "etag,retry-after"
        assert answer.headers["vary"] == "Origin"


def test_other_pages_may_not(gateway: Gateway, issuer: DevelopmentIssuer) -> None:
    token = {"authorization": f"Bearer {issuer.token('ann')}"}
    assert named(preflight(f"{gateway.url}/video/submit", OTHER)) == {}
    for origin in ({"Origin": OTHER}, {"Origin": f"{CONSOLE}.example.org"}, {"Origin": "null"}, {}):
        answer = requests.get(f"{gateway.url}/video/jobs", headers=token | origin, timeout=10)
        assert (answer.status_code, named(answer)) == (200, {})


@pytest.mark.parametrize(
    ("allowed", "answered"), [("*", "*"), ("https://*", CONSOLE), ("http://*", None), ("https://c*", None)]
)
def test_an_origin_may_be_a_wildcard_as_api_gateway_has_them(allowed: str, answered: str | None) -> None:
    cors = Cors(origins=[allowed], methods=["GET"], headers=[], exposed=[], max_age_s=1)
    with Gateway(0, [], function, cors=cors) as gateway:
        assert preflight(gateway.url, CONSOLE).headers.get(ALLOW + "origin") == answered


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of a bucket with the rules of the template."""
    with MotoServer(BUCKET_RULES["CorsRules"]) as server:
        server.client("s3").create_bucket(Bucket="media")
        yield f"{server.url}/media"


def test_a_page_may_upload_to_the_bucket_and_read_the_answer(bucket: str) -> None:
    allowed = preflight(bucket, CONSOLE, "PUT", "content-type, x-amz-checksum-sha256")
    assert allowed.status_code == 200
    assert allowed.headers[ALLOW + "origin"] == CONSOLE
    assert allowed.headers[ALLOW + "headers"] == "content-type, x-amz-checksum-sha256"
    form: Any = {"data": {"key": "a"}, "files": {"file": b"x"}}
    answer = requests.post(bucket, **form, headers={"Origin": CONSOLE}, timeout=10)
    assert (answer.status_code, answer.headers[ALLOW + "origin"]) == (204, CONSOLE)
    assert "ETag" in exposed(answer)


def test_a_player_on_a_page_may_read_a_part_of_a_video(bucket: str) -> None:
    public = {"x-amz-acl": "public-read"}
    requests.put(f"{bucket}/video.mp4", data=b"0123456789", headers=public, timeout=10)
    assert preflight(f"{bucket}/video.mp4", CONSOLE, "GET", "range").headers[ALLOW + "headers"] == "range"
    headers = {"Origin": CONSOLE, "Range": "bytes=2-4"}
    answer = requests.get(f"{bucket}/video.mp4", headers=headers, timeout=10)
    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers[ALLOW + "origin"] == CONSOLE
    shown = {name: answer.headers.get(name) for name in ("Accept-Ranges", "Content-Length", "Content-Range")}
    assert shown == {"Accept-Ranges": "bytes", "Content-Length": "3", "Content-Range": "bytes 2-4/10"}
    assert shown.keys() <= exposed(answer)


def test_other_pages_may_not_use_the_bucket(bucket: str) -> None:
    for origin, method in ((OTHER, "PUT"), (CONSOLE, "DELETE")):
        refused = preflight(bucket, origin, method)
        assert (refused.status_code, named(refused)) == (403, {})
    answer = requests.get(bucket, headers={"Origin": OTHER}, timeout=10)
    assert (answer.status_code, named(answer)) == (200, {})
