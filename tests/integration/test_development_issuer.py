"""Which tokens the local gateway accepts, and what the functions behind it learn of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
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
NOT_VALID = "the token is not valid"


class Forge:
    """Makes tokens, good and bad, for one issuer; ``key`` is the issuer's own, usable with any algorithm."""

    def __init__(self, issuer: DevelopmentIssuer) -> None:
        self.issuer = issuer
        whole = issuer._key.as_dict(private=True)
        self.key = RSAKey.import_key({name: value for name, value in whole.items() if name != "alg"})
        self.other_key = RSAKey.generate_key(2048, auto_kid=True)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The usual ones with changes; None leaves one out."""
        in_an_hour = int(time.time()) + HOUR_S
        usual = {"iss": self.issuer.url, "aud": self.issuer.audience, "sub": "eve", "exp": in_an_hour}
        return {name: value for name, value in (usual | changes).items() if value is not None}

    def sign(self, claims: dict[str, Any], key: RSAKey | None = None, **header: Any) -> str:
        header = {"alg": "RS256", "kid": self.key.kid, **header}
        header = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(header, claims, key or self.key, [header["alg"]])

    def assemble(self, header: object, signature: str | None = None) -> str:
        """Good claims under any header, with the signature of a good token or another one."""
        good = self.issuer.token("ann").split(".")
        return f"{part(header)}.{good[1]}.{good[2] if signature is None else signature}"

    def with_secret(self, secret: bytes) -> str:
        """A symmetric signature."""
        message = f"{part({'alg': 'HS256', 'kid': self.key.kid})}.{part(self.claims())}"
        return f"{message}.{part(hmac.new(secret, message.encode(), hashlib.sha256).digest())}"

    def change(self, edit: Callable[[str, str, str], str]) -> str:
        return edit(*self.issuer.token("ann").split("."))


def part(content: object) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def edited(payload: str, **claims: Any) -> str:
    return part(json.loads(base64.urlsafe_b64decode(payload + "==")) | claims)


@pytest.fixture(scope="module")
def issuer() -> Iterator[DevelopmentIssuer]:
    with DevelopmentIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def authorizer(issuer: DevelopmentIssuer) -> JwtAuthorizer:
    return JwtAuthorizer(issuer.url, issuer.audience)


@pytest.fixture(scope="module")
def forge(issuer: DevelopmentIssuer) -> Forge:
    return Forge(issuer)


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", "BEARER ", "Bearer   ", ""])
def test_a_token_is_valid_with_and_without_its_prefix(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, prefix: str
) -> None:
    assert authorizer.claims_of(prefix + issuer.token("ann"))["sub"] == "ann"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["another", "video-jobs"]},
        {"aud": "video-jobs", "client_id": "another"},
        {"aud": None, "client_id": "video-jobs"},
        {"nbf": 1, "iat": 1},
    ],
)
def test_a_token_with_unusual_claims_may_be_valid(
    forge: Forge, authorizer: JwtAuthorizer, claims: dict[str, Any]
) -> None:
    assert authorizer.claims_of(forge.sign(forge.claims(**claims)))["sub"] == "eve"


def test_claims_become_text_as_api_gateway_writes_them(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer
) -> None:
    claims = {"groups": ["admin", "users"], "email_verified": True, "auth_time": 1583798639}
    claims |= {"address": {"country": "NL"}, "nickname": None}
    text = authorizer.claims_of(issuer.token("ann", scope="read write", claims=claims))
    assert (text["groups"], text["email_verified"]) == ("[admin users]", "true")
    assert (text["auth_time"], text["address"]) == ("1583798639", '{"country": "NL"}')
    assert text["scope"] == "read write"
    assert "nickname" not in text
    assert int(text["exp"]) - int(text["iat"]) == HOUR_S


@pytest.mark.parametrize("authorization", [None, "", " ", "Bearer ", "bearer    "])
def test_a_request_without_a_token_is_refused(authorizer: JwtAuthorizer, authorization: str | None) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        authorizer.claims_of(authorization)
    assert caught.value.challenge == "Bearer"


WRONG_CLAIMS = [
    *(("issuer", {"iss": value}) for value in ("https://issuer.example.com", None)),
    *(("audience", {"aud": value}) for value in ("another", ["another"], [], None)),
    *(("audience", {"aud": value, "client_id": "another"}) for value in ("another", None)),
    ("audience", {"aud": "another", "client_id": "video-jobs"}),
    *(("expiry", {"exp": value}) for value in (None, "2999999999", float("nan"))),
    *(("start", {name: 2**33}) for name in ("nbf", "iat")),
    ("set of claims", {"sub": 5}),
]
STRANGE_HEADERS: tuple[object, ...] = (
    *(["alg"], "alg", 5, None, {}, {"alg": []}, b"\xff\xfe"),
    *({"alg": "RS256", "kid": kid} for kid in (None, 5, ["x"], "x" * 5000)),
    *({"alg": "RS256", "crit": names, "b64": False} for names in (5, [5], ["b64"], ["x"])),
)
UNNAMED = ({"kid": kid} for kid in (None, "", "another"))
KEYS = {"jku": "https://keys.example.com/jwks.json"}
BAD_TOKENS: list[Callable[[Forge], str]] = [
    # another key: under its own name, the issuer's, none, or with an address where it may be found
    lambda forge: forge.sign(forge.claims(), forge.other_key, kid=forge.other_key.kid),
    lambda forge: forge.sign(forge.claims(), forge.other_key),
    lambda forge: forge.sign(forge.claims(), forge.other_key, kid=""),
    lambda forge: forge.sign(forge.claims(), forge.other_key, **KEYS),
    lambda forge: forge.sign(forge.claims(), forge.other_key, kid=forge.other_key.kid, **KEYS),
    # the right key, which the token does not name
    *(lambda forge, header=header: forge.sign(forge.claims(), **header) for header in UNNAMED),
    # another algorithm, or none
    *(lambda forge, alg=alg: forge.sign(forge.claims(), alg=alg) for alg in ("RS384", "RS512", "PS256")),
    *(
        lambda forge, alg=alg, end=end: forge.assemble({"alg": alg, "kid": forge.key.kid}, end)
        for alg in ("none", "None", "NONE", "nOnE", "")
        for end in ("", None)
    ),
    # the public key as the secret of a symmetric signature
    lambda forge: forge.with_secret(forge.key.as_pem(private=False)),
    lambda forge: forge.with_secret(json.dumps(forge.key.as_dict(private=False)).encode()),
    lambda forge: forge.with_secret(str(forge.key.as_dict(private=False)["n"]).encode()),
    # a good token that was changed
    lambda forge: forge.change(lambda head, body, end: f"{head}.{edited(body, sub='bob')}.{end}"),
    lambda forge: forge.change(lambda head, body, end: f"{head}.{edited(body, exp=2**33)}.{end}"),
    lambda forge: forge.change(lambda head, body, end: f"{head}.{body}.{end[:20]}{end[20:].swapcase()}"),
    lambda forge: forge.change(lambda head, body, end: f"{head}.{body}.{end[:-4]}"),
    lambda forge: forge.change(lambda head, body, end: f"{head}.{body}."),
    lambda forge: forge.change(lambda head, body, end: f"{head}..{end}"),
    *(lambda forge, header=header: forge.assemble(header) for header in STRANGE_HEADERS),
    *(
        lambda forge, text=text: text
        for text in ("x", "Basic YW5uOg==", ".", "..", "....", "a.b.c", "\ud800", "\0", "é.é.é")
    ),
]


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        *(
            (f"the token does not have a valid {word}", lambda forge, c=c: forge.sign(forge.claims(**c)))
            for word, c in WRONG_CLAIMS
        ),
        *(
            ("the token has expired", lambda forge, s=s: forge.issuer.token("ann", expires_in_s=s))
            for s in (0, -1, -HOUR_S)
        ),
        *((NOT_VALID, make) for make in BAD_TOKENS),
    ],
)
def test_a_bad_token_is_refused(
    forge: Forge, authorizer: JwtAuthorizer, reason: str, make: Callable[[Forge], str]
) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        authorizer.claims_of(f"Bearer {make(forge)}")
    assert str(caught.value) == reason


def test_a_token_of_another_issuer_is_refused(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    with DevelopmentIssuer() as other:
        for claims in ({}, {"iss": issuer.url}):
            with pytest.raises(UnauthorizedError, match=NOT_VALID):
                authorizer.claims_of(other.token("ann", claims=claims))


def test_every_caller_gets_a_token(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    form = {"sub": "ann", "expires_in": "60", "scope": "read"}
    body = requests.post(issuer.token_url, data=form, timeout=10).json()
    claims = authorizer.claims_of(body.pop("access_token"))
    assert body == {"token_type": "Bearer", "expires_in": 60}
    assert (claims["sub"], claims["scope"]) == ("ann", "read")
    assert int(claims["exp"]) - int(claims["iat"]) == 60


@pytest.mark.parametrize(
    "form",
    [{}, {"sub": ""}, *({"sub": "ann", "expires_in": text} for text in ("", "0", "-1", "1.5", "x", "9" * 7))],
)
def test_a_wrong_request_for_a_token_gets_the_reason(issuer: DevelopmentIssuer, form: dict[str, str]) -> None:
    answer = requests.post(issuer.token_url, data=form, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.json()["error_description"].startswith("expires_in: " if "expires_in" in form else "sub: ")


def test_the_issuer_keeps_its_private_key_and_serves_this_machine_only(issuer: DevelopmentIssuer) -> None:
    configuration = requests.get(f"{issuer.url}/.well-known/openid-configuration", timeout=10).json()
    assert configuration["issuer"] == issuer.url
    (key,) = requests.get(configuration["jwks_uri"], timeout=10).json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
    port = int(issuer.url.rpartition(":")[2])
    listening = [one.laddr for one in psutil.Process().net_connections("inet") if one.status == "LISTEN"]
    assert [address.ip for address in listening if address.port == port] == ["127.0.0.1"]


def echo(_function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "body": json.dumps(event)}


def seen_by_function(gateway: Gateway, path: str, **options: Any) -> Any:
    """The request's context, as the function gets it."""
    return requests.post(gateway.url + path, timeout=10, **options).json()["requestContext"]


