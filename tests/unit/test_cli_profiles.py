"""The profile that is named decides whom the command line asks, and whose token it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from video_jobs_client.cli.exits import ExitCode
from video_jobs_client.login import Tokens, TokenStore

from tests.support.command_line import Ran, new_user, run_command
from tests.support.played_service import JOB_ID, URL, answer, job

Run = Callable[..., Ran]
PROFILES = f"""
default_profile = "boss"

[profiles.boss]
url = "{URL}"
issuer = "https://issuer.example.com"
client_id = "abc"

[profiles.anon]
url = "{URL}"

[profiles.other]
url = "https://other.example.com"
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the command line with two profiles of one server; one of them has a login."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(PROFILES, encoding="utf-8")
    store = TokenStore(tmp_path / "config", None)
    store.save(f"boss {URL}", Tokens("b0ss", None, None))
    monkeypatch.setattr(TokenStore, "of_this_user", lambda: store)
    with new_user(tmp_path):
        yield run_command


@pytest.mark.parametrize("command", ["status", "watch"])
def test_the_token_of_a_login_is_sent_for_its_own_profile_only(run: Run, command: str) -> None:
    sent: list[str | None] = []

    def tell(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.headers.get("authorization"))
        return answer(job("completed"))

    for profile in ([], ["--profile", "anon"], ["--profile", "boss"]):
        assert run(*profile, command, JOB_ID, replies=[tell], url=None).code == 0
    assert sent == ["Bearer b0ss", None, "Bearer b0ss"]


def test_a_profile_that_an_option_names_comes_before_that_of_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEO_JOBS_PROFILE", "gone")
    for command in ("status", "watch"):
        found = run("--profile", "anon", command, JOB_ID, replies=[answer(job("completed"))], url=None)
        assert (found.code, found.err) == (0, "")
    assert "no profile 'gone'" in run("status", JOB_ID, url=None).err


def test_the_profile_of_the_environment_is_the_one_that_config_shows_and_changes(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEO_JOBS_PROFILE", "other")
    assert run("config", "get", "url").out == "https://other.example.com\n"
    assert run("config", "set", "issuer", "https://login.example.com").err.startswith("Profile other: ")
    assert run("config", "unset", "issuer").code == 0
    assert run("config", "get", "issuer", "--profile", "boss").out == "https://issuer.example.com\n"
    monkeypatch.setenv("VIDEO_JOBS_PROFILE", "gone")
    assert run("config", "get", "url").code == ExitCode.USAGE
