"""People and machines log in at the development issuer, which checks what a real one would."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from video_jobs_client.addresses import PlainHttpError, SettingsError
from video_jobs_client.login import (
    IssuerAwayError,
    IssuerRefusedError,
    LoginError,
    NotLoggedInError,
    StoredToken,
    Tokens,
    TokenStore,
    log_in_as_machine,
    log_in_with_browser,
    token_provider,
)
from video_jobs_client.login.callback import PORT, CallbackPage
from video_jobs_client.settings import LoginSettings, Profile, Server
from werkzeug.wrappers import Request

from tests.support.code_login import code_form, code_in, code_query
from tests.support.pretend_issuer import PretendIssuer
from tools.local_stack.authorizer import JwtAuthorizer
from tools.local_stack.code_flow import CODE_LIFETIME_S, CodeFlow, GrantError
from tools.local_stack.development_issuer import EXPIRES_IN_S, DevelopmentIssuer

NOW = 1_800_000_000.0
API = "https://api.example.com"


def browser(**changes: str) -> Callable[[str], None]:
    """Follows the login page as ann's browser does; ``changes`` are made to what is sent back."""

    def follow(url: str) -> None:
        answer = requests.get(url, params={"login_hint": "ann"}, allow_redirects=False, timeout=10)
        back = urlsplit(answer.headers["location"])
        query = {name: values[0] for name, values in parse_qs(back.query).items()} | changes
        page = requests.get(back._replace(query="").geturl(), params=query, timeout=10)
        assert page.status_code == 200
        assert query.get("code", "-") not in page.text

    return follow


@pytest.fixture
def how(issuer: DevelopmentIssuer) -> LoginSettings:
    return LoginSettings(issuer=issuer.url, client_id="local")


def log_in(how: LoginSettings, open_url: Callable[[str], object], **options: Any) -> Tokens:
    return log_in_with_browser(how, open_url=open_url, port=0, timeout_s=10, clock=lambda: NOW, **options)


def test_a_person_gets_the_token_that_the_api_takes(issuer: DevelopmentIssuer, how: LoginSettings) -> None:
    shown: list[str] = []
    tokens = log_in(how, browser(), show_url=shown.append)
    claims = JwtAuthorizer(issuer.url, [issuer.audience]).claims_of(tokens.access_token)
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("ann", "local", "openid offline_access")
    assert tokens.expires_at == NOW + EXPIRES_IN_S
    assert tokens.refresh_token
    # AND the address that was shown is that of the login page, with a challenge and not with its answer
    (url,) = shown
    asked = parse_qs(urlsplit(url).query)
    assert url.startswith(f"{issuer.url}/authorize?")
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"][0].endswith("/callback")
    assert "code_verifier" not in asked


def test_explicit_addresses_scope_and_audience_are_used(issuer: DevelopmentIssuer) -> None:
    shown: list[str] = []
    how = LoginSettings(
        authorize_url=f"{issuer.url}/authorize?policy=a", token_url=issuer.token_url, client_id="local",
        scope="jobs", audience="video",
    )  # fmt: skip
    assert log_in(how, browser(), show_url=shown.append).refresh_token is None
    asked = parse_qs(urlsplit(shown[0]).query)
    assert [asked[name] for name in ("policy", "scope", "audience")] == [["a"], ["jobs"], ["video"]]


def test_the_answer_to_another_login_is_not_used(how: LoginSettings) -> None:
    for state in ("other", ""):
        with pytest.raises(LoginError, match="answer to another login") as error:
            log_in(how, browser(state=state, code="c0de"))
        assert "c0de" not in str(error.value)


def test_a_code_that_the_issuer_does_not_know_is_refused_and_not_shown(how: LoginSettings) -> None:
    with pytest.raises(IssuerRefusedError, match="answered 400 invalid_grant, and no token") as error:
        log_in(how, browser(code="c0de"))
    assert "c0de" not in str(error.value)


