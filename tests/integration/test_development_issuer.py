"""Which tokens the local gateway accepts, and what the functions behind it learn of them."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import psutil
import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from tools.local_stack.authorizer import JwtAuthorizer, UnauthorizedError
from tools.local_stack.development_issuer import DevelopmentIssuer
from tools.local_stack.gateway import LOCAL_OWNER, Gateway
from tools.local_stack.template import Route

HOUR_S = 3600
ROUTES = [Route("GET", "/open", "echo", is_open=True), Route("ANY", "/{proxy+}", "echo", is_open=False)]
WRONG_CLAIMS: list[tuple[str, dict[str, Any]]] = [
    *(("issuer", {"iss": value}) for value in ("https://issuer.example.com", None)),
    *(("audience", {"aud": value}) for value in ("another", ["another"], [], None)),
    *(("audience", {"aud": value, "client_id": "another"}) for value in ("another", None)),
    ("audience", {"aud": "another", "client_id": "video-jobs"}),
    *(("expiry", {"exp": value}) for value in (None, "2999999999", float("nan"))),
    *(("start", {name: 2**33}) for name in ("nbf", "iat")),
    ("set of claims", {"sub": 5}),
]


@pytest.fixture(scope="module")
def authorizer(issuer: DevelopmentIssuer) -> JwtAuthorizer:
    return JwtAuthorizer(issuer.url, ["console", issuer.audience])


def key_of(issuer: DevelopmentIssuer) -> RSAKey:
    """The issuer's own key, usable with any algorithm."""
    whole = issuer._key.as_dict(private=True)
    return RSAKey.import_key({name: value for name, value in whole.items() if name != "alg"})


def signed(issuer: DevelopmentIssuer, key: RSAKey, header: Mapping[str, Any], **claims: Any) -> str:
    """A good token of eve's with changes; None leaves a claim or a part of the header out."""
    usual = {"iss": issuer.url, "aud": issuer.audience, "sub": "eve", "exp": int(time.time()) + HOUR_S}
    whole = {"alg": "RS256", "kid": issuer._key.kid, **header}
    return jwt.encode(without_none(whole), without_none(usual | claims), key, [whole["alg"]])


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def part(content: object) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def wrongly_signed(issuer: DevelopmentIssuer) -> Iterator[str]:
    own, other = key_of(issuer), RSAKey.generate_key(2048, auto_kid=True)
    # another key: under its own name, the issuer's, none, or with an address where it may be found
    yield from (signed(issuer, other, {"kid": kid}) for kid in (other.kid, issuer._key.kid, ""))
    yield signed(issuer, other, {"jku": "https://keys.example.com/jwks.json"})
    # the right key, which the token does not name or uses with another algorithm
    yield from (signed(issuer, own, {"kid": kid}) for kid in (None, "", "another"))
    yield from (signed(issuer, own, {"alg": alg}) for alg in ("RS512", "PS256"))
    # the public key as the secret of a symmetric signature
    message = f"{part({'alg': 'HS256', 'kid': own.kid})}.{issuer.token('ann').split('.')[1]}"
    yield f"{message}.{part(hmac.digest(own.as_pem(private=False), message.encode(), 'sha256'))}"


def changed(issuer: DevelopmentIssuer) -> Iterator[str]:
    """A good token with another header, payload or signature, and texts that are no token."""
    head, body, end = issuer.token("ann").split(".")
    yield f"{part({'alg': 'none', 'kid': issuer._key.kid})}.{body}."
    # an algorithm or a key's name of another type, and a header that is no object
    strange: tuple[object, ...] = ({"alg": []}, {"alg": "RS256", "kid": ["x"]}, ["alg"], 5, None, b"\xff\xfe")
    yield from (f"{part(header)}.{body}.{end}" for header in strange)
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    yield from (f"{head}.{part(claims | edit)}.{end}" for edit in ({"sub": "bob"}, {"exp": 2**33}))
    yield from (f"{head}.{body}.{last}" for last in (end[:20] + end[20:].swapcase(), end[:-4], ""))
    yield from ("x", "Basic YW5uOg==", "..", "a.b.c", "\ud800", "\0", "é.é.é")


def refusal(authorizer: JwtAuthorizer, authorization: str | None) -> UnauthorizedError:
    with pytest.raises(UnauthorizedError) as caught:
        authorizer.claims_of(authorization)
    return caught.value


