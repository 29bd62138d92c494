"""Which tokens the local gateway takes, and what the functions behind it learn of them."""

from __future__ import annotations

import base64
import hashlib
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
KEYS = "https://keys.example.com/jwks.json"
NOT_VALID = "the token is not valid"


@pytest.fixture(scope="module")
def issuer() -> Iterator[DevelopmentIssuer]:
    with DevelopmentIssuer() as running:
        yield running


@pytest.fixture(scope="module")
def authorizer(issuer: DevelopmentIssuer) -> JwtAuthorizer:
    return JwtAuthorizer(issuer.url, issuer.audience)


@pytest.fixture(scope="module")
def key(issuer: DevelopmentIssuer) -> RSAKey:
    """The issuer's own key, but not bound to one algorithm: it can sign what the issuer never would."""
    whole = issuer._key.as_dict(private=True)
    return RSAKey.import_key({name: value for name, value in whole.items() if name != "alg"})


@pytest.fixture(scope="module")
def gateway(authorizer: JwtAuthorizer) -> Iterator[Gateway]:
    with Gateway(0, ROUTES, echo, authorizer=authorizer) as running:
        yield running


def echo(_function: str, event: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "body": json.dumps(event)}


def part(content: object) -> str:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims_for(issuer: DevelopmentIssuer, **changes: Any) -> dict[str, Any]:
    in_an_hour = int(time.time()) + HOUR_S
    return {"iss": issuer.url, "aud": issuer.audience, "sub": "eve", "exp": in_an_hour, **changes}


def sign(key: RSAKey, claims: dict[str, Any], **header: Any) -> str:
    header = {"alg": "RS256", "kid": key.kid, **header}
    return jwt.encode(header, claims, key, [header["alg"]])


def reason_against(authorizer: JwtAuthorizer, token: str) -> str:
    with pytest.raises(UnauthorizedError) as caught:
        authorizer.claims_of(f"Bearer {token}")
    return str(caught.value)


# --- tokens that count ---------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", "BEARER ", "Bearer   ", ""])
def test_a_token_counts_with_and_without_its_prefix(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, prefix: str
) -> None:
    assert authorizer.claims_of(prefix + issuer.token("ann"))["sub"] == "ann"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["another", "video-jobs"]},
        {"aud": "video-jobs", "client_id": "another"},
        {"nbf": 1, "iat": 1},
    ],
)
def test_a_token_counts_whose_claims_are_unusual_but_right(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, claims: dict[str, Any]
) -> None:
    assert authorizer.claims_of(issuer.token("ann", claims=claims))["sub"] == "ann"


def test_a_client_id_stands_in_for_a_missing_audience(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, key: RSAKey
) -> None:
    claims = claims_for(issuer)
    audience = claims.pop("aud")
    assert authorizer.claims_of(sign(key, claims | {"client_id": audience}))["sub"] == "eve"
    wrong = reason_against(authorizer, sign(key, claims | {"client_id": "another"}))
    assert wrong == "the token does not have a valid audience"


def test_claims_become_text_as_api_gateway_writes_them(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer
) -> None:
    claims = {
        "groups": ["admin", "users"],
        "email_verified": True,
        "auth_time": 1583798639,
        "address": {"country": "NL"},
        "nickname": None,
    }
    text = authorizer.claims_of(issuer.token("ann", scope="read write", claims=claims))
    assert (text["groups"], text["email_verified"]) == ("[admin users]", "true")
    assert (text["auth_time"], text["address"]) == ("1583798639", '{"country": "NL"}')
    assert text["scope"] == "read write"
    assert "nickname" not in text
    assert int(text["exp"]) - int(text["iat"]) == HOUR_S


# --- tokens that do not --------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [None, "", " ", "Bearer ", "bearer    "])
def test_a_request_without_a_token_is_refused(authorizer: JwtAuthorizer, authorization: str | None) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        authorizer.claims_of(authorization)
    assert caught.value.challenge == "Bearer"


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        *(({"iss": value}, "issuer") for value in ("https://issuer.example.com", None)),
        *(({"aud": value}, "audience") for value in ("another", ["another"], [], None)),
        ({"aud": "another", "client_id": "video-jobs"}, "audience"),
        *(({"exp": value}, "expiry") for value in (None, "2999999999", float("nan"))),
        *(({name: int(time.time()) + HOUR_S}, "start") for name in ("nbf", "iat")),
        ({"sub": 5}, "set of claims"),
    ],
)
def test_a_well_signed_token_with_wrong_claims_is_refused(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, claims: dict[str, Any], word: str
) -> None:
    reason = reason_against(authorizer, issuer.token("ann", claims=claims))
    assert reason == f"the token does not have a valid {word}"