def test_a_user_who_says_no_is_told_so(how: LoginSettings) -> None:
    def refuse(url: str) -> None:
        page = requests.get(url, params={"deny": "yes"}, timeout=10)
        assert "The login did not succeed" in page.text

    with pytest.raises(IssuerRefusedError, match="refused on the issuer's page"):
        log_in(how, refuse)


def test_another_refusal_is_told_with_its_code(how: LoginSettings) -> None:
    with pytest.raises(IssuerRefusedError, match=r"refuses the login \(invalid_scope\)"):
        log_in(how, browser(error="invalid_scope"))


def test_a_login_that_nobody_ends_is_given_up_and_frees_its_port(how: LoginSettings) -> None:
    shown: list[str] = []
    with pytest.raises(LoginError, match=r"nobody logged in within 0\.01 seconds"):
        log_in_with_browser(how, show_url=shown.append, open_url=lambda _: None, port=0, timeout_s=0.01)
    port = urlsplit(parse_qs(urlsplit(shown[0]).query)["redirect_uri"][0]).port
    with CallbackPage(port or 0):
        pass


def test_ctrl_c_ends_the_login(how: LoginSettings) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log_in(how, interrupt)


def test_a_port_that_is_taken_is_named(how: LoginSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LoginError, match=f"port {port} of this machine, which is taken"):
            log_in_with_browser(how, open_url=browser(), port=port)


def test_the_page_answers_its_own_path_only_and_waits_for_it(how: LoginSettings) -> None:
    def wander(url: str) -> None:
        callback = parse_qs(urlsplit(url).query)["redirect_uri"][0]
        # a connection opened in advance, an icon, and at last the answer
        with socket.create_connection(("127.0.0.1", urlsplit(callback).port or 0)):
            assert requests.get(callback.replace("callback", "favicon.ico"), timeout=10).status_code == 404
            browser()(url)

    assert log_in(how, wander).refresh_token


def test_the_default_port_is_the_one_that_the_issuer_of_the_project_knows() -> None:
    template = (Path(__file__).parents[2] / "deploy" / "issuer.yaml").read_text(encoding="utf-8")
    assert f'["${{Pages}},http://localhost:{PORT}/callback", {{Pages:' in template


def test_a_machine_logs_in_with_settings_of_the_environment(
    issuer: DevelopmentIssuer, how: LoginSettings
) -> None:
    environment = {"VIDEO_JOBS_CLIENT_ID": "robot:ü 1", "VIDEO_JOBS_CLIENT_SECRET": "s3cret"}
    tokens = log_in_as_machine(how, environment=environment, clock=lambda: NOW)
    claims = JwtAuthorizer(issuer.url, [issuer.audience]).claims_of(tokens.access_token)
    assert claims["sub"] == "robot:ü 1"
    assert (tokens.expires_at, tokens.refresh_token) == (NOW + EXPIRES_IN_S, None)
    with pytest.raises(SettingsError, match="set VIDEO_JOBS_CLIENT_SECRET"):
        log_in_as_machine(how, "robot", environment={})


@pytest.mark.parametrize("url", ["http://issuer.example.com", "http://127.0.0.1.example.com/token"])
def test_a_secret_is_not_sent_over_plain_http(url: str) -> None:
    for how in (LoginSettings(issuer=url), LoginSettings(token_url=url)):
        with pytest.raises(PlainHttpError) as error:
            log_in_as_machine(how, "robot", "s3cret", environment={})
        assert "s3cret" not in str(error.value)


def test_what_is_missing_is_named(issuer: DevelopmentIssuer) -> None:
    for how, says in (
        (LoginSettings(client_id="local"), "config set issuer"),
        (LoginSettings(token_url=issuer.token_url, client_id="local"), "config set authorize_url"),
        (LoginSettings(issuer=issuer.url), "config set client_id"),
    ):
        with pytest.raises(SettingsError, match=says):
            log_in(how, browser())


# --- an issuer that misbehaves -----------------------------------------------------------------------