def test_a_bad_token_is_refused_with_its_reason(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    own = key_of(issuer)
    for word, claims in WRONG_CLAIMS:
        reason = str(refusal(authorizer, signed(issuer, own, {}, **claims)))
        assert reason == f"the token does not have a valid {word}"
    for expires_in_s in (0, -1, -HOUR_S):
        expired = issuer.token("ann", expires_in_s=expires_in_s)
        assert str(refusal(authorizer, f"Bearer {expired}")) == "the token has expired"
    for token in (*wrongly_signed(issuer), *changed(issuer)):
        assert str(refusal(authorizer, f"Bearer {token}")) == "the token is not valid", token
    for nothing in (None, "", " ", "Bearer ", "bearer    "):
        assert refusal(authorizer, nothing).challenge == "Bearer"


def test_a_good_token_is_valid(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    for prefix in ("Bearer ", "bearer ", "BEARER ", "Bearer   ", ""):
        assert authorizer.claims_of(prefix + issuer.token("ann"))["sub"] == "ann"
    for claims in (
        {"aud": ["another", "video-jobs"]},
        {"aud": "video-jobs", "client_id": "another"},
        {"aud": None, "client_id": "video-jobs"},
        {"nbf": 1, "iat": 1},
    ):
        assert authorizer.claims_of(signed(issuer, key_of(issuer), {}, **claims))["sub"] == "eve"


def test_claims_become_text_as_api_gateway_does(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    claims = {"groups": ["admin", "users"], "email_verified": True, "auth_time": 1583798639}
    claims |= {"address": {"country": "NL"}, "nickname": None}
    text = authorizer.claims_of(issuer.token("ann", scope="read write", claims=claims))
    assert int(text.pop("exp")) - int(text["iat"]) == HOUR_S
    told = {name: text[name] for name in text.keys() - {"iss", "sub", "aud", "iat", "nbf"}}
    as_text = {"groups": "[admin users]", "email_verified": "true", "auth_time": "1583798639"}
    assert told == as_text | {"address": '{"country": "NL"}', "scope": "read write"}


def test_every_caller_gets_a_token(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    form = {"sub": "ann", "expires_in": "60", "scope": "read"}
    body = requests.post(issuer.token_url, data=form, timeout=10).json()
    claims = authorizer.claims_of(body.pop("access_token"))
    assert body == {"token_type": "Bearer", "expires_in": 60}
    assert (claims["sub"], claims["scope"]) == ("ann", "read")
    assert int(claims["exp"]) - int(claims["iat"]) == 60


def test_a_wrong_request_for_a_token_gets_the_reason(issuer: DevelopmentIssuer) -> None:
    wrong = [{"sub": "ann", "expires_in": text} for text in ("", "0", "-1", "1.5", "x", "9" * 7)]
    for form in ({}, {"sub": ""}, *wrong):
        answer = requests.post(issuer.token_url, data=form, timeout=10)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        word = "expires_in: " if "expires_in" in form else "sub: "
        assert answer.json()["error_description"].startswith(word)


def test_the_issuer_keeps_its_private_key_and_serves_this_machine_only(issuer: DevelopmentIssuer) -> None:
    configuration = requests.get(f"{issuer.url}/.well-known/openid-configuration", timeout=10).json()
    assert configuration["issuer"] == issuer.url
    (key,) = requests.get(configuration["jwks_uri"], timeout=10).json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
    port = int(issuer.url.rpartition(":")[2])
    listening = [one.laddr for one in psutil.Process().net_connections("inet") if one.status == "LISTEN"]
    assert [address.ip for address in listening if address.port == port] == ["127.0.0.1"]


def authorizer_seen_by_function(gateway: Gateway, path: str, **request: Any) -> Any:
    """What the request's context says of the caller; nothing else of it may name bob."""
    method = "GET" if path == "/open" else "POST"
    context = requests.request(method, gateway.url + path, timeout=10, **request).json()["requestContext"]
    assert "bob" not in json.dumps(context)
    return context.get("authorizer")


def test_a_function_gets_the_tokens_claims_only(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    def echo(_function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return {"statusCode": 200, "body": json.dumps(event)}

    # GIVEN a client that claims to be somebody else wherever it can
    token, forged = issuer.token("ann"), {"jwt": {"claims": {"sub": "bob"}}}
    headers = {"authorization": f"Bearer {token}", "authorizer": json.dumps(forged), "sub": "bob"}
    query = {"authorizer": json.dumps(forged), "requestContext.authorizer.jwt.claims.sub": "bob"}
    body = {"authorizer": forged, "requestContext": {"authorizer": forged}}
    # WHEN it sends a request, THEN the authorizer's part of the event is the token's
    with Gateway(0, ROUTES, echo, authorizer=authorizer) as gateway:
        seen = authorizer_seen_by_function(gateway, "/x", headers=headers, params=query, json=body)
        assert seen == {"jwt": {"claims": authorizer.claims_of(token), "scopes": None}}
        # AND an open route needs no token and knows no caller
        for sent in ({}, {"authorization": "x"}, {"authorization": f"Bearer {token}"}):
            assert authorizer_seen_by_function(gateway, "/open", headers=sent) is None
    # AND without an authorizer every caller is the local owner
    with Gateway(0, ROUTES, echo) as gateway:
        seen = authorizer_seen_by_function(gateway, "/x", headers=headers)
        assert seen == {"jwt": {"claims": {"sub": LOCAL_OWNER}, "scopes": None}}