@pytest.mark.parametrize(("name", "word"), [("iss", "issuer"), ("aud", "audience"), ("exp", "expiry")])
def test_a_token_that_lacks_a_claim_is_refused(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, key: RSAKey, name: str, word: str
) -> None:
    claims = claims_for(issuer)
    del claims[name]
    assert reason_against(authorizer, sign(key, claims)) == f"the token does not have a valid {word}"


@pytest.mark.parametrize("expires_in_s", [0, -1, -HOUR_S])
def test_an_expired_token_is_refused(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, expires_in_s: int
) -> None:
    token = issuer.token("ann", expires_in_s=expires_in_s)
    assert reason_against(authorizer, token) == "the token has expired"


def test_a_token_of_another_issuer_is_refused(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    with DevelopmentIssuer() as other:
        assert reason_against(authorizer, other.token("ann")) == NOT_VALID
        assert reason_against(authorizer, other.token("ann", claims={"iss": issuer.url})) == NOT_VALID


def test_a_key_of_ones_own_opens_nothing(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, key: RSAKey
) -> None:
    # GIVEN a key that the issuer does not have, and claims that are all right
    own, claims = RSAKey.generate_key(2048, auto_kid=True), claims_for(issuer)
    # WHEN it signs under its own name, under the issuer's, under none, or says where it may be found
    names = ({"kid": own.kid}, {"kid": key.kid}, {"kid": ""}, {"jku": KEYS}, {"kid": key.kid, "jku": KEYS})
    reasons = {reason_against(authorizer, sign(own, claims, **name)) for name in names}
    # THEN it counts nowhere
    assert reasons == {NOT_VALID}


def test_a_token_has_to_name_its_key(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, key: RSAKey
) -> None:
    claims = claims_for(issuer)
    nameless = jwt.encode({"alg": "RS256"}, claims, key, ["RS256"])
    assert reason_against(authorizer, nameless) == NOT_VALID
    assert reason_against(authorizer, sign(key, claims, kid="another")) == NOT_VALID
    assert authorizer.claims_of(sign(key, claims))["sub"] == "eve"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_an_unsigned_token_is_refused(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, key: RSAKey, name: str
) -> None:
    signature = issuer.token("ann").rpartition(".")[2]
    unsigned = f"{part({'alg': name, 'kid': key.kid})}.{part(claims_for(issuer))}"
    assert reason_against(authorizer, f"{unsigned}.") == NOT_VALID
    assert reason_against(authorizer, f"{unsigned}.{signature}") == NOT_VALID


def test_the_public_key_is_no_secret_to_sign_with(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, key: RSAKey
) -> None:
    # GIVEN what everybody may know
    known = key.as_dict(private=False)
    secrets = [key.as_pem(private=False), json.dumps(known).encode(), str(known["n"]).encode()]
    message = f"{part({'alg': 'HS256', 'kid': key.kid})}.{part(claims_for(issuer))}"
    for secret in secrets:
        # WHEN it is used as the secret of a symmetric signature
        signature = hmac.new(secret, message.encode(), hashlib.sha256).digest()
        # THEN that is no signature
        assert reason_against(authorizer, f"{message}.{part(signature)}") == NOT_VALID


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_no_algorithm_but_the_agreed_one_counts(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, key: RSAKey, algorithm: str
) -> None:
    assert reason_against(authorizer, sign(key, claims_for(issuer), alg=algorithm)) == NOT_VALID


def test_a_token_that_was_changed_is_refused(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    header, payload, signature = issuer.token("ann").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = [
        f"{header}.{part(claims | {'sub': 'bob'})}.{signature}",
        f"{header}.{part(claims | {'exp': claims['exp'] + 1})}.{signature}",
        f"{header}.{payload}.{signature[:20]}{'A' if signature[20] != 'A' else 'B'}{signature[21:]}",
        f"{header}.{payload}.{signature[:-4]}",
        f"{header}.{payload}.",
        f"{header}..{signature}",
    ]
    assert {reason_against(authorizer, token) for token in changed} == {NOT_VALID}


@pytest.mark.parametrize(
    "header",
    [
        *(["alg"], "alg", 5, None, {}, {"alg": []}, b"\xff\xfe"),
        *({"alg": "RS256", "kid": kid} for kid in (None, 5, ["x"], "x" * 5000)),
        *({"alg": "RS256", "crit": names, "b64": False} for names in (5, [5], ["b64"], ["x"])),
    ],
)
def test_a_strange_header_is_refused(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, header: object
) -> None:
    payload, signature = issuer.token("ann").split(".")[1:]
    assert reason_against(authorizer, f"{part(header)}.{payload}.{signature}") == NOT_VALID


@pytest.mark.parametrize(
    "garbage", ["x", "Basic YW5uOg==", ".", "..", "....", "a.b.c", "\ud800", "\x00", "é.é.é"]
)
def test_garbage_is_refused(authorizer: JwtAuthorizer, garbage: str) -> None:
    assert reason_against(authorizer, garbage) == NOT_VALID


# --- the issuer ----------------------------------------------------------------------------------


def test_anybody_gets_a_token(issuer: DevelopmentIssuer, authorizer: JwtAuthorizer) -> None:
    form = {"sub": "ann", "expires_in": "60", "scope": "read"}
    answer = requests.post(issuer.token_url, data=form, timeout=10)
    assert answer.status_code == 200
    body = answer.json()
    claims = authorizer.claims_of(body.pop("access_token"))
    assert body == {"token_type": "Bearer", "expires_in": 60}
    assert (claims["sub"], claims["scope"]) == ("ann", "read")
    assert int(claims["exp"]) - int(claims["iat"]) == 60


@pytest.mark.parametrize(
    "form",
    [{}, {"sub": ""}, *({"sub": "ann", "expires_in": text} for text in ("", "0", "-1", "1.5", "x", "9" * 7))],
)
def test_a_wrong_request_for_a_token_is_told_why(issuer: DevelopmentIssuer, form: dict[str, str]) -> None:
    answer = requests.post(issuer.token_url, data=form, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.json()["error_description"].startswith("expires_in: " if "expires_in" in form else "sub: ")


def test_the_private_key_stays_with_the_issuer(issuer: DevelopmentIssuer) -> None:
    configuration = requests.get(f"{issuer.url}/.well-known/openid-configuration", timeout=10).json()
    assert configuration["issuer"] == issuer.url
    (key,) = requests.get(configuration["jwks_uri"], timeout=10).json()["keys"]
    assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}


def test_only_this_machine_reaches_the_issuer(issuer: DevelopmentIssuer) -> None:
    port = int(issuer.url.rpartition(":")[2])
    connections = psutil.Process().net_connections("inet")
    open_ports = [one.laddr for one in connections if one.status == psutil.CONN_LISTEN]
    listening = [address.ip for address in open_ports if address.port == port]
    assert listening == ["127.0.0.1"]


# --- the gateway ---------------------------------------------------------------------------------


def test_a_function_gets_the_claims_of_the_token_and_no_others(
    issuer: DevelopmentIssuer, authorizer: JwtAuthorizer, gateway: Gateway
) -> None:
    # GIVEN a client that claims to be somebody else wherever it can
    token = issuer.token("ann")
    forged = {"jwt": {"claims": {"sub": "bob"}}}
    headers = {"authorizer": json.dumps(forged), "sub": "bob", "x-amzn-oidc-identity": "bob"}
    body = {"authorizer": forged, "requestContext": {"authorizer": forged}}
    # WHEN it sends a request
    event = requests.post(
        f"{gateway.url}/x",
        headers={**headers, "authorization": f"Bearer {token}"},
        params={"authorizer": json.dumps(forged), "requestContext.authorizer.jwt.claims.sub": "bob"},
        json=body,
        timeout=10,
    ).json()
    # THEN the authorizer's part of the event is the token's
    expected = {"jwt": {"claims": authorizer.claims_of(token), "scopes": None}}
    assert event["requestContext"]["authorizer"] == expected
    assert "bob" not in json.dumps(event["requestContext"])


def test_an_open_route_asks_for_no_token_and_knows_no_caller(
    issuer: DevelopmentIssuer, gateway: Gateway
) -> None:
    for headers in ({}, {"authorization": "garbage"}, {"authorization": f"Bearer {issuer.token('ann')}"}):
        answer = requests.get(f"{gateway.url}/open", headers=headers, timeout=10)
        assert answer.status_code == 200
        assert "authorizer" not in answer.json()["requestContext"]


def test_without_an_authorizer_there_is_no_gate(issuer: DevelopmentIssuer) -> None:
    headers = {"authorization": f"Bearer {issuer.token('ann')}"}
    with Gateway(0, ROUTES, echo) as gateway:
        for path in ("/open", "/x"):
            event = requests.get(gateway.url + path, headers=headers, timeout=10).json()
            expected = {"jwt": {"claims": {"sub": LOCAL_OWNER}, "scopes": None}}
            assert event["requestContext"]["authorizer"] == expected