@pytest.fixture
def strange() -> Iterator[PretendIssuer]:
    with PretendIssuer() as running:
        yield running


def machine(strange: PretendIssuer) -> Tokens:
    return log_in_as_machine(
        LoginSettings(token_url=f"{strange.url}/token"), "robot", "s3cret", environment={}
    )


def test_an_issuer_that_repeats_the_secret_does_not_bring_it_into_the_error(strange: PretendIssuer) -> None:
    strange.answer(401, {"error": "invalid_client", "error_description": "s3cret is wrong"})
    with pytest.raises(IssuerRefusedError) as error:
        machine(strange)
    assert str(error.value) == f"{strange.url}/token answered 401 invalid_client, and no token"
    strange.answer(400, {"error": "invalid_scope", "error_description": "ask\nthe operator"})
    with pytest.raises(IssuerRefusedError, match=r"400 invalid_scope, and no token: ask the operator$"):
        machine(strange)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, "<html>", "answered 200, and no token"),
        (200, [], "answered 200, and no token"),
        (200, {"access_token": "a\nb"}, "token that cannot be used"),
        (200, {"access_token": "a", "expires_in": "soon"}, "token that cannot be used"),
        (302, {"access_token": "a"}, "answered 302, and no token"),
    ],
)
def test_an_answer_without_a_token_is_refused(
    strange: PretendIssuer, status: int, body: Any, says: str
) -> None:
    strange.answer(status, body, location="http://issuer.example.com/")
    with pytest.raises(IssuerRefusedError, match=says):
        machine(strange)


def test_an_issuer_in_trouble_is_no_refusal(strange: PretendIssuer) -> None:
    for status in (429, 500, 503):
        strange.answer(status, "<html>")
        with pytest.raises(IssuerAwayError, match=f"answered {status}: try again later"):
            machine(strange)


def test_a_token_without_an_end_is_taken(strange: PretendIssuer) -> None:
    strange.answer(200, {"access_token": "a", "token_type": "Bearer", "scope": "less"})
    assert machine(strange) == Tokens("a", None, None)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"issuer": "https://other.example.com"}, LoginError, "of another issuer"),
        ({"token_endpoint": None}, SettingsError, "where tokens come from"),
        ({"token_endpoint": "http://issuer.example.com/token"}, PlainHttpError, "the token endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, SettingsError, "the login page"),
    ],
)
def test_a_configuration_that_leads_elsewhere_is_not_followed(
    strange: PretendIssuer, change: dict[str, Any], error: type[Exception], says: str
) -> None:
    strange.answer(200, {"issuer": strange.url, "token_endpoint": f"{strange.url}/token"} | change)
    with pytest.raises(error, match=says):
        log_in(LoginSettings(issuer=strange.url, client_id="local"), browser())


def test_a_proxy_gets_nothing_that_is_for_this_machine(
    strange: PretendIssuer, issuer: DevelopmentIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", strange.url)
    strange.answer(500, "")
    assert log_in_as_machine(LoginSettings(token_url=issuer.token_url), "robot", "s3cret").access_token


# --- the token of the last login ---------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(how: LoginSettings) -> Server:
    return Server(API, profile=Profile("work", API, how))


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path, None)


def test_a_token_is_renewed_before_it_expires_and_stored(
    server: Server, store: TokenStore, how: LoginSettings, clock: Clock
) -> None:
    first = log_in(how, browser())
    store.save(server.account, first)
    provider = StoredToken(server, store, clock)
    clock.now += EXPIRES_IN_S - 61
    assert provider() == first.access_token
    clock.now += 2
    # WHEN less than a minute is left, THEN there is another token, for other programs as well
    second = provider()
    stored = store.get(server.account)
    assert stored is not None
    assert (stored.access_token, stored.expires_at) == (second, clock.now + EXPIRES_IN_S)
    assert stored.refresh_token not in (None, first.refresh_token)
    assert StoredToken(server, store, clock)() == provider() == second


