"""Two programs that change the same settings at the same time: neither loses what the other stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from video_jobs_client import profiles
from video_jobs_client.files import replace_privately
from video_jobs_client.login import Tokens, TokenStore, store
from video_jobs_client.profiles import Config

_LONG_ENOUGH_S = 0.3
"""In this time, a program that does not wait for its turn has stored its change."""


class Another:
    """Another program, which changes the settings just when this one is about to replace its file."""

    def __init__(self, change: Callable[[], object]) -> None:
        self._thread = threading.Thread(target=change, daemon=True)

    def replace(self, path: Path, text: str) -> None:
        if self._thread.ident is None:
            self._thread.start()
            self._thread.join(_LONG_ENOUGH_S)
        replace_privately(path, text)

    def ends(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()


def test_two_logins_at_a_time_are_both_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = Tokens("ann"), Tokens("bob")
    another = Another(lambda: TokenStore(tmp_path, None).save("bob", bob))
    monkeypatch.setattr(store, "replace_privately", another.replace)
    tokens = TokenStore(tmp_path, None)
    tokens.save("ann", ann)
    another.ends()
    assert (tokens.get("ann"), tokens.get("bob")) == (ann, bob)


def test_a_login_during_a_logout_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = TokenStore(tmp_path, None)
    for name in ("ann", "bob"):
        tokens.save(name, Tokens(name))
    another = Another(lambda: TokenStore(tmp_path, None).save("eve", Tokens("eve")))
    monkeypatch.setattr(store, "replace_privately", another.replace)
    assert tokens.delete("bob")
    another.ends()
    assert [tokens.get(name) is not None for name in ("ann", "bob", "eve")] == [True, False, True]


def test_two_changes_of_profiles_at_a_time_are_both_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEO_JOBS_CONFIG_DIR", str(tmp_path / "new"))

    def change(name: str) -> None:
        Config.change(lambda now: now.with_value(name, "url", f"https://{name}.example.com"))

    another = Another(lambda: change("home"))
    monkeypatch.setattr(profiles, "replace_privately", another.replace)
    change("work")
    another.ends()
    assert Config.read().names == ["home", "work"]