def test_a_function_gets_the_claims_of_the_token_and_no_others(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer
) -> None:
    # GIVEN a client that claims to be somebody else wherever it can
    token, forged = issuer.token("ann"), {"jwt": {"claims": {"sub": "bob"}}}
    headers = {"authorization": f"Bearer {token}", "authorizer": json.dumps(forged), "sub": "bob"}
    query = {"authorizer": json.dumps(forged), "requestContext.authorizer.jwt.claims.sub": "bob"}
    body = {"authorizer": forged, "requestContext": {"authorizer": forged}}
    # WHEN it sends a request
    with Gateway(0, ROUTES, echo, authorizer=authorizer) as gateway:
        context = seen_by_function(gateway, "/x", headers=headers, params=query, json=body)
    # THEN the authorizer's part of the event is the token's
    assert context["authorizer"] == {"jwt": {"claims": authorizer.claims_of(token), "scopes": None}}
    assert "bob" not in json.dumps(context)


def test_an_open_route_needs_no_token_and_knows_no_caller(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer
) -> None:
    with Gateway(0, ROUTES, echo, authorizer=authorizer) as gateway:
        for headers in ({}, {"authorization": "x"}, {"authorization": f"Bearer {issuer.token('ann')}"}):
            answer = requests.get(f"{gateway.url}/open", headers=headers, timeout=10)
            assert "authorizer" not in answer.json()["requestContext"]


def test_without_an_authorizer_every_caller_is_the_local_owner(issuer: DevelopmentIssuer) -> None:
    headers = {"authorization": f"Bearer {issuer.token('ann')}"}
    with Gateway(0, ROUTES, echo) as gateway:
        context = seen_by_function(gateway, "/x", headers=headers)
    assert context["authorizer"] == {"jwt": {"claims": {"sub": LOCAL_OWNER}, "scopes": None}}