def test_a_renewed_token_that_cannot_be_stored_is_used_all_the_same(
    server: Server, clock: Clock, store: TokenStore, how: LoginSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GIVEN a login whose folder cannot be written any more
    store.save(server.account, log_in(how, browser()))
    provider = StoredToken(server, store, clock)
    provider()

    def refuse(*_: object) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(store, "save", refuse)

    # WHEN its token expires, twice, THEN a new one is used, and the program is told; the issuer takes a
    # refresh token once only
    for _ in range(2):
        clock.now += EXPIRES_IN_S
        with pytest.warns(RuntimeWarning, match="cannot be stored.*Read-only file system.*log in again"):
            assert provider()

    # AND a login of the user since then counts
    monkeypatch.undo()
    again = log_in(how, browser())
    store.save(server.account, replace(again, expires_at=clock.now + 2 * EXPIRES_IN_S))
    clock.now += EXPIRES_IN_S
    assert provider() == again.access_token


def test_what_another_program_renewed_is_used(
    server: Server, store: TokenStore, how: LoginSettings, clock: Clock
) -> None:
    first = log_in(how, browser())
    store.save(server.account, first)
    mine, other = StoredToken(server, store, clock), StoredToken(server, store, clock)
    assert mine() == other() == first.access_token
    clock.now += EXPIRES_IN_S
    # the issuer takes a refresh token once only
    assert other() == mine()


def test_without_a_login_the_error_says_how_to_log_in(
    server: Server, store: TokenStore, clock: Clock
) -> None:
    with pytest.raises(
        NotLoggedInError,
        match=r"not logged in to https://api.example.com .*: run: video-jobs login --profile work$",
    ):
        StoredToken(server, store, clock)()


def test_a_login_that_was_removed_is_not_renewed(
    server: Server, store: TokenStore, how: LoginSettings, clock: Clock
) -> None:
    store.save(server.account, log_in(how, browser()))
    provider = StoredToken(server, store, clock)
    provider()
    store.delete(server.account)
    clock.now += EXPIRES_IN_S
    with pytest.raises(NotLoggedInError):
        provider()
    assert store.get(server.account) is None


@pytest.mark.parametrize("refresh_token", [None, "unkn0wn"])
def test_an_expired_token_that_cannot_be_renewed_is_no_login(
    server: Server, store: TokenStore, clock: Clock, refresh_token: str | None
) -> None:
    store.save(server.account, Tokens("acce55", NOW + 30, refresh_token))
    provider = StoredToken(server, store, clock)
    assert provider() == "acce55"  # it lives for half a minute more
    clock.now += 30
    with pytest.raises(NotLoggedInError) as error:
        provider()
    assert "unkn0wn" not in str(error.value)
    assert "acce55" not in str(error.value)


def test_an_issuer_that_is_away_is_not_mistaken_for_a_lost_login(
    server: Server, store: TokenStore, strange: PretendIssuer, clock: Clock
) -> None:
    strange.answer(503, "")
    how = LoginSettings(token_url=f"{strange.url}/token", authorize_url=strange.url, client_id="local")
    server = replace(server, profile=Profile("work", API, how))
    store.save(server.account, Tokens("acce55", NOW + 30, "refre5h"))
    provider = StoredToken(server, store, clock)
    assert provider() == "acce55"
    clock.now += 30
    with pytest.raises(IssuerAwayError):
        provider()
    assert store.get(server.account) == Tokens("acce55", NOW + 30, "refre5h")


def test_an_issuer_that_sends_no_new_refresh_token_is_asked_with_the_old_one_again(
    server: Server, store: TokenStore, strange: PretendIssuer, clock: Clock
) -> None:
    strange.answer(200, {"access_token": "new", "expires_in": 100})
    how = LoginSettings(token_url=f"{strange.url}/token", authorize_url=strange.url, client_id="local")
    server = replace(server, profile=Profile("work", API, how))
    store.save(server.account, Tokens("old", NOW, "refre5h"))
    assert StoredToken(server, store, clock)() == "new"
    assert store.get(server.account) == Tokens("new", NOW + 100, "refre5h")


def test_the_stored_token_goes_to_its_own_server_only(
    server: Server, store: TokenStore, clock: Clock
) -> None:
    store.save(server.account, Tokens("acce55"))
    elsewhere = Server("https://other.example.com", profile=server.profile)
    with pytest.raises(NotLoggedInError):
        StoredToken(elsewhere, store, clock)()
    with pytest.raises(PlainHttpError):
        StoredToken(Server("http://api.example.com"), store, clock)
    assert token_provider(Server("http://127.0.0.1:8000", profile=Profile("local")), store) is None
    provider = token_provider(server, store)
    assert provider is not None
    assert provider() == "acce55"


# --- the development issuer itself -------------------------------------------------------------------

OURS = {"client_id": "local", "redirect_uri": "http://localhost:1/callback"}


def asked(issuer: DevelopmentIssuer, **changes: str | None) -> requests.Response:
    sent = code_query(**OURS | {"state": "s"} | changes)
    return requests.get(f"{issuer.url}/authorize", params=sent, allow_redirects=False, timeout=10)


def exchanged(issuer: DevelopmentIssuer, code: str, **changes: str) -> int:
    form = code_form(**OURS, code=code) | changes
    return requests.post(issuer.token_url, data=form, timeout=10).status_code


def test_the_login_page_sends_nobody_to_another_machine(issuer: DevelopmentIssuer) -> None:
    for uri in (
        "https://localhost/",
        "http://example.com/",
        "http://127.0.0.1.example.com/",
        "http://[",
        None,
    ):
        assert asked(issuer, redirect_uri=uri).status_code == 400
    assert asked(issuer, client_id=None).status_code == 400


def test_the_login_page_wants_a_challenge(issuer: DevelopmentIssuer) -> None:
    for change in ({"code_challenge": None}, {"code_challenge_method": "plain"}, {"response_type": "token"}):
        query = parse_qs(urlsplit(asked(issuer, **change).headers["location"]).query)
        assert (query["error"], query["state"]) == (["invalid_request"], ["s"])
        assert "code" not in query


def test_the_login_page_asks_for_a_subject_and_shows_text_as_text(issuer: DevelopmentIssuer) -> None:
    page = asked(issuer, login_hint=None, state='"><script>')
    assert 'name="login_hint"' in page.text
    assert 'value="&quot;&gt;&lt;script&gt;"' in page.text
    assert "<script>" not in page.text


def test_a_code_is_good_once_and_for_the_client_that_asked(issuer: DevelopmentIssuer) -> None:
    code = code_in(asked(issuer))
    assert (exchanged(issuer, code), exchanged(issuer, code)) == (200, 400)
    for name in ("client_id", "redirect_uri", "code_verifier"):
        assert exchanged(issuer, code_in(asked(issuer)), **{name: "other"}) == 400


def test_a_code_expires() -> None:
    clock = Clock()
    flow = CodeFlow(clock)

    def code() -> str:
        return code_in(flow.authorize(Request.from_values(query_string=code_query(**OURS))))

    early, late = code(), code()
    clock.now += CODE_LIFETIME_S - 1
    assert flow.redeem_code(code_form(**OURS, code=early)).subject == "ann"
    clock.now += 1
    with pytest.raises(GrantError):
        flow.redeem_code(code_form(**OURS, code=late))


def test_a_refresh_token_is_good_once_and_for_its_client(
    issuer: DevelopmentIssuer, how: LoginSettings
) -> None:
    def renewed(token: str | None, client_id: str) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}
        return requests.post(issuer.token_url, data=form, timeout=10).json()

    first = log_in(how, browser()).refresh_token
    assert renewed(first, "local").keys() >= {"access_token", "refresh_token"}
    for token, client_id in ((first, "local"), (log_in(how, browser()).refresh_token, "other")):
        assert renewed(token, client_id) == {"error": "invalid_grant"}
