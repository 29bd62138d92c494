"""The local stack serves a built console as CloudFront would, and nothing outside of its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from tools.local_stack.__main__ import where_to_look
from tools.local_stack.console import Console

PAGE = "<!doctype html><title>Video Jobs</title>"
MEDIA, ISSUER = "http://127.0.0.1:5001", "http://127.0.0.1:5002"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "dist"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(PAGE)
    (built / "assets" / "index-1a2b.js").write_text("run()")
    (tmp_path / "secret.txt").write_text("secret")
    return built


def ask(console: Console, path: str, method: str = "GET") -> Any:
    """The answer, read from the disk."""
    environ = EnvironBuilder(path, "http://127.0.0.1:8000", method=method).get_environ()
    answer = console.answer(Request(environ))
    if answer is not None:
        answer.direct_passthrough = False
        with answer:
            answer.get_data()
    return answer


def content(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_the_page_and_its_files_are_served(folder: Path) -> None:
    console = Console(folder, MEDIA)
    for path in ("/", "/index.html"):
        page = ask(console, path)
        assert (content(page), page.mimetype) == (PAGE, "text/html")
        assert page.cache_control.no_cache
    script = ask(console, "/assets/index-1a2b.js")
    assert content(script) == "run()"
    assert script.cache_control.max_age


@pytest.mark.parametrize("path", ["/../secret.txt", "/assets/../../secret.txt", "/assets", "/video/jobs"])
def test_nothing_else_is_taken_from_the_api(folder: Path, path: str) -> None:
    assert ask(Console(folder, MEDIA), path) is None


def test_only_reading_is_answered(folder: Path) -> None:
    assert ask(Console(folder, MEDIA), "/", "POST") is None


def test_the_configuration_names_the_issuer_where_logins_are_asked_for(folder: Path) -> None:
    def told(issuer_url: str | None) -> Any:
        return json.loads(content(ask(Console(folder, MEDIA, issuer_url), "/config.json")))

    login = {"authority": ISSUER, "client_id": "console", "scope": "openid offline_access"}
    assert told(None) == {"api": "", "login": None}
    assert told(ISSUER) == {"api": "", "login": login}


def test_the_headers_are_those_of_the_deployment_with_the_addresses_of_this_machine(folder: Path) -> None:
    headers = ask(Console(folder, MEDIA, ISSUER), "/").headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";") if part.strip()
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert {"'self'", MEDIA, ISSUER} <= set(policy["connect-src"].split())
    assert MEDIA in policy["media-src"].split()
    assert "amazonaws" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_console_that_is_not_built_is_explained() -> None:
    assert where_to_look("http://127.0.0.1:8000", is_built=True) == "Console: http://127.0.0.1:8000/"
    assert "npm" in where_to_look("http://127.0.0.1:8000", is_built=False)
